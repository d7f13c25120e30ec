// GeoJSON as paths that any view can draw with one transformation.

import { type Collection } from "../api";
import { type Point } from "../datum";
import { mercatorX, mercatorY } from "../vehicles";
import { type View } from "./view";

/** Paths are kept in these units around an anchor, so that 32-bit floats hold them to a millimetre. */
const UNITS = 2 ** 20;

export interface Label {
  x: number;
  y: number;
  text: string;
}

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

/** Return what two cover together. */
export function joined(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (a === null || b === null) return a ?? b;
  return {
    west: Math.min(a.west, b.west),
    south: Math.min(a.south, b.south),
    east: Math.max(a.east, b.east),
    north: Math.max(a.north, b.north),
  };
}

export class Shapes {
  readonly paths = new Map<string, Path2D>();
  readonly labels: Label[] = [];
  bounds: Bounds | null = null;
  private anchorX = 0;
  private anchorY = 0;
  private anchored = false;

  constructor(private readonly toMap: (lat: number, lon: number) => Point) {}

  /** Add the features of a collection; `group` names the path that each belongs to, `label` its text. */
  add(
    collection: Collection,
    group: (properties: Record<string, unknown>) => string,
    label: (properties: Record<string, unknown>) => string = () => "",
  ): void {
    for (const { geometry, properties } of collection.features) {
      const rings = ringsOf(geometry);
      const path = this.path(group(properties));
      for (const ring of rings.lines) this.line(path, ring, rings.closed);
      const text = label(properties);
      const first = rings.lines[0];
      if (text !== "" && first !== undefined && first.length > 0) this.labels.push({ ...this.middle(first), text });
    }
  }

  /** Add a line of (lat, lon) points; null ends a piece. */
  addLine(group: string, points: Iterable<readonly [lat: number, lon: number] | null>): void {
    const path = this.path(group);
    let isFirst = true;
    for (const point of points) {
      if (point === null) {
        isFirst = true;
        continue;
      }
      const [x, y] = this.local(point[0], point[1]);
      if (isFirst) path.moveTo(x, y);
      else path.lineTo(x, y);
      isFirst = false;
    }
  }

  /** Run `draw` with the context set so that the paths lie where they belong; a pixel is `pixel` units. */
  draw(context: CanvasRenderingContext2D, view: View, ratio: number, draw: (pixel: number) => void): void {
    const scale = view.scale / UNITS;
    context.save();
    context.setTransform(
      scale * ratio, 0, 0, scale * ratio,
      (this.anchorX * view.scale - view.originX) * ratio,
      (this.anchorY * view.scale - view.originY) * ratio,
    );
    draw(1 / scale);
    context.restore();
  }

  private path(group: string): Path2D {
    let path = this.paths.get(group);
    if (path === undefined) this.paths.set(group, (path = new Path2D()));
    return path;
  }

  private line(path: Path2D, ring: Position[], closed: boolean): void {
    ring.forEach(([lon, lat], i) => {
      const [x, y] = this.local(lat, lon);
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    });
    if (closed) path.closePath();
  }

  private local(lat: number, lon: number): [number, number] {
    const [mapLat, mapLon] = this.toMap(lat, lon);
    const x = mercatorX(mapLon);
    const y = mercatorY(mapLat);
    if (!this.anchored) {
      [this.anchorX, this.anchorY, this.anchored] = [x, y, true];
    }
    this.bounds = joined(this.bounds, { west: mapLon, south: mapLat, east: mapLon, north: mapLat });
    return [(x - this.anchorX) * UNITS, (y - this.anchorY) * UNITS];
  }

  private middle(ring: Position[]): { x: number; y: number } {
    let lat = 0;
    let lon = 0;
    for (const [pointLon, pointLat] of ring) {
      lat += pointLat / ring.length;
      lon += pointLon / ring.length;
    }
    const [mapLat, mapLon] = this.toMap(lat, lon);
    return { x: mercatorX(mapLon), y: mercatorY(mapLat) };
  }
}

type Position = [lon: number, lat: number];

/** Return the lines of a geometry, and whether they are closed. */
function ringsOf(geometry: { type: string; coordinates: unknown }): { lines: Position[][]; closed: boolean } {
  switch (geometry.type) {
    case "LineString":
      return { lines: [geometry.coordinates as Position[]], closed: false };
    case "MultiLineString":
      return { lines: geometry.coordinates as Position[][], closed: false };
    case "Polygon":
      return { lines: geometry.coordinates as Position[][], closed: true };
    case "MultiPolygon":
      return { lines: (geometry.coordinates as Position[][][]).flat(), closed: true };
    default:
      return { lines: [], closed: false };
  }
}
