// One alert: what happened, by which limit of which rulebook, and the evidence for it.

import { type Alert, get, Problem, type Rulebook, type Track, type Zones } from "../api";
import { type Alerts, type Known } from "../alerts";
import { badge, severityTag } from "../badge";
import { SpeedChart } from "../chart";
import { h, icon } from "../dom";
import { civilDay, clockTime, dayAndTime, duration, fullTime } from "../format";
import { t, word } from "../i18n";
import { type CityMap } from "../map/map";
import { peopleCard } from "../people";
import { vehiclePath } from "../router";
import { endedAs, isConflict, limitOnChart, limitSource, measures, pageFigures } from "../rules";
import { line, placeAt, placeWhen, speedWhen } from "../track";
import { type Vehicles } from "../vehicles";
import { Handling } from "./handling";

/** The track around an alert: so long before its start and after its end. */
const BEFORE_MS = 120_000;
const AFTER_MS = 60_000;
const ONGOING_EVERY_MS = 3_000;
/** Of a long one, as much as the API gives at once. */
const LONGEST_MS = 35 * 3_600_000;

export class AlertPage {
  readonly element = h("article", { class: "page" });
  private readonly abort = new AbortController();
  private readonly chart = new SpeedChart((i) => this.pointAt(i));
  private readonly chartPlace = h("div", { class: "chart-slot" }, this.chart.element);
  private readonly facts = h("div", {});
  private readonly figuresPlace = h("div", {});
  private readonly detailsPlace = h("div", { class: "details-place" });
  private readonly evidence = h("div", { class: "evidence" }, this.chartPlace, this.detailsPlace);
  private readonly handling: Handling;
  private alert: Alert | null = null;
  private timer = 0;
  private track: Track | null = null;
  /** Names of the speed zones that gave the limit. */
  private zones: string[] = [];
  private isFirstTrack = true;
  private readonly forget: () => void;

  constructor(
    private readonly id: string,
    alerts: Alerts,
    private readonly vehicles: Vehicles,
    private readonly map: CityMap,
    mayAct: boolean,
  ) {
    this.handling = new Handling(mayAct, (alert) => this.take(alert));
    this.element.append(backLink());
    const forgetAlerts = alerts.whenChanged((changed) => {
      const mine = changed.findLast((alert) => alert.alert_id === id);
      if (mine !== undefined) this.take(mine);
      if (changed.length === 0) void this.readAgain();
    });
    const forgetNames = vehicles.whenRegistered(() => {
      if (this.alert !== null) this.take(this.alert);
    });
    this.forget = () => {
      forgetAlerts();
      forgetNames();
    };
    void this.load(alerts.find(id));
  }

  close(): void {
    this.forget();
    this.abort.abort();
    this.handling.close();
    clearTimeout(this.timer);
    this.chart.close();
    this.map.showTrack(null, false);
    this.map.select(null);
  }

  private async load(known: Known | undefined): Promise<void> {
    try {
      const alert = known ?? (await get<Alert>(`/alerts/${this.id}`, this.abort.signal));
      const people = peopleCard(alert.vehicle, alert.started_at, this.abort.signal);
      this.element.append(this.facts, people, this.handling.element, this.evidence, this.handling.history);
      if (alert.limit_source === "zone") void this.loadZones();
      this.map.select(alert.vehicle);
      this.take(alert);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      const missing = error instanceof Problem && error.status < 500;
      const text = missing ? t("alert.not_found") : t("common.failed", { why: String(error) });
      this.element.append(h("p", { class: "notice" }, text));
    }
  }

  /** The feed was away for too long: what it would have told is in the store. */
  private async readAgain(): Promise<void> {
    if (this.alert === null) return;
    const alert = await get<Alert>(`/alerts/${this.id}`, this.abort.signal).catch(() => null);
    if (alert === null || alert.revision < this.alert.revision || alert.actions < this.alert.actions) return;
    this.take(alert);
  }

  private take(alert: Alert): void {
    const isNew = this.alert?.revision !== alert.revision || this.alert.ended_at !== alert.ended_at;
    this.alert = alert;
    this.facts.replaceChildren(...this.parts(alert));
    this.figuresPlace.replaceChildren(this.figures(alert));
    this.handling.take(alert);
    this.detailsPlace.replaceChildren(this.details(alert), this.buttons(alert));
    if (isNew || alert.ended_at === null) this.refreshSoon(isNew ? 0 : ONGOING_EVERY_MS);
  }

  private refreshSoon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.loadTrack(), ms);
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
    const speedThen = this.track === null ? null : speedWhen(this.track, started);
    return h(
      "dl",
      { class: "figures" },
      ...pageFigures(alert, this.vehicles.now(), speedThen).map(([label, value, unit]) =>
        h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, unit !== "" && h("small", {}, ` ${unit}`))),
      ),
    );
  }

  private details(alert: Alert): HTMLElement {
    const rows: [string, Node | string][] = [];
    const started = Date.parse(alert.started_at);
    const after = (moment: string): string =>
      t("alert.after", { time: clockTime(Date.parse(moment)), s: duration((Date.parse(moment) - started) / 1000) });
    const ruled = limitSource(alert, this.zones);
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
    return h("button", { type: "button", class: "link", onclick: () => void showRulebook(version) }, version);
  }

  // ---------------------------------------------------------------- evidence

  private async loadZones(): Promise<void> {
    const zones = await get<Zones>(`/alerts/${this.id}/zones`, this.abort.signal).catch(() => null);
    if (zones === null || this.alert === null) return;
    this.zones = zones.items.map((zone) => zone.name || zone.code);
    this.take(this.alert);
  }

  private endMs(alert: Alert): number {
    return alert.ended_at === null ? this.vehicles.now() : Date.parse(alert.ended_at);
  }

  private async loadTrack(): Promise<void> {
    const alert = this.alert;
    if (alert === null) return;
    const started = Date.parse(alert.started_at);
    const ended = this.endMs(alert);
    const from = new Date(Math.max(started - BEFORE_MS, ended - LONGEST_MS)).toISOString();
    const until = new Date(ended + AFTER_MS).toISOString();
    const path = `/vehicles/${alert.vehicle}/track?from=${from}&until=${until}`;
    const track = await get<Track>(path, this.abort.signal).catch(() => null);
    if (track === null || this.abort.signal.aborted) return;
    this.showTrack(alert, track, started, ended);
    const growsStill = alert.ended_at === null || this.vehicles.now() < ended + AFTER_MS;
    if (growsStill) this.refreshSoon(ONGOING_EVERY_MS);
  }

  private showTrack(alert: Alert, track: Track, started: number, ended: number): void {
    const { severity } = alert;
    this.track = track;
    const place = placeWhen(track, started);
    // Of what is a moment, or too short to be seen as a part of the track, the place.
    const marked = [...line(track, started, ended)];
    const isSpot = isConflict(alert) || marked.filter((one) => one !== null).length < 2;
    const spots = isSpot && place !== null ? [{ place, severity }] : [];
    this.map.showTrack({ line: line(track), marked: [{ line: marked, severity }], spots }, this.isFirstTrack);
    this.isFirstTrack = false;
    this.chart.show(track, [
      { fromMs: started, untilMs: ended, limit: limitOnChart(alert), severity, isMoment: isConflict(alert) },
    ]);
    this.figuresPlace.replaceChildren(this.figures(alert));
  }

  private pointAt(index: number | null): void {
    this.map.showCursor(index === null || this.track === null ? null : placeAt(this.track, index));
  }
}

export function backLink(): HTMLElement {
  return h("a", { class: "back", href: "/" }, icon("M15 5l-7 7 7 7"), t("alert.back"));
}

async function showRulebook(version: string): Promise<void> {
  const book = await get<Rulebook>(`/rulebooks/${encodeURIComponent(version)}`);
  const since = Date.parse(book.valid_from);
  const when = since > 0 ? t("rulebook.since", { time: dayAndTime(since) }) : t("rulebook.always");
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-label": t("rulebook.title", { version }) },
    h("header", {}, h("h2", {}, t("rulebook.title", { version })), h("span", { class: "hint" }, when)),
    h("pre", { tabindex: "0" }, book.document),
    h("form", { method: "dialog" }, h("button", { class: "button" }, t("common.close"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
