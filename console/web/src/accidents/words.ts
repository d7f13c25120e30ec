// What is said on the pages of the ledger, and how.

import { dayAndTime, fullTime, hourAndMinute, longDay } from "../format";
import { speaker } from "../i18n";
import { en } from "../text/accidents.en";
import { zh } from "../text/accidents.zh";
import { type Coded, labelOf, type Most } from "./api";

export const { t: say, word: wordOf } = speaker({ "zh-CN": zh, en });

/** A day without a time is no moment: its time is not known. */
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function when(text: string, withYear = true): string {
  if (DAY.test(text)) return longDay(Date.parse(`${text}T00:00:00+08:00`));
  return withYear ? fullTime(Date.parse(text)) : dayAndTime(Date.parse(text));
}

/** In a list: the day, and the time if it is known. */
export function whenShort(text: string): string {
  if (DAY.test(text)) return text;
  const ms = Date.parse(text);
  return `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)} ${hourAndMinute(ms)}`;
}

/** A number of people: a range where it is not decided, `+` where there may be more. */
export const people = ([low, high]: Most): string => (high === null ? `${low}+` : low === high ? `${low}` : `${low}–${high}`);

/** The word of a code; of one that no table has, that. */
export const coded = (one: Coded): string => (one.known ? labelOf(one) : say("page.no_table", { code: one.code }));
