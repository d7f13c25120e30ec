// One alert: what happened, by which limit of which rulebook, and the evidence for it.

import { type Alert, get, Problem, type Rulebook, type Track } from "../api";
import { type Alerts, type Known } from "../alerts";
import { badge } from "../badge";
import { type Band, speedChart } from "../chart";
import { h, icon } from "../dom";
import { civilDay, clockTime, dayAndTime, duration, number } from "../format";
import { t, word } from "../i18n";
import { type CityMap } from "../map/map";
import { vehiclePath } from "../router";
import { isBare, isStay, isOfSpeed, limitOf, measures, reading } from "../rules";
import { line, placeAt } from "../track";
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
  private readonly chartPlace = h("div", { class: "chart-slot" });
  private readonly facts = h("div", {});
  private readonly evidence = h("div", {});
  private readonly handling: Handling;
  private alert: Alert | null = null;
  private timer = 0;
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
    this.map.showTrack(null, false);
    this.map.select(null);
  }

  private async load(known: Known | undefined): Promise<void> {
    try {
      const alert = known ?? (await get<Alert>(`/alerts/${this.id}`, this.abort.signal));
      this.element.append(this.facts, this.handling.element, this.evidence, this.handling.history);
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
    this.handling.take(alert);
    this.evidence.replaceChildren(this.chartPlace, this.details(alert), this.vehicleDay(alert));
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
          h("h1", { tabindex: "-1" }, word("rule", alert.rule)),
          h(
            "p",
            { class: "page-sub" },
            h("a", { href: vehiclePath(alert.vehicle, day) }, alert.vehicle),
            ...[facts?.plate, facts?.companyName || alert.company].filter(Boolean).map((text) => ` · ${text}`),
          ),
        ),
        alert.ended_at === null ? h("span", { class: "tag tag-ongoing" }, h("span", { class: "pulse" }), t("alert.ongoing")) : false,
        alert.late && h("span", { class: "tag" }, t("alert.late")),
      ),
      alert.evidence_changed ? h("p", { class: "notice" }, t("alert.evidence_changed")) : h("i", { hidden: true }),
      this.figures(alert),
    ];
  }

  private vehicleDay(alert: Alert): HTMLElement {
    const path = vehiclePath(alert.vehicle, civilDay(Date.parse(alert.started_at)));
    return h("p", {}, h("a", { class: "button", href: path }, t("alert.vehicle_day")));
  }

  private figures(alert: Alert): HTMLElement {
    const figure = (label: string, value: string, unit: string): HTMLElement =>
      h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, h("small", {}, ` ${unit}`)));
    const seconds = (this.endMs(alert) - Date.parse(alert.started_at)) / 1000;
    const limit = limitOf(alert);
    const peak = reading(alert.rule, alert.peak);
    const allowed = limit === null ? null : reading(alert.rule, limit);
    const over = limit === null ? null : alert.peak / limit - 1;
    if (isBare(alert.rule)) return h("dl", { class: "figures" }, figure(t("alert.duration"), duration(seconds), ""));
    const stays = isStay(alert.rule);
    return h(
      "dl",
      { class: "figures" },
      figure(stays ? t("alert.stayed") : t("alert.peak"), peak.text, peak.unit),
      allowed !== null ? figure(t("alert.limit"), allowed.text, allowed.unit) : figure(t("alert.limit"), t("alert.none_allowed"), ""),
      over !== null && over > 0 && figure(t("alert.excess"), `+${number(over * 100)}`, "%"),
      !stays && figure(t("alert.duration"), duration(seconds), ""),
    );
  }

  private details(alert: Alert): HTMLElement {
    const rows: [string, Node | string][] = [];
    const started = Date.parse(alert.started_at);
    const after = (moment: string): string =>
      t("alert.after", { time: clockTime(Date.parse(moment)), s: duration((Date.parse(moment) - started) / 1000) });
    if (alert.limit_source !== null) rows.push([t("alert.limit_source"), word("source", alert.limit_source)]);
    rows.push([t("alert.rulebook"), this.rulebookButton(alert.rulebook)]);
    rows.push([t("alert.judgement"), word("judged", alert.settled_as ?? "provisional")]);
    rows.push([t("alert.started"), dayAndTime(started)]);
    if (alert.ended_at !== null)
      rows.push([t("alert.ended"), `${clockTime(Date.parse(alert.ended_at))} · ${word("ended", alert.ended_as)}`]);
    rows.push([t("alert.raised"), after(alert.raised_at)]);
    rows.push(...measures(alert));
    return h("dl", { class: "details" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  private rulebookButton(version: string): HTMLElement {
    return h("button", { type: "button", class: "link", onclick: () => void showRulebook(version) }, version);
  }

  // ---------------------------------------------------------------- evidence

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
    const limit = isOfSpeed(alert.rule) ? limitOf(alert) : null;
    const band: Band = { fromMs: started, untilMs: ended, limit, severity: alert.severity };
    this.map.showTrack(
      { line: line(track), marked: line(track, started, ended), severity: alert.severity },
      this.isFirstTrack,
    );
    this.isFirstTrack = false;
    if (this.chartPlace.matches(":hover")) return; // do not take the chart away under the pointer
    this.chartPlace.replaceChildren(
      speedChart(track, [band], (i) => this.map.showCursor(i === null ? null : placeAt(track, i))),
    );
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
