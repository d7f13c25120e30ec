// The mark of a severity: colour, shape and strokes, so that none of them is needed alone; its word stands beside it.
// No numbers: in China grade I is the worst, and ours is 4.

import { h, svg } from "./dom";
import { word } from "./i18n";

const SHAPES: Record<number, [tag: string, attributes: Record<string, string>]> = {
  1: ["circle", { cx: "12", cy: "12", r: "9.5" }],
  2: ["rect", { x: "3", y: "3", width: "18", height: "18", rx: "5" }],
  3: ["path", { d: "M12 .8 23.2 12 12 23.2.8 12Z" }],
  4: ["path", { d: "M7.6 1.5h8.8l6.1 6.1v8.8l-6.1 6.1H7.6l-6.1-6.1V7.6Z" }],
};

/** Strokes of an exclamation mark, bolder where it is graver; the least has a dot alone. */
const STROKES: Record<number, string> = {
  1: "M12 12v.01",
  2: "M12 7v6M12 17v.01",
  3: "M12 6.5v6.5M12 17.2v.01",
  4: "M8.8 6.5v6.5M8.8 17v.01M15.2 6.5v6.5M15.2 17v.01",
};

/** Return the mark; `isNamed`: its word does not stand beside it. */
export function badge(severity: number, isNamed = false): SVGElement {
  const [tag, attributes] = SHAPES[severity] ?? SHAPES[1]!;
  const named = isNamed ? { role: "img", "aria-label": severityWord(severity) } : { "aria-hidden": "true" };
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `badge badge-${severity}`, ...named },
    svg(tag, attributes),
    svg("path", { class: "badge-stroke", d: STROKES[severity] ?? STROKES[1]! }),
  );
}

export const severityWord = (severity: number): string => word("severity", String(severity));

/** Return the word of a severity in its colour. */
export const severityTag = (severity: number): HTMLElement =>
  h("b", { class: `severity-word severity-${severity}` }, severityWord(severity));
