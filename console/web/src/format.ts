// Numbers and times as people read them. Times are of Asia/Shanghai, whatever the browser's zone.

import { type Key, language, t } from "./i18n";

const ZONE = "Asia/Shanghai";
/** Younger than this is now. */
const JUST_S = 5;
/** Shorter than this, tenths of a second are shown. */
const FINE_S = 60;
/** Times come in milliseconds: what lacks less than one is whole. */
const ALMOST_S = 0.0005;
const SHANGHAI_MS = 8 * 3_600_000; // no daylight saving time since 1991

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${name}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { timeZone: ZONE, ...options });
    formats.set(key, format);
  }
  return format;
}

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

export const clockTime = (ms: number): string => dateFormat("time", TIME).format(ms);

export const hourAndMinute = (ms: number): string =>
  dateFormat("minute", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

export const dayAndTime = (ms: number): string =>
  dateFormat("both", { ...TIME, month: "short", day: "numeric" }).format(ms);

/** With the year: for what is kept. */
export const fullTime = (ms: number): string =>
  dateFormat("full", { ...TIME, year: "numeric", month: "short", day: "numeric" }).format(ms);

export const longDay = (ms: number): string =>
  dateFormat("day", { year: "numeric", month: "short", day: "numeric", weekday: "short" }).format(ms);

/** Return the civil day as `2026-11-22`. */
export const civilDay = (ms: number): string => new Date(ms + SHANGHAI_MS).toISOString().slice(0, 10);

/** Return the first moment of a civil day. */
export const dayStartMs = (day: string): number => Date.parse(`${day}T00:00:00+08:00`);

/**
 * Return a length of time in its largest units. What lasts and what is past is rounded here alone, and down: of
 * something that goes on, its age and its duration are the same.
 */
export function duration(seconds: number, units: 1 | 2 = 2): string {
  const whole = Math.max(0, Math.floor(seconds + ALMOST_S));
  const [minutes, hours, days] = [60, 3600, 86_400].map((one) => Math.floor(whole / one)) as [number, number, number];
  const parts: [Key, number][] =
    days > 0
      ? [["unit.d", days], ["unit.h", hours % 24]]
      : hours > 0
        ? [["unit.h", hours], ["unit.min", minutes % 60]]
        : minutes > 0
          ? [["unit.min", minutes], ["unit.s", whole % 60]]
          : [["unit.s", whole]];
  return parts
    .slice(0, units)
    .filter(([, n], place) => place === 0 || n > 0)
    .map(([unit, n]) => t(unit, { n }))
    .join(" ");
}

/** Return how long ago something was, in one unit. */
export const ago = (seconds: number): string =>
  seconds < JUST_S ? t("common.now") : t("common.ago", { d: duration(seconds, 1) });

/** Return a time that was measured: short ones with a tenth of a second, which matters beside a turn. */
export const measured = (seconds: number): string =>
  seconds < FINE_S && seconds % 1 !== 0 ? t("unit.s", { n: number(seconds, 1) }) : duration(seconds);

export const number = (value: number, digits = 0): string =>
  value.toLocaleString(language === "en" ? "en-GB" : "zh-CN", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

export const speed = (kmh: number): string => number(kmh, kmh % 1 === 0 ? 0 : 1);

/** Return a way in metres, or in kilometres from one on. */
export function distance(metres: number, digits = 1): string {
  if (metres < 1000) return t("unit.m", { n: number(metres) });
  return t("unit.km", { n: number(metres / 1000, metres < 100_000 ? digits : 0) });
}
