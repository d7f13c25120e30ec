// How each rule reads: what its figures are called and measured in, which limit ruled, how it ends.

import { type Alert } from "./api";
import { dayAndTime, distance, duration, measured, number, speed } from "./format";
import { type Key, t, word } from "./i18n";
import { placeName } from "./places";
import { en } from "./text/en";

type Unit = "km/h" | "g" | "s";

interface Shape {
  unit: Unit;
  /** What the peak is called. */
  peak: Key;
  /** What the limit is called, where a figure of it says something; `excess`: and how far beyond it. */
  limit?: Key;
  excess?: true;
  /** A limit ruled: what the row is called that says which. */
  ruled?: Key;
  /** The peak is a time that goes on while the alert does. */
  counts?: true;
  /** The peak is how long it lasted: no other duration is shown. */
  lasts?: true;
}

/** Rules that are not here have no figure: something is the matter, or is not. A conflict has figures of its own. */
const SHAPES: Record<string, Shape> = {
  speeding: { unit: "km/h", peak: "figure.speed", limit: "figure.speed_limit", excess: true, ruled: "limit.of_speed" },
  right_turn_fast: { unit: "km/h", peak: "figure.turn_speed", limit: "figure.turn_limit", excess: true, ruled: "limit.of_speed" },
  right_turn_lateral: { unit: "g", peak: "figure.lateral", limit: "figure.threshold", excess: true, ruled: "limit.of_rule" },
  right_turn_no_stop: { unit: "km/h", peak: "figure.approach", limit: "figure.threshold" },
  forbidden: { unit: "s", peak: "figure.inside", counts: true, lasts: true },
  left_permitted: { unit: "s", peak: "figure.outside", counts: true, lasts: true },
  dwell: { unit: "s", peak: "figure.stayed", limit: "figure.longest", excess: true, ruled: "limit.of_rule", counts: true, lasts: true },
  site: { unit: "s", peak: "figure.stayed", counts: true, lasts: true },
  fatigue: { unit: "s", peak: "figure.driven", limit: "figure.longest", excess: true, ruled: "limit.of_rule" },
  harsh_braking: { unit: "g", peak: "figure.braking", limit: "figure.threshold", excess: true, ruled: "limit.of_rule" },
  speed_disagrees: { unit: "km/h", peak: "figure.speeds_apart" },
  offline: { unit: "s", peak: "figure.silent", limit: "figure.threshold", counts: true, lasts: true },
  not_watched_live: { unit: "s", peak: "figure.unwatched", limit: "figure.threshold", counts: true, lasts: true },
  clock_drift: { unit: "s", peak: "figure.drift", limit: "figure.threshold" },
};
const NONE: Partial<Shape> = {};
const shapeOf = (alert: Alert): Partial<Shape> => SHAPES[alert.rule] ?? NONE;

/** Rules whose limit is a speed at all times that the alert lasts: a line on the chart. */
const ON_CHART = new Set(["speeding", "right_turn_fast"]);

export const isConflict = (alert: Alert): boolean => alert.rule === "conflict";

/** Every rule that alerts people; the visit of a site is kept and alerts nobody. */
export const RULES = [...Object.keys(SHAPES), "conflict", "camera_fault", "power_cut", "unqualified"].filter((rule) => rule !== "site");

/** Return the limit to draw on a speed chart. */
export const limitOnChart = (alert: Alert): number | null => (ON_CHART.has(alert.rule) ? limitOf(alert) : null);

function limitOf(alert: Alert): number | null {
  return typeof alert.limit === "number" && alert.limit > 0 ? alert.limit : null;
}

/** Return when an alert ended; one that goes on, now. */
const endMs = (alert: Alert, nowMs: number): number => (alert.ended_at === null ? nowMs : Date.parse(alert.ended_at));

export const lastedS = (alert: Alert, nowMs: number): number => (endMs(alert, nowMs) - Date.parse(alert.started_at)) / 1000;

/** Return the peak; of what lasts and goes on, as of `nowMs`: what was told of it grows meanwhile. */
function peakOf(alert: Alert, nowMs: number): number {
  if (alert.ended_at !== null || !shapeOf(alert).counts) return alert.peak;
  const lasted = lastedS(alert, nowMs);
  // A dwell begins when the stay has become too long.
  return Math.max(alert.peak, alert.rule === "dwell" ? lasted + (alert.limit ?? 0) : lasted);
}

function reading(unit: Unit, value: number): [text: string, unit: string] {
  if (unit === "km/h") return [speed(value), unit];
  if (unit === "g") return [number(value, 2), unit];
  return [duration(value), ""];
}

const joined = (parts: string[]): string => parts.filter((part) => part !== "").join(" · ");

// ---------------------------------------------------------------- figures

/** Return in a line what is most wanted, e.g. `School road 3 · 83.4 / 60 km/h`. */
export function figures(alert: Alert, nowMs: number): string {
  return joined([placeOf(alert), figureLine(alert, nowMs)]);
}

/** Return how long it lasted, unless `figures` say that. */
export const duringLine = (alert: Alert, nowMs: number): string =>
  shapeOf(alert).lasts || isConflict(alert) ? "" : duration(lastedS(alert, nowMs));

function placeOf(alert: Alert): string {
  const fence = alert.measures["fence"];
  return typeof fence === "string" ? placeName(fence) : "";
}

function figureLine(alert: Alert, nowMs: number): string {
  if (isConflict(alert)) return joined([target(alert), whenSeen(alert), t("turn.fastest", { speed: `${speed(alert.peak)} km/h` })]);
  if (alert.rule === "right_turn_no_stop") return t("turn.approach", { speed: `${speed(alert.peak)} km/h` });
  const shape = shapeOf(alert);
  if (shape.unit === undefined) return joined(typeof alert.measures["fault"] === "string" ? [measure("fault", alert.measures["fault"])] : []);
  const [peak, unit] = reading(shape.unit, peakOf(alert, nowMs));
  const limit = shape.limit === undefined || shape.limit === "figure.threshold" ? null : limitOf(alert);
  const both = limit === null ? peak : `${peak} / ${reading(shape.unit, limit)[0]}`;
  return `${both} ${unit}`.trim();
}

export type Figure = [label: string, value: string, unit: string];

/** Return the figures of an alert's page; `speedKmh` is the speed at its start, null where it is not known. */
export function pageFigures(alert: Alert, nowMs: number, speedKmh: number | null): Figure[] {
  if (isConflict(alert))
    return [
      [t("figure.seen"), target(alert), ""],
      [t("figure.seen_when"), whenSeen(alert), ""],
      [t("figure.seen_speed"), speedKmh === null ? "–" : speed(speedKmh), "km/h"],
    ];
  const found: Figure[] = [];
  const { unit, peak, limit, excess, lasts } = shapeOf(alert);
  if (unit !== undefined && peak !== undefined) {
    const [most, allowed] = [peakOf(alert, nowMs), limit === undefined ? null : limitOf(alert)];
    found.push([t(peak), ...reading(unit, most)]);
    if (allowed !== null && limit !== undefined) found.push([t(limit), ...reading(unit, allowed)]);
    if (allowed !== null && excess && most > allowed) found.push([t("figure.excess"), `+${number((most / allowed - 1) * 100)}`, "%"]);
  }
  if (!lasts) found.push([t("alert.duration"), duration(lastedS(alert, nowMs)), ""]);
  return found;
}

function target(alert: Alert): string {
  return measure("target", alert.measures["target"] ?? "unknown");
}

/** Return when somebody was seen, as of the entry of the turn. */
function whenSeen(alert: Alert): string {
  const after = alert.measures["after_entry_s"];
  if (typeof after !== "number") return "";
  if (after === 0) return t("turn.begins");
  return after < 0 ? t("turn.before", { s: measured(-after) }) : t("turn.after", { s: measured(after) });
}

/** Return when the turn of an alert was entered, milliseconds since 1970; null: it is of no turn. */
export function turnEnteredMs(alert: Alert): number | null {
  const startedMs = Date.parse(alert.started_at);
  if (alert.rule.startsWith("right_turn_")) return startedMs;
  const after = alert.measures["after_entry_s"];
  return isConflict(alert) && typeof after === "number" ? startedMs - after * 1000 : null;
}

// ---------------------------------------------------------------- words

/** Return how an alert ended. */
export function endedAs(alert: Alert): string {
  const own = `closed.${alert.rule}`;
  return alert.ended_as === "closed" && own in en ? t(own as Key) : word("ended", alert.ended_as);
}

/** Return which limit ruled, with the name of the row; null where none did. `zones` are those that gave it. */
export function limitSource(alert: Alert, zones: string[]): [label: string, text: string] | null {
  const { ruled } = shapeOf(alert);
  if (ruled === undefined || alert.limit_source === null || limitOf(alert) === null) return null;
  return [t(ruled), sourceText(alert, alert.limit_source, zones)];
}

function sourceText(alert: Alert, source: string, zones: string[]): string {
  if (source === "zone" && zones.length > 0) return t("source.zone.named", { zone: zones.join(" · ") });
  // A stay without a limit of the area itself is under the rulebook's; `class` is of speed.
  return word("source", source === "class" && alert.rule === "dwell" ? "rulebook" : source);
}

// ---------------------------------------------------------------- the rule's other figures

/** Figures that stand at the top of the page. */
const ABOVE = new Set(["target", "after_entry_s"]);

/** Return the rule's other figures with their names. */
export function measures(alert: Alert): [name: string, value: string][] {
  return Object.entries(alert.measures)
    .filter(([name, value]) => value !== null && (value !== false || name === "loaded") && !(isConflict(alert) && ABOVE.has(name)))
    .map(([name, value]) => [word("measure", name), measure(name, value)]);
}

/** Return the word of a value of the API in the language of the page, or the value where there is none. */
export const valueWord = (value: string): string => (`value.${value}` in en ? t(`value.${value}` as Key) : value);

function measure(name: string, value: unknown): string {
  if (name === "loaded" && typeof value === "boolean") return t(`load.${value}`);
  if (typeof value === "boolean") return t("measure.yes");
  if (typeof value === "string") return textMeasure(name, value);
  if (typeof value !== "number") return JSON.stringify(value);
  if (name.endsWith("_kmh")) return `${speed(value)} km/h`;
  if (name.endsWith("_m")) return distance(value);
  if (name.endsWith("_s")) return measured(value);
  if (name.endsWith("_deg")) return `${number(value)}°`;
  if (name.endsWith("_g")) return `${number(value, 2)} g`;
  return number(value, Number.isInteger(value) ? 0 : 2);
}

function textMeasure(name: string, value: string): string {
  if (name === "fence") return placeName(value) === value ? value : `${placeName(value)} (${value})`;
  if (name === "fence_valid_from" && !Number.isNaN(Date.parse(value))) return dayAndTime(Date.parse(value));
  return valueWord(value);
}
