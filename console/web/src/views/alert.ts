// One alert: what happened, by which limit of which rulebook, and the evidence for it.

import { type Alert, get, type Rulebook, type Track, type Zones } from "../api";
import { type Alerts } from "../alerts";
import { badge, severityTag } from "../badge";
import { SpeedChart } from "../chart";
import { h, icon } from "../dom";
import { civilDay, clockTime, dayAndTime, duration, fullTime } from "../format";
import { type Health } from "../health";
import { t, word } from "../i18n";
import { type CityMap } from "../map/map";
import { PeopleCard } from "../people";
import { Question } from "../question";
import { vehiclePath } from "../router";
import { endedAs, isConflict, limitOnChart, limitSource, measures, pageFigures } from "../rules";
import { notice, thinning } from "../sentence";
import { line, placeAt, placeWhen, speedWhen } from "../track";
import { type Vehicles } from "../vehicles";
import { type Worklist } from "../worklist";
import { Handling } from "./handling";

/** The track around an alert: so long before its start and after its end. */
const BEFORE_MS = 120_000;
const AFTER_MS = 60_000;
const ONGOING_EVERY_MS = 3_000;
/** Of a long one, as much as the API gives at once. */
const LONGEST_MS = 35 * 3_600_000;

export class AlertPage {
  readonly element = h("article", { class: "page" });
  private readonly says = h("div", {});
  private readonly chartSays = h("div", {});
  private readonly chart = new SpeedChart((i) => this.pointAt(i));
  private readonly chartPlace = h("div", { class: "chart-slot" }, this.chart.element);
  private readonly facts = h("div", {});
  private readonly figuresPlace = h("div", {});
  private readonly detailsPlace = h("div", { class: "details-place" });
  private readonly evidence = h("div", { class: "evidence" }, this.chartSays, this.chartPlace, this.detailsPlace);
  private readonly handling: Handling;
  private readonly question = new Question(
    (signal) => get<Alert>(`/alerts/${this.id}`, signal),
    (reply) => this.heard(reply.is === "ready" ? reply.value : null),
  );
  private readonly track = new Question(
    (signal) => this.readTrack(signal),
    () => this.showTrack(),
  );
  private alert: Alert | null = null;
  /** The speed zones that gave the limit. */
  private readonly zones = new Question(
    (signal) => get<Zones>(`/alerts/${this.id}/zones`, signal),
    () => this.alert !== null && this.take(this.alert),
  );
  private people: PeopleCard | null = null;
  private isFirstTrack = true;
  private readonly forget: (() => void)[];

  constructor(
    private readonly id: string,
    alerts: Alerts,
    worklist: Worklist,
    private readonly vehicles: Vehicles,
    private readonly health: Health,
    private readonly map: CityMap,
    mayAct: boolean,
  ) {
    this.handling = new Handling(mayAct, (alert) => this.take(alert), () => worklist.neighbour(id));
    this.element.append(backLink(), this.says);
    this.forget = [
      alerts.whenChanged((changed) => {
        const mine = changed.findLast((alert) => alert.alert_id === id);
        if (mine !== undefined) this.take(mine);
      }),
      // The feed was away for too long: what it would have told is in the store.
      alerts.whenRead(() => alerts.isCurrent && this.alert !== null && this.question.ask()),
      vehicles.whenRegistered(() => this.alert !== null && this.take(this.alert)),
    ];
    const known = worklist.find(id);
    if (known !== undefined) this.take(known);
    else this.question.ask();
    this.say();
  }

  close(): void {
    for (const forget of this.forget) forget();
    this.question.close();
    this.track.close();
    this.handling.close();
    this.zones.close();
    this.people?.close();
    this.chart.close();
    this.map.showTrack(null, false);
    this.map.select(null);
  }

  private heard(alert: Alert | null): void {
    const isOlder = alert !== null && this.alert !== null && (alert.revision < this.alert.revision || alert.actions < this.alert.actions);
    if (alert !== null && !isOlder) this.take(alert);
    this.say();
  }

  /** Say why there is nothing here, or why it may be old. */
  private say(): void {
    const { reply } = this.question;
    const trouble = reply.is === "awaited" && this.alert !== null ? null : notice(reply, t("alert.not_found"));
    this.says.replaceChildren(...(trouble === null ? [] : [trouble]));
  }

  private take(alert: Alert): void {
    const isNew = this.alert?.revision !== alert.revision || this.alert.ended_at !== alert.ended_at;
    if (this.alert === null) {
      this.people = new PeopleCard(alert.vehicle, alert.started_at);
      this.element.append(this.facts, this.people.element, this.handling.element, this.evidence, this.handling.history);
      this.chartSays.replaceChildren(h("p", { class: "hint" }, t("chart.loading")));
      this.map.select(alert.vehicle);
      if (alert.limit_source === "zone") this.zones.ask();
    }
    this.alert = alert;
    this.facts.replaceChildren(...this.parts(alert));
    this.figuresPlace.replaceChildren(this.figures(alert));
    this.handling.take(alert);
    this.detailsPlace.replaceChildren(this.details(alert), this.buttons(alert));
    if (isNew && !this.track.isUnderWay) this.track.ask();
  }

  // ---------------------------------------------------------------- facts

  private parts(alert: Alert): Node[] {
    const facts = this.vehicles.factsOf(alert.vehicle);
    const day = civilDay(Date.parse(alert.started_at));
    return [
      h(
        "header",
        { class: "page-head" },
        badge(alert.severity),
        h(
          "div",
          {},
          h("h1", { tabindex: "-1" }, severityTag(alert.severity), " ", word("rule", alert.rule)),
          h(
            "p",
            { class: "page-sub" },
            facts?.plate && h("b", { class: "plate" }, `${facts.plate} `),
            h("a", { href: vehiclePath(alert.vehicle, day) }, alert.vehicle),
          ),
        ),
        alert.ended_at === null ? h("span", { class: "tag tag-ongoing" }, h("span", { class: "pulse" }), t("alert.ongoing")) : false,
        alert.late && h("span", { class: "tag" }, t("alert.late")),
      ),
      alert.evidence_changed ? h("p", { class: "notice" }, t("alert.evidence_changed")) : h("i", { hidden: true }),
      this.figuresPlace,
    ];
  }

  private buttons(alert: Alert): HTMLElement {
    const path = vehiclePath(alert.vehicle, civilDay(Date.parse(alert.started_at)));
    return h(
      "p",
      { class: "page-buttons" },
      h("a", { class: "button", href: path }, t("alert.vehicle_day")),
      h("button", { type: "button", class: "button", onclick: () => print() }, t("alert.print")),
    );
  }

  private figures(alert: Alert): HTMLElement {
    const started = Date.parse(alert.started_at);
    const found = this.track.value;
    const speedThen = found === null ? null : speedWhen(found.track, started);
    return h(
      "dl",
      { class: "figures" },
      ...pageFigures(alert, this.health.asOfMs(), speedThen).map(([label, value, unit]) =>
        h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, unit !== "" && h("small", {}, ` ${unit}`))),
      ),
    );
  }

  private details(alert: Alert): HTMLElement {
    const rows: [string, Node | string][] = [];
    const started = Date.parse(alert.started_at);
    const after = (moment: string): string =>
      t("alert.after", { time: clockTime(Date.parse(moment)), s: duration((Date.parse(moment) - started) / 1000) });
    const zones = this.zones.value?.items.map((zone) => zone.name || zone.code) ?? [];
    const ruled = limitSource(alert, zones);
    if (ruled !== null) rows.push(ruled);
    rows.push([t("alert.rulebook"), this.rulebookButton(alert.rulebook)]);
    rows.push([t("alert.judgement"), word("judged", alert.settled_as ?? "provisional")]);
    rows.push([t("alert.started"), fullTime(started)]);
    if (alert.ended_at !== null)
      rows.push([t("alert.ended"), t("alert.at", { time: clockTime(Date.parse(alert.ended_at)), how: endedAs(alert) })]);
    rows.push([t("alert.raised"), after(alert.raised_at)]);
    rows.push(...measures(alert));
    return h("dl", { class: "details" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  private rulebookButton(version: string): HTMLElement {
    return h("button", { type: "button", class: "link", onclick: () => showRulebook(version) }, version);
  }

  // ---------------------------------------------------------------- evidence

  private endMs(alert: Alert): number {
    return alert.ended_at === null ? this.health.asOfMs() : Date.parse(alert.ended_at);
  }

  private span(alert: Alert): [started: number, ended: number] {
    return [Date.parse(alert.started_at), this.endMs(alert)];
  }

  private async readTrack(signal: AbortSignal): Promise<{ alert: Alert; track: Track } | null> {
    const { alert } = this;
    if (alert === null) return null;
    const [started, ended] = this.span(alert);
    const from = new Date(Math.max(started - BEFORE_MS, ended - LONGEST_MS)).toISOString();
    const until = new Date(ended + AFTER_MS).toISOString();
    const track = await get<Track>(`/vehicles/${alert.vehicle}/track?from=${from}&until=${until}&thin=true`, signal);
    return { alert, track };
  }

  private showTrack(): void {
    const trouble = notice(this.track.reply);
    this.chartSays.replaceChildren(...(trouble === null ? [] : [trouble]));
    const found = this.track.value;
    if (found === null || trouble !== null) return;
    const { alert, track } = found;
    const { severity } = alert;
    const isThin = thinning(track, "track.thinned");
    if (isThin !== null) this.chartSays.replaceChildren(isThin);
    const [started, ended] = this.span(alert);
    const place = placeWhen(track, started);
    // Of what is a moment, or too short to be seen as a part of the track, the place.
    const marked = [...line(track, started, ended)];
    const isSpot = isConflict(alert) || marked.filter((one) => one !== null).length < 2;
    const spots = isSpot && place !== null ? [{ place, severity }] : [];
    this.map.showTrack({ line: line(track), marked: [{ line: marked, severity }], spots }, this.isFirstTrack);
    this.isFirstTrack = false;
    const growsStill = alert.ended_at === null || this.vehicles.now() < ended + AFTER_MS;
    if (growsStill) this.track.askIn(ONGOING_EVERY_MS);
    this.chart.show(track, [
      { fromMs: started, untilMs: ended, limit: limitOnChart(alert), severity, isMoment: isConflict(alert) },
    ]);
    this.figuresPlace.replaceChildren(this.figures(this.alert ?? alert));
  }

  private pointAt(index: number | null): void {
    const found = this.track.value;
    this.map.showCursor(index === null || found === null ? null : placeAt(found.track, index));
  }
}

export function backLink(): HTMLElement {
  return h("a", { class: "back", href: "/" }, icon("M15 5l-7 7 7 7"), t("alert.back"));
}

function showRulebook(version: string): void {
  const since = h("span", { class: "hint" });
  const body = h("div", {});
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-label": t("rulebook.title", { version }) },
    h("header", {}, h("h2", {}, t("rulebook.title", { version })), since),
    body,
    h("form", { method: "dialog" }, h("button", { class: "button" }, t("common.close"))),
  );
  const question = new Question(
    (signal) => get<Rulebook>(`/rulebooks/${encodeURIComponent(version)}`, signal),
    () => show(),
  );
  const show = (): void => {
    const book = question.value;
    body.replaceChildren(notice(question.reply) ?? h("pre", { tabindex: "0" }, book?.document ?? ""));
    if (book === null) return;
    const sinceMs = Date.parse(book.valid_from);
    since.textContent = sinceMs > 0 ? t("rulebook.since", { time: dayAndTime(sinceMs) }) : t("rulebook.always");
  };
  dialog.addEventListener("close", () => {
    question.close();
    dialog.remove();
  });
  question.ask();
  show();
  document.body.append(dialog);
  dialog.showModal();
}
