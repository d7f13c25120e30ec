// What the marks on the map mean: the vehicles always, all else when asked for.

import { badge, severityWord } from "../badge";
import { h } from "../dom";
import { type Key, t } from "../i18n";

const VEHICLES = ["moving", "stopped", "grey", "alerting"] as const;
const SEVERITIES = [1, 2, 3, 4];
const TRACK = ["line", "marked", "spot", "ends"] as const;

export class Legend {
  private readonly areas = h("div", {});
  private readonly more = h(
    "div",
    { class: "legend-more", id: "legend-more", hidden: true },
    part("vehicles", vehicles(), "legend-vehicles"),
    part("severities", severities()),
    part("track", track()),
    this.areas,
  );
  private readonly button = h(
    "button",
    { type: "button", class: "legend-button", "aria-expanded": "false", "aria-controls": "legend-more", onclick: () => this.toggle() },
    t("map.legend"),
  );
  readonly element = h(
    "div",
    { class: "legend" },
    this.more,
    h("ul", { class: "legend-row", "aria-label": t("map.legend") }, ...vehicles(), h("li", {}, this.button)),
  );

  /** Say which kinds of area are on the map. */
  show(kinds: string[]): void {
    const items = kinds.map((kind) => h("li", {}, h("span", { class: `legend-area legend-area-${kind}` }), t(`fence.${kind}` as Key)));
    this.areas.replaceChildren(...(items.length > 0 ? [part("areas", items)] : []));
  }

  private toggle(): void {
    this.more.hidden = !this.more.hidden;
    this.button.setAttribute("aria-expanded", String(!this.more.hidden));
  }
}

function part(name: "vehicles" | "severities" | "track" | "areas", items: HTMLElement[], more = ""): HTMLElement {
  return h("section", { class: more }, h("h2", {}, t(`map.${name}`)), h("ul", { class: "legend-list" }, ...items));
}

function vehicles(): HTMLElement[] {
  return VEHICLES.map((kind) => h("li", { class: "legend-vehicle" }, h("span", { class: `legend-mark legend-${kind}` }), t(`map.${kind}`)));
}

const severities = (): HTMLElement[] =>
  [...SEVERITIES].reverse().map((severity) => h("li", {}, badge(severity), severityWord(severity)));

const track = (): HTMLElement[] =>
  TRACK.map((what) => h("li", {}, h("span", { class: `legend-track legend-track-${what}` }), t(`map.track.${what}`)));
