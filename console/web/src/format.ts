// Numbers and times as people read them. Times are of Asia/Shanghai, whatever the browser's zone.

import { language, t } from "./i18n";

const ZONE = "Asia/Shanghai";
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

export const longDay = (ms: number): string =>
  dateFormat("day", { year: "numeric", month: "short", day: "numeric", weekday: "short" }).format(ms);

/** Return the civil day as `2026-11-22`. */
export const civilDay = (ms: number): string => new Date(ms + SHANGHAI_MS).toISOString().slice(0, 10);

/** Return the first moment of a civil day. */
export const dayStartMs = (day: string): number => Date.parse(`${day}T00:00:00+08:00`);

/** Return a length of time in its two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("unit.s", { n: whole });
  if (whole < 600) return t("unit.min_s", { min: Math.floor(whole / 60), s: whole % 60 });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("unit.min", { n: minutes });
  return t("unit.h_min", { h: Math.floor(minutes / 60), min: minutes % 60 });
}

/** Return how long ago something was, in one unit. */
export function ago(seconds: number): string {
  if (seconds < 5) return t("common.now");
  if (seconds < 60) return t("common.ago", { d: t("unit.s", { n: Math.floor(seconds) }) });
  if (seconds < 3600) return t("common.ago", { d: t("unit.min", { n: Math.floor(seconds / 60) }) });
  if (seconds < 86_400) return t("common.ago", { d: t("unit.h", { n: Math.floor(seconds / 3600) }) });
  return t("common.ago", { d: t("unit.d", { n: Math.floor(seconds / 86_400) }) });
}

export const number = (value: number, digits = 0): string =>
  value.toLocaleString(language === "en" ? "en-GB" : "zh-CN", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

export const speed = (kmh: number): string => number(kmh, kmh % 1 === 0 ? 0 : 1);

export function distance(metres: number, digits = 1): string {
  return metres < 1000 ? `${number(metres)} m` : `${number(metres / 1000, metres < 100_000 ? digits : 0)} km`;
}
