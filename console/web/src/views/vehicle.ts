// One vehicle: how it is now, and where it was on a civil day.

import { type Alert, get, type Track, type Vehicle } from "../api";
import { readAll } from "../alerts";
import { badge, severityTag } from "../badge";
import { type Band, SpeedChart } from "../chart";
import { h, icon, setText } from "../dom";
import { ago, civilDay, clockTime, dayStartMs, distance, duration, longDay, number, speed } from "../format";
import { type Health } from "../health";
import { t, word } from "../i18n";
import { type Spot } from "../map/ground";
import { type CityMap } from "../map/map";
import { PeopleCard } from "../people";
import { Question } from "../question";
import { alertPath, go, vehiclePath } from "../router";
import { figures, isConflict, limitOnChart, valueWord } from "../rules";
import { notice, thinning } from "../sentence";
import { extended, line, placeAt, placeWhen, storedOf, sums } from "../track";
import { type Facts, Status, type Vehicles } from "../vehicles";
import { backLink } from "./alert";

const DAY_MS = 86_400_000;
const TODAY_EVERY_MS = 10_000;
const WHOLE_EVERY_MS = 300_000;
const WHY_NOT_EVERY_MS = 10_000;

export class VehiclePage {
  readonly element = h("article", { class: "page" });
  private readonly says = h("div", {});
  private readonly state = h("p", { class: "vehicle-state" });
  private readonly day: string;
  private readonly daySays = h("div", {});
  private readonly chart = new SpeedChart((i) => this.pointAt(i));
  private readonly chartPlace = h("div", { class: "chart-slot" }, this.chart.element);
  private readonly alertsPlace = h("section", { class: "day-alerts" });
  private readonly sumsPlace = h("div", {});
  private bands: Band[] = [];
  private wholeAt = 0;
  private readonly ticker: number;
  private isFirstTrack = true;
  /** Who it is, and of one without fixes now and then why nothing of it is taken: it may be heard all the same. */
  private readonly who = new Question(
    (signal) => get<Vehicle>(`/vehicles/${this.code}`, signal),
    () => this.introduce(),
  );
  private askedMs = -Infinity;
  private readonly people: PeopleCard;
  private readonly track = new Question(
    (signal) => this.readTrack(signal),
    () => this.heard(),
  );
  private readonly alerts = new Question(
    (signal) => readAll(`vehicle=${this.code}&${this.span()}`, signal),
    () => this.heard(),
  );

  constructor(
    private readonly code: string,
    day: string | null,
    private readonly vehicles: Vehicles,
    private readonly health: Health,
    private readonly map: CityMap,
  ) {
    this.day = day ?? this.today();
    this.people = new PeopleCard(code, null);
    this.element.append(backLink(), this.says);
    this.ticker = setInterval(() => this.tell(), 1000);
    map.select(code);
    const facts = vehicles.factsOf(code);
    if (facts !== undefined) this.show(facts);
    else {
      this.who.ask();
      this.introduce();
    }
  }

  close(): void {
    for (const question of [this.who, this.track, this.alerts]) question.close();
    this.people.close();
    clearInterval(this.ticker);
    this.chart.close();
    this.map.showTrack(null, false);
    this.map.select(null);
  }

  private today(): string {
    return civilDay(this.vehicles.now());
  }

  /** Show who it is as soon as that is known, or say why it is not. */
  private introduce(): void {
    const trouble = notice(this.who.reply, t("vehicle.not_found"));
    this.says.replaceChildren(...(trouble === null ? [] : [trouble]));
    const vehicle = this.who.value;
    if (vehicle === null) return;
    if (this.state.isConnected) this.tell();
    else this.show({ ...vehicle, companyName: vehicle.company_name, limitKmh: vehicle.limit_kmh });
  }

  private show(facts: Facts): void {
    this.element.append(
      this.head(facts),
      this.state,
      this.people.element,
      this.dayChooser(),
      this.daySays,
      this.sumsPlace,
      this.chartPlace,
      this.alertsPlace,
    );
    this.tell();
    this.map.reveal(this.code);
    this.track.ask();
    this.alerts.ask();
    this.heard();
  }

  /** Return why nothing that the vehicle sends is taken, as far as that is known. */
  private whyNot(watched: boolean): string | null {
    if (watched) return null;
    const now = performance.now();
    if (now >= this.askedMs + WHY_NOT_EVERY_MS && !this.who.isUnderWay) {
      this.askedMs = now;
      this.who.ask();
    }
    return this.who.value?.rejected ?? null;
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
    if (i === undefined || !this.health.knowsVehicles) {
      const isComing = this.health.state === "connecting";
      this.state.className = "vehicle-state is-unknown";
      setText(this.state, isComing ? t("reply.awaited") : t("vehicle.state.unknown"));
      return;
    }
    const status = this.vehicles.status(i, this.vehicles.now());
    const watched = status === Status.Moving || status === Status.Stopped;
    const silent = this.vehicles.notWatched[i] !== 0 ? "not_watched" : "silent";
    const rejected = this.whyNot(watched);
    const unheard = status === Status.Unknown ? "never_heard" : watched ? "watched" : silent;
    const name = rejected === null ? unheard : "rejected";
    const kmh = this.vehicles.speedDkmh[i]! / 10;
    const parts = [word("vehicle.state", name)];
    if (rejected !== null) parts[0] += ` ${valueWord(rejected)}`;
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

  private span(): string {
    const start = dayStartMs(this.day);
    return `from=${new Date(start).toISOString()}&until=${new Date(start + DAY_MS).toISOString()}`;
  }

  /** Read the day's track; while it grows, only what came since, and now and then all of it: some comes late. */
  private async readTrack(signal: AbortSignal): Promise<Track> {
    const known = this.track.value;
    const last = known?.time_ms.at(-1);
    const path = `/vehicles/${this.code}/track`;
    if (known === null || last === undefined || performance.now() - this.wholeAt > WHOLE_EVERY_MS) {
      const whole = await get<Track>(`${path}?day=${this.day}&thin=true`, signal);
      this.wholeAt = performance.now();
      return whole;
    }
    const until = new Date(dayStartMs(this.day) + DAY_MS).toISOString();
    const since = await get<Track>(`${path}?from=${new Date(last + 1).toISOString()}&until=${until}&thin=true`, signal);
    return extended(known, since);
  }

  /** Show what has come of the day, and say what has not. */
  private heard(): void {
    for (const question of [this.track, this.alerts]) {
      const isWhole = question.reply.is === "ready" && question.reply.trouble === null && !question.isUnderWay;
      if (isWhole && this.day === this.today()) question.askIn(TODAY_EVERY_MS);
    }
    const alerts = (this.alerts.value ?? []).filter((alert) => alert.status !== "withdrawn");
    this.bands = alerts.map((alert) => ({
      fromMs: Date.parse(alert.started_at),
      untilMs: alert.ended_at === null ? this.health.asOfMs() : Date.parse(alert.ended_at),
      limit: limitOnChart(alert),
      severity: alert.severity,
      isMoment: isConflict(alert),
    }));
    this.showDay(this.track.value);
    this.alertsPlace.replaceChildren(h("h2", {}, t("vehicle.alerts")), ...this.alertRows(alerts));
  }

  private showDay(track: Track | null): void {
    const trouble = notice(this.track.reply);
    const isEmpty = track !== null && track.time_ms.length === 0;
    const says = trouble ?? (isEmpty ? h("p", { class: "notice" }, t("vehicle.no_fixes")) : track === null ? null : thinning(track, "track.thinned.sums"));
    this.daySays.replaceChildren(...(says === null ? [] : [says]));
    this.sumsPlace.hidden = this.chartPlace.hidden = track === null || isEmpty;
    if (track === null || isEmpty) return;
    this.sumsPlace.replaceChildren(this.sums(track));
    this.showTrack(track);
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
      figure(t("vehicle.fixes"), number(storedOf(track))),
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
    const track = this.track.value;
    this.map.showCursor(index === null || track === null ? null : placeAt(track, index));
  }

  private alertRows(alerts: Alert[]): Node[] {
    const trouble = notice(this.alerts.reply);
    if (this.alerts.value === null && trouble !== null) return [trouble];
    const says = trouble === null ? [] : [trouble];
    if (alerts.length === 0) return [...says, h("p", { class: "hint" }, t("vehicle.no_alerts"))];
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
            h("span", { class: "row-more" }, severityTag(alert.severity), figureText(alert, this.health.asOfMs())),
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
    return [...says, h("ol", { class: "queue-list" }, ...rows)];
  }
}

function figureText(alert: Alert, nowMs: number): string {
  const text = figures(alert, nowMs);
  return text === "" ? "" : ` · ${text}`;
}
