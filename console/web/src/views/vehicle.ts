// One vehicle: how it is now, and where it was on a civil day.

import { type AlertPage as Alerts, type Alert, get, type Track, type Vehicle } from "../api";
import { badge, severityTag } from "../badge";
import { type Band, SpeedChart } from "../chart";
import { h, icon, setText } from "../dom";
import { ago, civilDay, clockTime, dayStartMs, distance, duration, longDay, number, speed } from "../format";
import { t, word } from "../i18n";
import { type Spot } from "../map/ground";
import { type CityMap } from "../map/map";
import { peopleCard } from "../people";
import { alertPath, go, vehiclePath } from "../router";
import { figures, isConflict, limitOnChart, valueWord } from "../rules";
import { extended, line, placeAt, placeWhen, sums } from "../track";
import { type Facts, Status, type Vehicles } from "../vehicles";
import { backLink } from "./alert";

const DAY_MS = 86_400_000;
const TODAY_EVERY_MS = 10_000;
const WHOLE_EVERY_MS = 300_000;
const WHY_NOT_EVERY_MS = 10_000;

export class VehiclePage {
  readonly element = h("article", { class: "page" });
  private readonly abort = new AbortController();
  private readonly state = h("p", { class: "vehicle-state" });
  private readonly day: string;
  private readonly dayBody = h("div", {}, h("p", { class: "hint" }, t("chart.loading")));
  private readonly chart = new SpeedChart((i) => this.pointAt(i));
  private readonly chartPlace = h("div", { class: "chart-slot" }, this.chart.element);
  private readonly alertsPlace = h("section", { class: "day-alerts" });
  private readonly sumsPlace = h("div", {});
  private bands: Band[] = [];
  private track: Track | null = null;
  private wholeAt = 0;
  private timer = 0;
  private readonly ticker: number;
  private isFirstTrack = true;
  /** Why nothing that the vehicle sends is taken, and when that was asked. */
  private rejected: string | null = null;
  private askedMs = -Infinity;

  constructor(
    private readonly code: string,
    day: string | null,
    private readonly vehicles: Vehicles,
    private readonly map: CityMap,
  ) {
    this.day = day ?? this.today();
    this.element.append(backLink());
    this.ticker = setInterval(() => this.tell(), 1000);
    map.select(code);
    void this.load();
  }

  close(): void {
    this.abort.abort();
    clearTimeout(this.timer);
    clearInterval(this.ticker);
    this.chart.close();
    this.map.showTrack(null, false);
    this.map.select(null);
  }

  private today(): string {
    return civilDay(this.vehicles.now());
  }

  private async load(): Promise<void> {
    const facts = this.vehicles.factsOf(this.code) ?? (await this.ask());
    if (this.abort.signal.aborted) return;
    if (facts === null) {
      this.element.append(h("p", { class: "notice" }, t("vehicle.not_found")));
      return;
    }
    const people = peopleCard(this.code, null, this.abort.signal);
    this.element.append(this.head(facts), this.state, people, this.dayChooser(), this.dayBody);
    this.tell();
    this.map.reveal(this.code);
    await this.loadDay();
  }

  /** Ask now and then why nothing is taken of a vehicle without fixes: it may be heard all the same. */
  private askWhyNot(watched: boolean): void {
    if (watched) this.rejected = null;
    const now = performance.now();
    if (watched || now < this.askedMs + WHY_NOT_EVERY_MS) return;
    this.askedMs = now;
    void this.ask().then((facts) => facts !== null && !this.abort.signal.aborted && this.tell());
  }

  private async ask(): Promise<Facts | null> {
    const vehicle = await get<Vehicle>(`/vehicles/${this.code}`, this.abort.signal).catch(() => null);
    if (vehicle === null) return null;
    this.rejected = vehicle.rejected;
    return { ...vehicle, companyName: vehicle.company_name, limitKmh: vehicle.limit_kmh };
  }

  private head(facts: Facts): HTMLElement {
    const limit = facts.limitKmh === null ? "" : `${t("vehicle.limit")} ${facts.limitKmh}\u00a0km/h`;
    return h(
      "header",
      { class: "page-head" },
      h(
        "div",
        {},
        h("h1", { tabindex: "-1" }, facts.code),
        h(
          "p",
          { class: "page-sub" },
          [facts.plate, word("kind", facts.kind), facts.companyName || facts.company, limit].filter(Boolean).join(" · "),
        ),
      ),
    );
  }

  /** Say how the vehicle is at this moment. */
  private tell(): void {
    const i = this.vehicles.indexOf(this.code);
    if (i === undefined) return;
    const status = this.vehicles.status(i, this.vehicles.now());
    const watched = status === Status.Moving || status === Status.Stopped;
    const silent = this.vehicles.notWatched[i] !== 0 ? "not_watched" : "silent";
    this.askWhyNot(watched);
    const unheard = status === Status.Unknown ? "never_heard" : watched ? "watched" : silent;
    const name = this.rejected === null ? unheard : "rejected";
    const kmh = this.vehicles.speedDkmh[i]! / 10;
    const parts = [word("vehicle.state", name)];
    if (this.rejected !== null) parts[0] += ` ${valueWord(this.rejected)}`;
    if (watched && kmh >= 0) parts.push(`${speed(kmh)} km/h`);
    const seen = this.vehicles.timeMs[i]!;
    if (seen > 0) parts.push(t("vehicle.seen", { ago: ago((this.vehicles.now() - seen) / 1000) }));
    this.state.className = `vehicle-state is-${name}`;
    setText(this.state, parts.join(" · "));
  }

  private dayChooser(): HTMLElement {
    const start = dayStartMs(this.day);
    const input = h("input", {
      type: "date",
      class: "select",
      value: this.day,
      max: this.today(),
      "aria-label": t("vehicle.day"),
      onchange: () => input.value !== "" && go(vehiclePath(this.code, input.value)),
    });
    const step = (label: string, path: string, day: string, off = false): HTMLElement =>
      h("a", { class: `icon-button${off ? " is-off" : ""}`, "aria-label": label, title: label, href: vehiclePath(this.code, day), ...(off ? { "aria-disabled": "true", tabindex: "-1" } : {}) }, icon(path));
    const isToday = this.day >= this.today();
    return h(
      "div",
      { class: "day-chooser" },
      step(t("vehicle.day.before"), "M15 5l-7 7 7 7", civilDay(start - DAY_MS)),
      input,
      step(t("vehicle.day.after"), "M9 5l7 7-7 7", civilDay(start + DAY_MS), isToday),
      h("span", { class: "day-name" }, isToday ? t("vehicle.today") : longDay(start)),
    );
  }

  // ---------------------------------------------------------------- the day

  private async loadDay(): Promise<void> {
    const start = dayStartMs(this.day);
    const span = `from=${new Date(start).toISOString()}&until=${new Date(start + DAY_MS).toISOString()}`;
    const [track, alerts] = await Promise.all([
      this.loadTrack(start + DAY_MS).catch(() => null),
      get<Alerts>(`/alerts?vehicle=${this.code}&${span}&limit=100`, this.abort.signal).catch(() => null),
    ]);
    if (this.abort.signal.aborted) return;
    if (track !== null) this.showDay(track, (alerts?.items ?? []).filter((alert) => alert.status !== "withdrawn"));
    if (this.day === this.today()) this.timer = setTimeout(() => void this.loadDay(), TODAY_EVERY_MS);
  }

  /** Read the day's track; while it grows, only what came since, and now and then all of it: some comes late. */
  private async loadTrack(endMs: number): Promise<Track> {
    const known = this.track;
    const last = known?.time_ms.at(-1);
    const path = `/vehicles/${this.code}/track`;
    if (known === null || last === undefined || performance.now() - this.wholeAt > WHOLE_EVERY_MS) {
      this.wholeAt = performance.now();
      this.track = await get<Track>(`${path}?day=${this.day}`, this.abort.signal);
    } else {
      const span = `from=${new Date(last + 1).toISOString()}&until=${new Date(endMs).toISOString()}`;
      this.track = extended(known, await get<Track>(`${path}?${span}`, this.abort.signal));
    }
    return this.track;
  }

  private showDay(track: Track, alerts: Alert[]): void {
    if (track.time_ms.length === 0) {
      this.dayBody.replaceChildren(h("p", { class: "notice" }, t("vehicle.no_fixes")));
      return;
    }
    if (this.isFirstTrack) this.dayBody.replaceChildren(this.sumsPlace, this.chartPlace, this.alertsPlace);
    this.bands = alerts.map((alert) => ({
      fromMs: Date.parse(alert.started_at),
      untilMs: alert.ended_at === null ? this.vehicles.now() : Date.parse(alert.ended_at),
      limit: limitOnChart(alert),
      severity: alert.severity,
      isMoment: isConflict(alert),
    }));
    this.sumsPlace.replaceChildren(this.sums(track));
    this.showTrack(track);
    this.alertsPlace.replaceChildren(...this.alertRows(alerts));
  }

  private sums(track: Track): HTMLElement {
    const { metres, movingS, topKmh } = sums(track);
    const figure = (label: string, value: string): HTMLElement =>
      h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value));
    return h(
      "dl",
      { class: "figures" },
      figure(t("vehicle.driven"), distance(metres)),
      figure(t("vehicle.moving"), duration(movingS)),
      figure(t("vehicle.top"), topKmh === null ? "–" : `${speed(topKmh)} km/h`),
      figure(t("vehicle.fixes"), number(track.time_ms.length)),
    );
  }

  private showTrack(track: Track): void {
    const marked = this.bands.map((band) => ({ line: line(track, band.fromMs, band.untilMs), severity: band.severity }));
    const spots = this.bands
      .filter((band) => band.isMoment)
      .map(({ fromMs, severity }) => ({ place: placeWhen(track, fromMs), severity }))
      .filter((spot): spot is Spot => spot.place !== null);
    this.map.showTrack({ line: line(track), marked, spots }, this.isFirstTrack);
    this.isFirstTrack = false;
    this.chart.show(track, this.bands);
  }

  private pointAt(index: number | null): void {
    this.map.showCursor(index === null || this.track === null ? null : placeAt(this.track, index));
  }

  private alertRows(alerts: Alert[]): Node[] {
    const title = h("h2", {}, t("vehicle.alerts"));
    if (alerts.length === 0) return [title, h("p", { class: "hint" }, t("vehicle.no_alerts"))];
    const rows = alerts.map((alert) =>
      h(
        "li",
        { class: "row" },
        h(
          "a",
          { href: alertPath(alert.alert_id) },
          badge(alert.severity),
          h(
            "span",
            { class: "row-main" },
            h("strong", { class: "row-title" }, word("rule", alert.rule)),
            h("span", { class: "row-more" }, severityTag(alert.severity), figureText(alert, this.vehicles.now())),
          ),
          h(
            "span",
            { class: "row-side" },
            h("time", { class: "row-when" }, clockTime(Date.parse(alert.started_at))),
            h("span", { class: "row-company" }, t(`judged.${alert.settled_as ?? "provisional"}.short`)),
          ),
        ),
      ),
    );
    return [title, h("ol", { class: "queue-list" }, ...rows)];
  }
}

function figureText(alert: Alert, nowMs: number): string {
  const text = figures(alert, nowMs);
  return text === "" ? "" : ` · ${text}`;
}
