// What lies under the trucks: a grid where there are no tiles, streets, fences, and the track that is looked at.

import { type Collection } from "../api";
import { type Point } from "../datum";
import { distance } from "../format";
import { t } from "../i18n";
import { colour } from "../theme";
import { mercatorX, mercatorY } from "../vehicles";
import { PlaceMarks } from "./marks";
import { type Bounds, Shapes } from "./shapes";
import { niceBelow, Sheet, type View } from "./view";

/** Limits from which a street is drawn wider, with its width at zoom 14. */
const STREETS = [
  { group: "street", from: 0, width: 2.6 },
  { group: "road", from: 55, width: 4 },
  { group: "highway", from: 75, width: 5.5 },
] as const;

/** How fences look: dashes in pixels, and from which zoom on they are drawn. */
const FENCES: Record<string, { fill: string; line: string; width: number; dash: number[]; zoom: number }> = {
  district: { fill: "", line: "--district", width: 1, dash: [2, 5], zoom: 0 },
  permitted: { fill: "", line: "--permitted", width: 1.2, dash: [7, 5], zoom: 0 },
  speed_zone: { fill: "--speed-zone-fill", line: "--speed-zone", width: 1, dash: [], zoom: 11 },
  forbidden: { fill: "--forbidden-fill", line: "--forbidden", width: 1.2, dash: [], zoom: 10 },
  must_stop: { fill: "--must-stop-fill", line: "--must-stop", width: 1, dash: [], zoom: 13 },
  site: { fill: "--site-fill", line: "--site", width: 1.2, dash: [], zoom: 11 },
};
/** The worst is drawn last. */
const SEVERITIES = [1, 2, 3, 4];
const LABELS_FROM_ZOOM = 13.5;
const GRID_PIXELS = 110;
const EARTH_M = 40_075_016.7;

/** A place on a track where something happened. */
export interface Spot {
  place: readonly [number, number];
  severity: number;
}

/** A part of a track that is in an alert. */
export interface Marked {
  line: Iterable<readonly [number, number] | null>;
  severity: number;
}

/** A track to draw, the parts of it that are in an alert, and the places of those that are a moment. */
export interface Drawn {
  line: Iterable<readonly [number, number] | null>;
  marked: Marked[];
  spots: Spot[];
}

export class Ground {
  private readonly sheet: Sheet;
  private streets: Shapes;
  private fences: Shapes;
  private covered: Bounds | null = null;
  private track: Shapes | null = null;
  private ends: { x: number; y: number }[] = [];
  private spots: { x: number; y: number; severity: number }[] = [];
  readonly places: PlaceMarks;
  private cursor: { x: number; y: number } | null = null;

  constructor(
    container: HTMLElement,
    readonly toMap: (lat: number, lon: number) => Point,
    private readonly hasTiles: boolean,
  ) {
    this.sheet = new Sheet(container, "ground");
    this.places = new PlaceMarks(toMap);
    this.streets = new Shapes(toMap);
    this.fences = new Shapes(toMap);
  }

  setStreets(streets: Collection): void {
    this.streets = new Shapes(this.toMap);
    this.streets.add(streets, (properties) => {
      const limit = Number(properties["limit_kmh"] ?? 0);
      return STREETS.findLast((kind) => limit >= kind.from)?.group ?? "street";
    });
  }

  setFences(fences: Collection): void {
    this.fences = new Shapes(this.toMap);
    this.fences.add(
      fences,
      (properties) => String(properties["kind"]),
      (properties) => (properties["kind"] === "site" ? String(properties["name"] ?? "") : ""),
    );
    const near = new Shapes(this.toMap);
    const features = fences.features.filter(({ properties }) => properties["kind"] !== "district");
    near.add({ features }, () => "");
    this.covered = near.bounds;
  }

  /** Return what the fences cover, without districts, which may reach far beyond the fleet; null: there are none. */
  bounds(): Bounds | null {
    return this.covered;
  }

  streetBounds(): Bounds | null {
    return this.streets.bounds;
  }

  /** Return the kinds of fence that there are, as they are drawn: from below. */
  kinds(): string[] {
    return Object.keys(FENCES).filter((kind) => this.fences.paths.has(kind));
  }

  /** Show a track, or none; return what it covers. */
  setTrack(drawn: Drawn | null): Bounds | null {
    this.track = null;
    this.ends = [];
    this.spots = [];
    this.cursor = null;
    if (drawn === null) return null;
    this.track = new Shapes(this.toMap);
    const line = [...drawn.line];
    this.track.addLine("line", line);
    const points = line.filter((point) => point !== null);
    this.spots = drawn.spots.map(({ place, severity }) => ({ ...this.world(place), severity }));
    const covered = this.track.bounds;
    for (const { line: part, severity } of drawn.marked) this.track.addLine(`marked ${severity}`, [null, ...part]);
    for (const end of [points[0], points[points.length - 1]]) if (end) this.ends.push(this.world(end));
    return covered;
  }

  setCursor(point: readonly [number, number] | null): void {
    this.cursor = point === null ? null : this.world(point);
  }

  private world(point: readonly [number, number]): { x: number; y: number } {
    const [lat, lon] = this.toMap(point[0], point[1]);
    return { x: mercatorX(lon), y: mercatorY(lat) };
  }

  draw(view: View): void {
    const context = this.sheet.clear(view);
    context.lineJoin = "round";
    context.lineCap = "round";
    if (!this.hasTiles) this.drawGrid(context, view);
    this.drawStreets(context, view);
    this.drawFences(context, view);
    this.places.draw(context, view);
    this.drawTrack(context, view);
  }

  private drawGrid(context: CanvasRenderingContext2D, view: View): void {
    const step = niceBelow(view.metresPerPixel * GRID_PIXELS * 1.6);
    const pixels = step / view.metresPerPixel;
    context.strokeStyle = colour("--grid");
    context.lineWidth = 1;
    context.beginPath();
    for (let x = -mod(view.originX, pixels); x < view.width; x += pixels) {
      context.moveTo(Math.round(x) + 0.5, 0);
      context.lineTo(Math.round(x) + 0.5, view.height);
    }
    for (let y = -mod(view.originY, pixels); y < view.height; y += pixels) {
      context.moveTo(0, Math.round(y) + 0.5);
      context.lineTo(view.width, Math.round(y) + 0.5);
    }
    context.stroke();
  }

  private drawStreets(context: CanvasRenderingContext2D, view: View): void {
    const wider = 2 ** ((view.zoom - 14) * 0.75);
    this.streets.draw(context, view, this.sheet.ratio, (pixel) => {
      for (const edge of [true, false]) {
        if (edge && view.zoom < 12) continue;
        context.strokeStyle = colour(edge ? "--street-edge" : "--street");
        for (const { group, width } of STREETS) {
          const path = this.streets.paths.get(group);
          if (path === undefined) continue;
          context.lineWidth = (Math.max(0.8, width * wider) + (edge ? 1.6 : 0)) * pixel;
          context.stroke(path);
        }
      }
    });
  }

  private drawFences(context: CanvasRenderingContext2D, view: View): void {
    this.fences.draw(context, view, this.sheet.ratio, (pixel) => {
      for (const [kind, style] of Object.entries(FENCES)) {
        const path = this.fences.paths.get(kind);
        if (path === undefined || view.zoom < style.zoom) continue;
        if (style.fill !== "") {
          context.fillStyle = colour(style.fill);
          context.fill(path);
        }
        context.strokeStyle = colour(style.line);
        context.lineWidth = style.width * pixel;
        context.setLineDash(style.dash.map((length) => length * pixel));
        context.stroke(path);
      }
      context.setLineDash([]);
    });
    if (view.zoom >= LABELS_FROM_ZOOM) this.drawLabels(context, view);
  }

  private drawLabels(context: CanvasRenderingContext2D, view: View): void {
    context.font = `500 11px ${colour("--font")}`;
    context.textAlign = "center";
    context.fillStyle = colour("--site-ink");
    context.strokeStyle = colour("--ground");
    context.lineWidth = 3;
    const taken: { x: number; y: number; half: number }[] = [];
    for (const label of this.fences.labels) {
      const x = label.x * view.scale - view.originX;
      const y = label.y * view.scale - view.originY + 22;
      if (x < -80 || y < -20 || x > view.width + 80 || y > view.height + 20) continue;
      const half = context.measureText(label.text).width / 2 + 4;
      if (taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 16)) continue;
      taken.push({ x, y, half });
      context.strokeText(label.text, x, y);
      context.fillText(label.text, x, y);
    }
  }

  private drawTrack(context: CanvasRenderingContext2D, view: View): void {
    const track = this.track;
    if (track === null) return;
    track.draw(context, view, this.sheet.ratio, (pixel) => {
      const line = track.paths.get("line");
      if (line !== undefined) this.stroke(context, line, "--track-halo", 7 * pixel);
      if (line !== undefined) this.stroke(context, line, "--track", 3.2 * pixel);
      for (const severity of SEVERITIES) {
        const marked = track.paths.get(`marked ${severity}`);
        if (marked === undefined) continue;
        this.stroke(context, marked, "--track-halo", 10 * pixel);
        this.stroke(context, marked, `--severity-${severity}`, 6 * pixel);
      }
    });
    this.ends.forEach((end, i) => this.dot(context, view, end, i === 0 ? "--surface" : "--track", "--track", 5));
    for (const spot of this.spots) {
      this.dot(context, view, spot, `--severity-${spot.severity}`, "--track-halo", 11);
      this.dot(context, view, spot, "--on-severity", `--severity-${spot.severity}`, 4);
    }
    if (this.cursor !== null) this.dot(context, view, this.cursor, "--ink", "--surface", 6);
  }

  private stroke(context: CanvasRenderingContext2D, path: Path2D, name: string, width: number): void {
    context.strokeStyle = colour(name);
    context.lineWidth = width;
    context.stroke(path);
  }

  private dot(
    context: CanvasRenderingContext2D, view: View, at: { x: number; y: number }, fill: string, line: string, r: number,
  ): void {
    context.beginPath();
    context.arc(at.x * view.scale - view.originX, at.y * view.scale - view.originY, r, 0, 2 * Math.PI);
    context.fillStyle = colour(fill);
    context.fill();
    context.strokeStyle = colour(line);
    context.lineWidth = 2.5;
    context.stroke();
  }
}

/** Return the size of a square of the grid, for people. */
export function gridSize(view: View): string {
  return t("map.grid", { d: distance(niceBelow(view.metresPerPixel * GRID_PIXELS * 1.6), 0) });
}

/** Return metres of ground a pixel at a latitude. */
export const metresPerPixel = (scale: number, lat: number): number =>
  (EARTH_M * Math.cos((lat * Math.PI) / 180)) / scale;

const mod = (a: number, b: number): number => ((a % b) + b) % b;
