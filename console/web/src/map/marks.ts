// Turning places on the map: a dot each, an arrow in the direction of entry once there is room for it.

import { type Point } from "../datum";
import { colour } from "../theme";
import { mercatorX, mercatorY } from "../vehicles";
import { type View } from "./view";

export interface PlaceMark {
  code: string;
  lat: number;
  lon: number;
  /** Degrees clockwise from north. */
  courseDeg: number;
  band: "above" | "below" | "undecided" | "too_few";
}

/** What cannot be said is drawn first and hollow, what is worse than the city last. */
const BANDS = [
  { band: "too_few", fill: "--surface", line: "--district" },
  { band: "below", fill: "--good", line: "--surface" },
  { band: "undecided", fill: "--district", line: "--surface" },
  { band: "above", fill: "--severity-3", line: "--surface" },
] as const;
const NEAR_PX = 14;
const ARROWS_FROM_ZOOM = 14;

export class PlaceMarks {
  private marks: (PlaceMark & { x: number; y: number })[] = [];
  private selected: string | null = null;

  constructor(private readonly toMap: (lat: number, lon: number) => Point) {}

  set(marks: readonly PlaceMark[], selected: string | null): void {
    this.selected = selected;
    this.marks = marks.map((mark) => {
      const [lat, lon] = this.toMap(mark.lat, mark.lon);
      return { ...mark, x: mercatorX(lon), y: mercatorY(lat) };
    });
  }

  /** Return the code of the mark near a point of the view. */
  nearest(view: View, x: number, y: number): string | null {
    let [best, bestPx] = [null as string | null, NEAR_PX];
    for (const mark of this.marks) {
      const apart = Math.hypot(mark.x * view.scale - view.originX - x, mark.y * view.scale - view.originY - y);
      if (apart < bestPx) [best, bestPx] = [mark.code, apart];
    }
    return best;
  }

  draw(context: CanvasRenderingContext2D, view: View): void {
    for (const style of BANDS) {
      for (const mark of this.marks) if (mark.band === style.band) this.mark(context, view, mark, style.fill, style.line);
    }
  }

  private mark(context: CanvasRenderingContext2D, view: View, mark: (typeof this.marks)[number], fill: string, line: string): void {
    const isSelected = mark.code === this.selected;
    const size = isSelected ? 9 : 6;
    context.save();
    context.translate(mark.x * view.scale - view.originX, mark.y * view.scale - view.originY);
    context.rotate((mark.courseDeg * Math.PI) / 180);
    context.beginPath();
    if (view.zoom >= ARROWS_FROM_ZOOM) arrow(context, size * 1.4);
    else context.arc(0, 0, size, 0, 2 * Math.PI);
    context.fillStyle = colour(fill);
    context.fill();
    context.strokeStyle = colour(isSelected ? "--ink" : line);
    context.lineWidth = isSelected ? 3 : 1.5;
    context.stroke();
    context.restore();
  }
}

/** Draw an arrowhead that points upwards. */
function arrow(context: CanvasRenderingContext2D, size: number): void {
  context.moveTo(0, -size);
  context.lineTo(size * 0.8, size);
  context.lineTo(0, size * 0.5);
  context.lineTo(-size * 0.8, size);
  context.closePath();
}
