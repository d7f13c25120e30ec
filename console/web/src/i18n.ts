// The language of the page: kept in the browser, else the browser's own, else Chinese.

import { en } from "./text/en";
import { zh } from "./text/zh";

export type Key = keyof typeof en;
export type Language = "zh-CN" | "en";

const KEPT = "kerbsafe.language";
const TEXTS: Record<Language, Record<Key, string>> = { "zh-CN": zh, en };

function initial(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === "zh-CN" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("en") ? "en" : "zh-CN";
}

export let language: Language = initial();

export function chooseLanguage(chosen: Language): void {
  language = chosen;
  localStorage.setItem(KEPT, chosen);
}

export type Values = Record<string, string | number>;

/** Speaks in the language of the page. */
export interface Speaker<K extends string> {
  /** Return a text with its places filled in. */
  t(key: K, values?: Values): string;
  /** Return the word for a code of the API, e.g. of a rule; a code that nobody has translated yet, as it is. */
  word(group: string, code: string | null): string;
}

/** Return who speaks with some texts: those of the page, or of a part of it that is loaded when it is opened. */
export function speaker<K extends string>(texts: Record<Language, Record<K, string>>): Speaker<K> {
  const say = (key: K, values: Values = {}): string =>
    texts[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  const word = (group: string, code: string | null): string => {
    if (code === null) return "";
    const key = `${group}.${code}`;
    return key in texts.en ? say(key as K) : code.replaceAll("_", " ");
  };
  return { t: say, word };
}

export const { t, word } = speaker(TEXTS);
