// The mark of a severity: colour, shape and number, so that none of them is needed alone.

import { svg } from "./dom";
import { t } from "./i18n";

const SHAPES: Record<number, [tag: string, attributes: Record<string, string>]> = {
  1: ["circle", { cx: "12", cy: "12", r: "9.5" }],
  2: ["rect", { x: "3", y: "3", width: "18", height: "18", rx: "5" }],
  3: ["path", { d: "M12 .8 23.2 12 12 23.2.8 12Z" }],
  4: ["path", { d: "M7.6 1.5h8.8l6.1 6.1v8.8l-6.1 6.1H7.6l-6.1-6.1V7.6Z" }],
};

export function badge(severity: number): SVGElement {
  const [tag, attributes] = SHAPES[severity] ?? SHAPES[1]!;
  const number = svg("text", { x: "12", y: "16.4", "text-anchor": "middle" });
  number.textContent = String(severity);
  const label = t("alert.severity", { n: severity });
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `badge badge-${severity}`, role: "img", "aria-label": label },
    svg(tag, attributes),
    number,
  );
}
