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

/** Return a text with its places filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** Return the word for a code of the API, e.g. of a rule; a code that nobody has translated yet, as it is. */
export function word(group: string, code: string | null): string {
  if (code === null) return "";
  const key = `${group}.${code}`;
  return key in en ? t(key as Key) : code.replaceAll("_", " ");
}
