// Entering an accident, or another account of one: a form beside the map, on which the place is chosen.

import { get, post, Problem, type Track } from "../api";
import { h, setText } from "../dom";
import type { Page } from "../main";
import { Question } from "../question";
import { accidentPath, go } from "../router";
import { notice } from "../sentence";
import { line, placeWhen } from "../track";
import type { Surroundings } from "../views/accidents";
import { type Accident, type Codes, refusal } from "./api";
import { backLink } from "./page";
import { CasualtyRow, codeChoices, dayAndMinute, field, moment, select, VehicleRow } from "./parts";
import { say, wordOf } from "./words";

const REPORTERS = ["police", "company", "insurer", "other"];
const CODED = ["road_class", "weather", "lighting", "form"] as const;
const TEXTS = ["police_no", "claim_no"] as const;
const CHANGED = 412;
/** Around the time the track is shown, where it is known. */
const AROUND_MS = 600_000;

export class EntryPage implements Page {
  readonly element = h("article", { class: "page accident-entry" });
  private readonly says = h("div", {});
  private readonly formPlace = h("div", {});
  private readonly known: Question<Accident> | null;
  private readonly codes: Question<Codes>;
  private readonly track = new Question<Track | null>(
    (signal) => this.readTrack(signal),
    () => this.showMap(),
  );
  private form: Form | null = null;

  constructor(
    private readonly code: string | null,
    private readonly around: Surroundings,
  ) {
    this.codes = new Question((signal) => get<Codes>("/accident-codes", signal), () => this.heard());
    this.known = code === null ? null : new Question((signal) => get<Accident>(`/accidents/${code}`, signal), () => this.heard());
    const title = code === null ? say("form.title") : say("form.correct", { code });
    this.element.append(backLink(), h("h1", { tabindex: "-1" }, title), this.says, this.formPlace);
    if (!around.session.may_act) {
      this.says.append(h("p", { class: "notice" }, say("form.roles")));
      return;
    }
    this.codes.ask();
    this.known?.ask();
    this.heard();
  }

  close(): void {
    for (const question of [this.codes, this.known, this.track]) question?.close();
    this.around.map.askPlace(null);
    this.around.map.showTrack(null, false);
  }

  private heard(): void {
    if (this.form !== null) return;
    const trouble = [this.known?.reply, this.codes.reply].filter((reply) => reply !== undefined).map((reply) => notice(reply, say("page.not_found"))).find((one) => one !== null);
    this.says.replaceChildren(...(trouble ? [trouble] : []));
    const codes = this.codes.value;
    const known = this.known?.value ?? null;
    if (codes === null || (this.code !== null && known === null)) return;
    this.form = new Form(known, codes, this.around, () => this.track.ask());
    this.formPlace.replaceChildren(this.form.element);
    this.around.map.askPlace((lat, lon) => this.form?.setPlace({ lat: round(lat), lon: round(lon) }));
    this.track.ask();
  }

  /** The way of the first vehicle around the time, to find the place by. */
  private async readTrack(signal: AbortSignal): Promise<Track | null> {
    const [vehicle, day, minute] = this.form?.asked() ?? ["", "", ""];
    if (vehicle === "" || day === "") return null;
    const path = `/vehicles/${vehicle}/track`;
    if (minute === "") return get<Track>(`${path}?day=${day}&thin=true`, signal);
    const at = Date.parse(`${day}T${minute}:00+08:00`);
    const [from, until] = [at - AROUND_MS, at + AROUND_MS].map((ms) => new Date(ms).toISOString());
    return get<Track>(`${path}?from=${from}&until=${until}&thin=true`, signal);
  }

  private showMap(): void {
    const track = this.track.value;
    const place = this.form?.place ?? null;
    const [, day, minute] = this.form?.asked() ?? ["", "", ""];
    const at = track === null || minute === "" ? null : placeWhen(track, Date.parse(`${day}T${minute}:00+08:00`));
    const spots = place !== null ? [{ place: [place.lat, place.lon] as const, severity: 4 }] : [];
    const hasLine = track !== null && track.time_ms.length > 0;
    this.around.map.showTrack(hasLine || spots.length > 0 ? { line: hasLine ? line(track) : [], marked: [], spots } : null, hasLine && place === null);
    this.around.map.showCursor(at);
  }
}

const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

/** The form itself. */
class Form {
  readonly element: HTMLFormElement;
  place: { lat: number; lon: number } | null;
  private readonly inputs = new Map<string, HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>();
  private readonly vehicles: VehicleRow[];
  private readonly casualties: CasualtyRow[];
  private readonly vehiclePlace = h("div", {});
  private readonly casualtyPlace = h("div", {});
  private readonly placeSaid = h("p", { class: "hint", role: "status" });
  private readonly said = h("p", { class: "form-said", role: "alert" });
  private readonly submit = h("button", { class: "button button-main" }, say("form.save"));

  constructor(
    private readonly known: Accident | null,
    private readonly codes: Codes,
    private readonly around: Surroundings,
    private readonly moved: () => void,
  ) {
    this.place = known?.position ?? null;
    this.vehicles = (known?.vehicles ?? [null]).map((one) => this.vehicle(one));
    this.casualties = (known?.casualties ?? []).map((one) => new CasualtyRow(one, () => undefined));
    this.vehiclePlace.append(...this.vehicles.map((row) => row.element));
    this.casualtyPlace.append(...this.casualties.map((row) => row.element));
    this.element = h("form", { class: "accident-form" }, ...this.parts());
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.setPlace(this.place, false);
  }

  /** Vehicle, day and minute of which the map shows the track. */
  asked(): [vehicle: string, day: string, minute: string] {
    const vehicle = this.present(this.vehicles).map((row) => row.registered).find((code) => code !== "") ?? "";
    return [vehicle, this.read("day"), this.read("time")];
  }

  setPlace(place: { lat: number; lon: number } | null, tell = true): void {
    this.place = place;
    const clear = h("button", { type: "button", class: "link", onclick: () => this.setPlace(null) }, say("form.position.clear"));
    if (place === null) this.placeSaid.replaceChildren(say("form.position.pick"));
    else this.placeSaid.replaceChildren(say("form.position.set", { lat: place.lat, lon: place.lon }), " ", clear);
    if (tell) this.moved();
  }

  // ---------------------------------------------------------------- what it is made of

  private parts(): (HTMLElement | false)[] {
    const [day, minute] = dayAndMinute(this.known?.occurred ?? null);
    const added = <Row extends { element: HTMLElement }>(rows: Row[], place: HTMLElement, make: () => Row): void => {
      const row = make();
      rows.push(row);
      place.append(row.element);
      row.element.querySelector<HTMLElement>("select, input")?.focus();
    };
    return [
      this.known === null && field(say("fact.code"), this.input("code", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", maxlength: "64" })),
      h("div", { class: "accident-pair" },
        field(say("form.day"), this.input("day", { type: "date", required: true, value: day, onchange: () => this.moved() })),
        field(say("form.time"), this.input("time", { type: "time", value: minute, onchange: () => this.moved() }), say("form.time.hint"))),
      field(say("fact.reporter"), this.keep("reporter", select("reporter", REPORTERS.map((one) => [one, wordOf("reporter", one)]), this.known?.reporter ?? "police", true))),
      h("div", { class: "accident-pair" },
        field(say("fact.county"), this.input("county", { list: "counties", maxlength: "200", value: this.known?.county ?? "" })),
        field(say("fact.place"), this.input("place", { maxlength: "200", value: this.known?.place ?? "" }))),
      h("datalist", { id: "counties" }, ...this.codes.counties.map((name) => h("option", { value: name }))),
      this.placeSaid,
      this.vehiclePlace,
      h("button", { type: "button", class: "button", onclick: () => added(this.vehicles, this.vehiclePlace, () => this.vehicle(null)) }, say("form.vehicle.add")),
      this.casualtyPlace,
      h("button", { type: "button", class: "button", onclick: () => added(this.casualties, this.casualtyPlace, () => new CasualtyRow(null, () => undefined)) }, say("form.person.add")),
      h("label", { class: "accident-check" }, this.input("casualties_known", { type: "checkbox", class: "", checked: this.known?.casualties_known ?? false }), say("form.people.known")),
      this.further(),
      field(say("form.why"), this.keep("why", h("textarea", { class: "input", rows: "2", maxlength: "2000", required: this.known !== null })), say("form.why.hint")),
      this.said,
      h("div", { class: "handling-buttons" }, this.submit, h("a", { class: "button", href: this.known === null ? "/accidents" : accidentPath(this.known.code) }, say("form.cancel"))),
    ];
  }

  private further(): HTMLElement {
    const coded = CODED.map((name) => field(say(`fact.${name}`), this.keep(name, select(name, codeChoices(this.codes, name), this.known?.[name]?.code ?? null))));
    const texts = TEXTS.map((name) => field(say(`fact.${name}`), this.input(name, { maxlength: "64", value: this.known?.[name] ?? "" })));
    const loss = field(say("fact.loss_yuan"), this.input("loss_yuan", { type: "number", min: "0", step: "1", value: this.known?.loss_yuan ?? "" }));
    return h("details", { class: "accident-more", open: this.known !== null }, h("summary", {}, say("form.more")), h("div", { class: "accident-grid" }, ...texts, ...coded, loss));
  }

  private vehicle(known: Accident["vehicles"][number] | null): VehicleRow {
    return new VehicleRow(known, this.codes, this.around.vehicles, () => this.moved());
  }

  private input(name: string, attributes: Record<string, string | number | boolean | (() => void)>): HTMLInputElement {
    const input = h("input", { class: "input", name, autocomplete: "off", ...attributes });
    this.inputs.set(name, input);
    return input;
  }

  private keep<E extends HTMLSelectElement | HTMLTextAreaElement>(name: string, element: E): E {
    this.inputs.set(name, element);
    return element;
  }

  private read(name: string): string {
    return this.inputs.get(name)?.value.trim() ?? "";
  }

  /** The rows that nobody has removed. */
  private present<Row extends { element: HTMLElement }>(rows: Row[]): Row[] {
    return rows.filter((row) => row.element.isConnected);
  }

  // ---------------------------------------------------------------- sending

  private facts(): Record<string, unknown> {
    const isKnown = this.inputs.get("casualties_known");
    return {
      ...moment("occurred", this.read("day"), this.read("time")),
      reporter: this.read("reporter"),
      county: this.read("county"),
      place: this.read("place"),
      position: this.place,
      ...Object.fromEntries([...CODED, ...TEXTS].map((name) => [name, this.read(name)])),
      loss_yuan: this.read("loss_yuan") === "" ? null : Number(this.read("loss_yuan")),
      casualties_known: isKnown instanceof HTMLInputElement && isKnown.checked,
      casualties: this.present(this.casualties).map((row) => row.value()),
      vehicles: this.present(this.vehicles).map((row) => row.value()),
    };
  }

  private async send(): Promise<void> {
    const vehicles = this.present(this.vehicles);
    for (const row of vehicles) row.check();
    if (!this.element.reportValidity()) return;
    setText(this.said, vehicles.some((row) => row.isFleet) ? "" : say("form.needs_vehicle"));
    if (this.said.textContent !== "") return;
    this.submit.disabled = true;
    const why = this.read("why").replace(/\s+/g, " ");
    try {
      const code = this.known === null ? this.read("code") : this.known.code;
      if (this.known === null) await post<Accident>("/accidents", { code, facts: this.facts(), why });
      else await post<Accident>(`/accidents/${code}/versions`, { version: this.known.versions.length, facts: this.facts(), why });
      go(accidentPath(code));
    } catch (error) {
      setText(this.said, error instanceof Problem && error.status === CHANGED ? say("form.changed") : refusal(error));
      this.submit.disabled = false;
    }
  }
}
