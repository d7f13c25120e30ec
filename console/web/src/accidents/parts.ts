// The parts of the form that come several times: vehicles and casualties.

import { h } from "../dom";
import { word } from "../i18n";
import type { Vehicles } from "../vehicles";
import { type Casualty, type Codes, labelOf, type VehicleOf } from "./api";
import { say, wordOf } from "./words";

const SUGGESTIONS = 8;
const SHARES = ["full", "main", "equal", "minor", "none", "pending", "undeterminable"];
const INJURIES = ["dead", "serious", "light"];
const ROLES = ["pedestrian", "cyclist", "ebike", "motorcycle", "car", "own_driver", "own_passenger", "worker", "unknown"];
const KINDS = ["mixer", "bulk_cement", "mortar", "silo_carrier", "pump", "other"];

export type Choice = readonly [value: string, name: string];

export function select(name: string, choices: readonly Choice[], value: string | null, needed = false): HTMLSelectElement {
  const known = value === null || choices.some(([code]) => code === value) ? choices : [...choices, [value, value] as const];
  const first = needed ? [] : [h("option", { value: "" }, say("form.choose"))];
  const made = h("select", { class: "select", name }, ...first, ...known.map(([code, text]) => h("option", { value: code }, text)));
  if (value !== null || !needed) made.value = value ?? "";
  return made;
}

export const field = (label: string, input: HTMLElement, hint = ""): HTMLElement =>
  h("label", { class: "field" }, h("span", {}, label), input, hint !== "" && h("small", { class: "hint" }, hint));

export const codeChoices = (codes: Codes | null, name: string): Choice[] => (codes?.tables[name] ?? []).map((one) => [one.code, `${one.code} ${labelOf(one)}`]);

const removeButton = (row: () => HTMLElement, changed: () => void): HTMLElement =>
  h("button", { type: "button", class: "link", onclick: () => { row().remove(); changed(); } }, say("form.remove"));

/** A vehicle as it is entered. */
export class VehicleRow {
  readonly element: HTMLElement;
  private readonly whose: HTMLSelectElement;
  private readonly code: HTMLInputElement;
  private readonly plate: HTMLInputElement;
  private readonly kind: HTMLSelectElement;
  private readonly manoeuvre: HTMLSelectElement;
  private readonly share: HTMLSelectElement;

  constructor(
    known: VehicleOf | null,
    codes: Codes | null,
    private readonly vehicles: Vehicles,
    changed: () => void,
  ) {
    const is = known === null || known.vehicle !== null ? "fleet" : known.is_fleet ? "unregistered" : "other";
    this.whose = select("whose", [["fleet", say("form.vehicle.fleet")], ["unregistered", say("form.vehicle.unregistered")], ["other", say("form.vehicle.other")]], is, true);
    const list = h("datalist", { id: `vehicles-${Math.random().toString(36).slice(2)}` });
    this.code = h("input", { class: "input", name: "vehicle", autocomplete: "off", list: list.id, value: known?.vehicle ?? "" });
    this.plate = h("input", { class: "input", name: "plate", autocomplete: "off", maxlength: "20", value: known?.plate ?? "" });
    this.kind = select("kind", KINDS.map((kind) => [kind, word("kind", kind)]), known?.kind ?? null);
    this.manoeuvre = select("manoeuvre", codeChoices(codes, "manoeuvre"), known?.manoeuvre?.code ?? null);
    this.share = select("share", SHARES.map((share) => [share, wordOf("share", share)]), known?.responsibility ?? null);
    this.code.addEventListener("input", () => {
      this.code.setCustomValidity("");
      const found = vehicles.search(this.code.value, SUGGESTIONS);
      list.replaceChildren(...found.map((facts) => h("option", { value: facts.code }, `${facts.plate} ${facts.companyName}`)));
    });
    this.code.addEventListener("change", () => changed());
    const fields = [field(say("form.vehicle.code"), this.code), field(say("form.vehicle.plate"), this.plate), field(say("fact.kind"), this.kind)];
    const show = (): void => {
      const { value } = this.whose;
      fields[0]!.hidden = value !== "fleet";
      fields[1]!.hidden = fields[2]!.hidden = value !== "unregistered";
      this.code.required = value === "fleet";
    };
    this.whose.addEventListener("change", () => { show(); changed(); });
    this.element = h(
      "fieldset",
      { class: "accident-part" },
      h("legend", {}, say("form.vehicle")),
      field(say("form.vehicle.whose"), this.whose),
      list,
      ...fields,
      field(say("fact.manoeuvre"), this.manoeuvre),
      field(say("fact.responsibility"), this.share),
      removeButton(() => this.element, changed),
    );
    show();
  }

  get isFleet(): boolean {
    return this.whose.value !== "other";
  }

  /** The code of the registry; "": it is not there, or not known. A plate will do as well. */
  get registered(): string {
    const typed = this.code.value.trim();
    if (this.whose.value !== "fleet" || typed === "") return "";
    return this.vehicles.facts.find((facts) => facts.code === typed || facts.plate === typed)?.code ?? "";
  }

  /** Say so at the field if what was typed is of no vehicle. */
  check(): void {
    const isWrong = this.whose.value === "fleet" && this.code.value.trim() !== "" && this.registered === "";
    this.code.setCustomValidity(isWrong ? say("form.unknown_vehicle") : "");
  }

  value(): Record<string, unknown> {
    const rest = { manoeuvre: this.manoeuvre.value, responsibility: this.share.value || null };
    if (this.whose.value === "other") return { is_fleet: false, ...rest };
    if (this.whose.value === "fleet") return { vehicle: this.registered, ...rest };
    const plate = this.plate.value.trim();
    return { plate: plate === "" ? null : plate, kind: this.kind.value || null, ...rest };
  }
}

/** A casualty as it is entered. */
export class CasualtyRow {
  readonly element: HTMLElement;
  private readonly injury: HTMLSelectElement;
  private readonly role: HTMLSelectElement;
  private readonly day: HTMLInputElement;
  private readonly time: HTMLInputElement;

  constructor(
    private readonly known: Casualty | null,
    changed: () => void,
  ) {
    const [day, time] = dayAndMinute(known?.died ?? null);
    this.injury = select("injury", INJURIES.map((injury) => [injury, wordOf("injury", injury)]), known?.injury ?? "light", true);
    this.role = select("role", ROLES.map((role) => [role, wordOf("role", role)]), known?.role ?? "unknown", true);
    this.day = h("input", { type: "date", class: "input", name: "died_on", value: day });
    this.time = h("input", { type: "time", class: "input", name: "died_time", value: time });
    this.element = h(
      "fieldset",
      { class: "accident-part" },
      h("legend", {}, say("form.person")),
      field(say("fact.injury"), this.injury),
      field(say("fact.role"), this.role),
      field(say("form.person.died_on"), this.day),
      field(say("form.person.died_time"), this.time),
      removeButton(() => this.element, changed),
    );
  }

  value(): Record<string, unknown> {
    const said: Record<string, unknown> = { injury: this.injury.value, role: this.role.value };
    const within = this.known?.died_within_days ?? null;
    if (this.day.value !== "") return { ...said, ...moment("died", this.day.value, this.time.value) };
    return within !== null && this.injury.value === "dead" ? { ...said, died_within_days: within } : said;
  }
}

/** Return the day and the minute in Beijing of a time as the API has it; "" what is not known. */
export function dayAndMinute(text: string | null): [day: string, minute: string] {
  if (text === null) return ["", ""];
  if (!text.includes("T")) return [text, ""];
  const beijing = new Date(Date.parse(text) + 8 * 3_600_000).toISOString();
  return [beijing.slice(0, 10), beijing.slice(11, 16)];
}

/** Return a time as the API takes it: `NAME_at`, or `NAME_on` of which the minute is not known. */
export function moment(name: string, day: string, minute: string): Record<string, string> {
  return minute === "" ? { [`${name}_on`]: day } : { [`${name}_at`]: `${day}T${minute}:00+08:00` };
}
