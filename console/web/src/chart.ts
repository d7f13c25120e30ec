// Speed over time, with the limit drawn where it ruled.

import uPlot from "uplot";
import { type Track } from "./api";
import { h } from "./dom";
import { clockTime, speed as speedText } from "./format";
import { t } from "./i18n";
import { colour, whenThemeChanges } from "./theme";
import { GAP_MS } from "./track";

const HEIGHT = 190;
const MINUTES_ONLY_S = 1800;
/** A band this wide has room for its limit in numbers. */
const LABEL_PIXELS = 40;

/** A time in which an alert held: drawn as a band, with its limit as a line. */
export interface Band {
  fromMs: number;
  untilMs: number;
  limit: number | null;
  severity: number;
}

/** Return a chart that resizes with its place; `point` is told which fix the pointer is at. */
export function speedChart(track: Track, bands: Band[], point: (index: number | null) => void): HTMLElement {
  const columns = spread(track);
  const reading = h("output", { class: "chart-reading", "aria-live": "off" });
  const place = h("div", { class: "chart-place" });
  const root = h("figure", { class: "chart" }, h("figcaption", {}, legend(bands, columns), reading), place);
  if (track.speed_kmh.every((value) => value === null)) {
    place.replaceWith(h("p", { class: "hint" }, t("chart.none")));
    return root;
  }
  const plot = new uPlot(options(columns, bands, (index) => {
    const original = index === null ? null : (columns.index[index] ?? null);
    const value = index === null ? null : columns.speed[index];
    reading.textContent =
      index === null || value === null || value === undefined
        ? ""
        : `${clockTime(columns.time[index]! * 1000)}  ${speedText(value)} km/h`;
    point(original);
  }), [columns.time, columns.speed, columns.limit], place);
  const observer = new ResizeObserver(() => {
    if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
    if (!root.isConnected) forget();
  });
  observer.observe(place);
  const forgetTheme = whenThemeChanges(() => (root.isConnected ? plot.redraw(false, true) : forget()));
  function forget(): void {
    observer.disconnect();
    forgetTheme();
    plot.destroy();
  }
  return root;
}

interface Columns {
  /** Seconds since 1970. */
  time: number[];
  speed: (number | null)[];
  limit: (number | null)[];
  /** Which fix of the track each is; -1 in a gap. */
  index: number[];
}

/** Return the columns with a hole in every gap, so that no line spans it. */
function spread(track: Track): Columns {
  const columns: Columns = { time: [], speed: [], limit: [], index: [] };
  track.time_ms.forEach((ms, i) => {
    const before = track.time_ms[i - 1];
    if (before !== undefined && ms - before > GAP_MS) {
      columns.time.push((before + ms) / 2000);
      columns.speed.push(null);
      columns.limit.push(null);
      columns.index.push(-1);
    }
    columns.time.push(ms / 1000);
    columns.speed.push(track.speed_kmh[i] ?? null);
    columns.limit.push(track.limit_kmh[i] ?? null);
    columns.index.push(i);
  });
  return columns;
}

function legend(bands: Band[], columns: Columns): HTMLElement {
  const item = (kind: string, text: string): HTMLElement =>
    h("span", { class: "chart-key" }, h("i", { class: `chart-mark chart-mark-${kind}` }), text);
  return h(
    "span",
    { class: "chart-keys" },
    item("speed", t("chart.speed")),
    bands.some((band) => band.limit !== null) && item("limit", t("chart.limit")),
    columns.limit.some((value) => value !== null) && item("sent", t("chart.sent")),
  );
}

function options(columns: Columns, bands: Band[], point: (index: number | null) => void): uPlot.Options {
  const top = Math.max(30, ...bands.map((band) => (band.limit ?? 0) * 1.15), largest(columns.speed) * 1.08);
  const axis: uPlot.Axis = {
    stroke: () => colour("--ink-2"),
    font: `11px ${colour("--font")}`,
    grid: { stroke: () => colour("--chart-grid"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: 320,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Shanghai"),
    legend: { show: false },
    padding: [10, 12, 0, 0],
    scales: { y: { range: () => [0, top] } },
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 7 } },
    series: [
      {},
      {
        stroke: () => colour("--chart-speed"),
        fill: () => colour("--chart-fill"),
        width: 1.6,
        points: { show: false },
      },
      {
        stroke: () => colour("--chart-sent"),
        width: 1.2,
        dash: [2, 4],
        points: { show: false },
        paths: uPlot.paths.stepped!({ align: 1 }),
      },
    ],
    axes: [
      { ...axis, space: 64, size: 26, values: (u, splits) => splits.map((s) => timeText(u, s)) },
      { ...axis, size: 38, space: 34 },
    ],
    hooks: {
      drawAxes: [(u) => bands.forEach((band) => shade(u, band))],
      draw: [(u) => bands.forEach((band) => drawLimit(u, band))],
      setCursor: [(u) => point(u.cursor.idx ?? null)],
    },
  };
}

function timeText(u: uPlot, seconds: number): string {
  const span = (u.scales["x"]?.max ?? 0) - (u.scales["x"]?.min ?? 0);
  const text = clockTime(seconds * 1000);
  return span > MINUTES_ONLY_S ? text.slice(0, 5) : text;
}

function largest(values: (number | null)[]): number {
  let most = 0;
  for (const value of values) if (value !== null && value > most) most = value;
  return most;
}

function ends(u: uPlot, band: Band): [left: number, right: number] {
  const { left, width } = u.bbox;
  const at = (ms: number): number => Math.min(left + width, Math.max(left, u.valToPos(ms / 1000, "x", true)));
  return [at(band.fromMs), at(band.untilMs)];
}

function shade(u: uPlot, band: Band): void {
  const [left, right] = ends(u, band);
  u.ctx.save();
  u.ctx.globalAlpha = 0.13;
  u.ctx.fillStyle = colour(`--severity-${band.severity}`);
  u.ctx.fillRect(left, u.bbox.top, Math.max(1, right - left), u.bbox.height);
  u.ctx.restore();
}

function drawLimit(u: uPlot, band: Band): void {
  if (band.limit === null) return;
  const [left, right] = ends(u, band);
  const y = u.valToPos(band.limit, "y", true);
  u.ctx.save();
  u.ctx.strokeStyle = u.ctx.fillStyle = colour("--chart-limit");
  u.ctx.lineWidth = 2.5 * devicePixelRatio;
  u.ctx.setLineDash([]);
  u.ctx.beginPath();
  u.ctx.moveTo(left, y);
  u.ctx.lineTo(Math.max(right, left + 2), y);
  u.ctx.stroke();
  if (right - left > LABEL_PIXELS * devicePixelRatio) {
    u.ctx.textAlign = "left";
    u.ctx.textBaseline = "top"; // below the line: the speed is above it
    u.ctx.font = `600 ${11 * devicePixelRatio}px ${colour("--font")}`;
    u.ctx.fillText(speedText(band.limit), left + 5 * devicePixelRatio, y + 5 * devicePixelRatio);
  }
  u.ctx.restore();
}
