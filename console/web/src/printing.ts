// A page for the file: on paper there is no dark theme and no control, the map and the chart take its width, and it
// says who printed it when. What is measured is measured before the browser lays the paper out.

import { h } from "./dom";
import { fullTime } from "./format";
import { t } from "./i18n";
import { type CityMap } from "./map/map";
import * as theme from "./theme";

/** Return the line that stands below what is printed. */
export function printable(map: CityMap, who: string, now: () => number): HTMLElement {
  const foot = h("footer", { class: "print-foot" });
  addEventListener("beforeprint", () => {
    foot.replaceChildren(
      h("span", {}, t("print.by", { who, time: fullTime(now()) })),
      h("span", {}, location.origin + location.pathname),
    );
    document.documentElement.classList.add("is-printing");
    theme.forPaper(true);
    map.toPaper();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("is-printing");
    theme.forPaper(false);
    map.fromPaper();
  });
  return foot;
}
