// The way between the pages of figures.

import { h } from "../dom";
import { say } from "./words";

export function tabs(open: "places" | "quality"): HTMLElement {
  const tab = (name: "places" | "quality", text: string): HTMLElement => h("a", { href: `/${name}`, "aria-current": name === open ? "page" : null }, text);
  return h("nav", { class: "figure-tabs" }, tab("places", say("tab.places")), tab("quality", say("tab.quality")));
}
