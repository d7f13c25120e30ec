// What the marks on the map mean: the vehicles always, the areas when asked for.

import { badge } from "../badge";
import { h } from "../dom";
import { type Key, t } from "../i18n";

const VEHICLES = ["moving", "stopped", "grey", "alerting"] as const;
const SEVERITIES = [1, 2, 3, 4];

export class Legend {
  private readonly areas = h("ul", { class: "legend-list" });
  private readonly more = h("div", { class: "legend-more", id: "legend-more", hidden: true }, this.list(), this.areas);
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
    this.areas.replaceChildren(
      ...kinds.map((kind) => h("li", {}, h("span", { class: `legend-area legend-area-${kind}` }), t(`fence.${kind}` as Key))),
    );
  }

  private list(): HTMLElement {
    const severities = h("li", { class: "legend-severities" }, ...SEVERITIES.map((severity) => badge(severity)), t("map.severity"));
    return h("ul", { class: "legend-list" }, ...vehicles(), severities);
  }

  private toggle(): void {
    this.more.hidden = !this.more.hidden;
    this.button.setAttribute("aria-expanded", String(!this.more.hidden));
  }
}

function vehicles(): HTMLElement[] {
  return VEHICLES.map((kind) => h("li", { class: "legend-vehicle" }, h("span", { class: `legend-mark legend-${kind}` }), t(`map.${kind}`)));
}
