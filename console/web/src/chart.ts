// Speed over time, with the limit drawn where it ruled.

import uPlot from "uplot";
import { type Track } from "./api";
import { h } from "./dom";
import { clockTime, speed as speedText } from "./format";
import { t } from "./i18n";
import { colour, whenThemeChanges } from "./theme";
import { GAP_MS } from "./track";

const HEIGHT = 190;
const PAPER_HEIGHT = 150;
const MINUTES_ONLY_S = 1800;
/** A band this wide has room for its limit in numbers. */
const LABEL_PIXELS = 40;

/** A time in which an alert held: drawn as a band, with its limit as a line. */
export interface Band {
  fromMs: number;
  untilMs: number;
  limit: number | null;
  severity: number;
  /** It is a moment more than a time: its beginning is drawn. */
  isMoment: boolean;
}

/** A chart that resizes with its place and takes new data where it stands: somebody may be pointing at it. */
export class SpeedChart {
  private readonly keys = h("span", { class: "chart-keys" });
  private readonly reading = h("output", { class: "chart-reading", "aria-live": "off" });
  private readonly place = h("div", { class: "chart-place" }, h("p", { class: "hint" }, t("chart.loading")));
  readonly element = h("figure", { class: "chart" }, h("figcaption", {}, this.keys, this.reading), this.place);
  private columns: Columns | null = null;
  private bands: Band[] = [];
  private plot: uPlot | null = null;
  private readonly observer = new ResizeObserver(() => this.fit());
  private readonly forgetTheme = whenThemeChanges(() => this.plot?.redraw(false, true));

  /** `point` is told which fix the pointer is at. */
  constructor(private readonly point: (index: number | null) => void) {
    this.observer.observe(this.place);
    addEventListener("beforeprint", this.toPaper);
  }

  private readonly toPaper = (): void => this.fit(PAPER_HEIGHT);

  close(): void {
    this.observer.disconnect();
    this.forgetTheme();
    removeEventListener("beforeprint", this.toPaper);
    this.plot?.destroy();
  }

  show(track: Track, bands: Band[]): void {
    const before = this.columns;
    const columns = (this.columns = spread(track));
    this.bands = bands;
    this.keys.replaceChildren(...legend(bands, columns));
    if (columns.speed.every((value) => value === null)) {
      this.plot?.destroy();
      this.plot = null;
      this.place.replaceChildren(h("p", { class: "hint chart-none" }, t("chart.none")));
      return;
    }
    const data: uPlot.AlignedData = [columns.time, columns.speed, columns.limit];
    if (this.plot === null) {
      this.place.replaceChildren();
      this.plot = new uPlot(options(() => this.top(), () => this.bands, (index) => this.pointed(index)), data, this.place);
      this.fit();
    } else this.plot.setData(data, before === null || showsAll(this.plot, before));
  }

  /** Take the width of the place. */
  private fit(height = HEIGHT): void {
    const width = this.place.clientWidth;
    if (width > 0) this.plot?.setSize({ width, height });
  }

  private top(): number {
    const limits = this.bands.map((band) => (band.limit ?? 0) * 1.15);
    return Math.max(30, ...limits, largest(this.columns?.speed ?? []) * 1.08);
  }

  private pointed(index: number | null): void {
    const columns = this.columns;
    const value = index === null ? null : columns?.speed[index];
    this.reading.textContent =
      index === null || columns === null || value === null || value === undefined
        ? ""
        : `${clockTime(columns.time[index]! * 1000)}  ${speedText(value)} km/h`;
    this.point(index === null ? null : (columns?.index[index] ?? null));
  }
}

/** Return whether a chart was not zoomed into. */
function showsAll(plot: uPlot, columns: Columns): boolean {
  const { min, max } = plot.scales["x"]!;
  return min === columns.time[0] && max === columns.time.at(-1);
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

function legend(bands: Band[], columns: Columns): HTMLElement[] {
  const item = (kind: string, text: string): HTMLElement =>
    h("span", { class: "chart-key" }, h("i", { class: `chart-mark chart-mark-${kind}` }), text);
  const items = [item("speed", t("chart.speed"))];
  if (bands.some((band) => band.limit !== null)) items.push(item("limit", t("chart.limit")));
  const moment = bands.find((band) => band.isMoment);
  if (moment !== undefined) items.push(item(`moment severity-${moment.severity}`, t("chart.moment")));
  if (columns.limit.some((value) => value !== null)) items.push(item("sent", t("chart.sent")));
  return items;
}

function options(top: () => number, bands: () => Band[], point: (index: number | null) => void): uPlot.Options {
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
    padding: [10, 24, 0, 0],
    scales: { y: { range: () => [0, top()] } },
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
      drawAxes: [(u) => bands().forEach((band) => shade(u, band))],
      draw: [(u) => bands().forEach((band) => (band.isMoment ? drawMoment(u, band) : drawLimit(u, band)))],
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

function drawMoment(u: uPlot, band: Band): void {
  const [at] = ends(u, band);
  u.ctx.save();
  u.ctx.strokeStyle = colour(`--severity-${band.severity}`);
  u.ctx.lineWidth = 2.5 * devicePixelRatio;
  u.ctx.setLineDash([]);
  u.ctx.beginPath();
  u.ctx.moveTo(at, u.bbox.top);
  u.ctx.lineTo(at, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
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
