// How the figures of each rule read: their unit, and which of them people want.

import { type Alert } from "./api";
import { distance, duration, number, speed } from "./format";
import { type Key, t, word } from "./i18n";
import { en } from "./text/en";

type Unit = "kmh" | "g" | "s";

/** Unit of peak and limit; rules that are not here have a bare number. */
const UNITS: Record<string, Unit> = {
  speeding: "kmh",
  right_turn_fast: "kmh",
  right_turn_no_stop: "kmh",
  right_turn_lateral: "g",
  conflict: "kmh",
  forbidden: "s",
  left_permitted: "s",
  dwell: "s",
  site: "s",
  fatigue: "s",
  offline: "s",
  clock_drift: "s",
  not_watched_live: "s",
};

/** Rules that have no figure: something is the matter, or is not. */
const BARE = new Set(["camera_fault", "power_cut", "unqualified"]);
export const isBare = (rule: string): boolean => BARE.has(rule);

/** Every rule that alerts people; the visit of a site is kept and alerts nobody. */
export const RULES = [...Object.keys(UNITS), ...BARE].filter((rule) => rule !== "site");

/** Rules whose peak is how long it lasted: while it lasts, the row counts that itself. */
const LASTING = new Set(["offline", "not_watched_live"]);

/** Rules whose peak is how long the vehicle was somewhere. */
const STAYS = new Set(["forbidden", "left_permitted", "dwell", "site"]);
export const isStay = (rule: string): boolean => STAYS.has(rule);

export interface Reading {
  text: string;
  unit: string;
}

export function reading(rule: string, value: number): Reading {
  switch (UNITS[rule]) {
    case "kmh":
      return { text: speed(value), unit: "km/h" };
    case "g":
      return { text: number(value, 2), unit: "g" };
    case "s":
      return { text: duration(value), unit: "" };
    default:
      return { text: number(value, Number.isInteger(value) ? 0 : 1), unit: "" };
  }
}

/** Return whether a limit is one of speed, which belongs on a speed chart. */
export const isOfSpeed = (rule: string): boolean => UNITS[rule] === "kmh";

/** Return a limit that allows something; nothing is allowed in a forbidden area. */
export function limitOf(alert: Alert): number | null {
  return typeof alert.limit === "number" && alert.limit > 0 ? alert.limit : null;
}

/** Return peak and limit in a line, e.g. `83.4 / 60 km/h`. */
export function figures(alert: Alert): string {
  const limit = limitOf(alert);
  const fence = alert.measures["fence"];
  const place = typeof fence === "string" ? fence : "";
  if (isBare(alert.rule) || (LASTING.has(alert.rule) && alert.ended_at === null)) return place;
  if (UNITS[alert.rule] === "s" && limit === null) return place;
  const peak = reading(alert.rule, alert.peak);
  const both = limit === null ? peak.text : `${peak.text} / ${reading(alert.rule, limit).text}`;
  return [place, `${both} ${peak.unit}`.trim()].filter((part) => part !== "").join(" · ");
}

/** Return the rule's other figures with their names. */
export function measures(alert: Alert): [name: string, value: string][] {
  return Object.entries(alert.measures)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) => [word("measure", name), measure(name, value)]);
}

function measure(name: string, value: unknown): string {
  if (typeof value === "boolean") return t("measure.yes");
  if (typeof value === "string") return `value.${value}` in en ? t(`value.${value}` as Key) : value;
  if (typeof value !== "number") return JSON.stringify(value);
  if (name.endsWith("_kmh")) return `${speed(value)} km/h`;
  if (name.endsWith("_m")) return distance(value);
  if (name.endsWith("_s")) return duration(value);
  if (name.endsWith("_deg")) return `${number(value)}°`;
  if (name.endsWith("_g")) return `${number(value, 2)} g`;
  return number(value, Number.isInteger(value) ? 0 : 2);
}
