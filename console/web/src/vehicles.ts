// Where the vehicles are, as columns: a frame a second moves thousands of them without making objects.

import { type Point } from "./datum";
import { type Positions } from "./frames";
import { type Registered } from "./live";

/** Without a fix for this long a vehicle is grey, as it is for the server. */
export const SILENT_MS = 120_000;
export const MOVING_DKMH = 50;
/** A vehicle glides from fix to fix within this time, and jumps over longer gaps and distances. */
const GLIDE_MS = 900;
const GLIDE_GAP_MS = 20_000;
const GLIDE_REACH = 3e-5; // of the world: about a kilometre

export interface Facts {
  code: string;
  plate: string;
  company: string;
  companyName: string;
  kind: string;
  limitKmh: number | null;
}

export const enum Status {
  Unknown = 0,
  Grey = 1,
  Stopped = 2,
  Moving = 3,
}

/** Web Mercator, the world as a square of side 1 with (0, 0) in the north-west. */
export const mercatorX = (lon: number): number => lon / 360 + 0.5;
export function mercatorY(lat: number): number {
  const s = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

export class Vehicles {
  /** Whether the server has said who the vehicles are. */
  isKnown = false;
  count = 0;
  facts: Facts[] = [];
  private place = new Map<number, number>();
  private placeOfCode = new Map<string, number>();
  /** Mercator position of the newest fix, and the one that the glide began at. */
  x = new Float64Array(0);
  y = new Float64Array(0);
  fromX = new Float64Array(0);
  fromY = new Float64Array(0);
  lat = new Float64Array(0);
  lon = new Float64Array(0);
  /** Of the newest fix, milliseconds since 1970; 0: never heard. */
  timeMs = new Float64Array(0);
  /** `performance.now()` when it came. */
  cameMs = new Float64Array(0);
  speedDkmh = new Int16Array(0);
  courseDeg = new Int16Array(0);
  notWatched = new Uint8Array(0);

  private nowMs = Date.now();
  private nowAt = performance.now();
  private rate = 1;

  private readonly listeners = new Set<() => void>();

  constructor(private readonly toMap: (lat: number, lon: number) => Point) {}

  /** Call a listener whenever it is known who the vehicles are. */
  whenRegistered(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Return the installation's time, milliseconds since 1970. */
  now(): number {
    return this.nowMs + (performance.now() - this.nowAt) * this.rate;
  }

  setNow(ms: number): void {
    this.nowMs = ms;
    this.nowAt = performance.now();
  }

  register(registered: Registered): void {
    const { x, y, lat, lon, timeMs, place } = this;
    const old = { x, y, lat, lon, timeMs };
    this.isKnown = true;
    this.count = registered.id.length;
    for (const name of ["x", "y", "fromX", "fromY", "lat", "lon", "timeMs", "cameMs"] as const)
      this[name] = new Float64Array(this.count);
    this.speedDkmh = new Int16Array(this.count).fill(-1);
    this.courseDeg = new Int16Array(this.count).fill(-1);
    this.notWatched = new Uint8Array(this.count);
    this.place = new Map();
    this.placeOfCode = new Map();
    this.facts = registered.id.map((id, i) => {
      const code = registered.code[i] ?? "";
      this.place.set(id, i);
      this.placeOfCode.set(code, i);
      this.keep(i, old, place.get(id));
      return {
        code,
        plate: registered.plate[i] ?? "",
        company: registered.company[i] ?? "",
        companyName: registered.company_name[i] ?? "",
        kind: registered.kind[i] ?? "other",
        limitKmh: registered.limit_kmh[i] ?? null,
      };
    });
    for (const listener of this.listeners) listener();
  }

  private keep(i: number, old: Pick<Vehicles, "x" | "y" | "lat" | "lon" | "timeMs">, was: number | undefined): void {
    if (was === undefined) return;
    for (const name of ["x", "y", "lat", "lon", "timeMs"] as const) this[name][i] = old[name][was] ?? 0;
    this.fromX[i] = this.x[i] ?? 0;
    this.fromY[i] = this.y[i] ?? 0;
  }

  take(positions: Positions): void {
    this.setNow(positions.nowMs);
    this.rate = positions.rate;
    const at = performance.now();
    for (let k = 0; k < positions.count; k++) {
      const i = this.place.get(positions.id[k]!);
      if (i !== undefined) this.move(i, k, positions, at);
    }
  }

  private move(i: number, k: number, positions: Positions, at: number): void {
    this.notWatched[i] = positions.notWatched[k]!;
    const timeMs = positions.baseMs + positions.timeDs[k]! * 100;
    if (timeMs === this.timeMs[i]) return;
    const lat = positions.latUdeg[k]! / 1e6;
    const lon = positions.lonUdeg[k]! / 1e6;
    const [mapLat, mapLon] = this.toMap(lat, lon);
    const x = mercatorX(mapLon);
    const y = mercatorY(mapLat);
    const near = Math.abs(x - this.x[i]!) + Math.abs(y - this.y[i]!) < GLIDE_REACH;
    const glides = near && timeMs - this.timeMs[i]! < GLIDE_GAP_MS;
    const share = glides ? this.share(i, at) : 1;
    this.fromX[i] = glides ? this.fromX[i]! + (this.x[i]! - this.fromX[i]!) * share : x;
    this.fromY[i] = glides ? this.fromY[i]! + (this.y[i]! - this.fromY[i]!) * share : y;
    this.x[i] = x;
    this.y[i] = y;
    this.lat[i] = lat;
    this.lon[i] = lon;
    this.timeMs[i] = timeMs;
    this.cameMs[i] = at;
    this.speedDkmh[i] = positions.speedDkmh[k]!;
    this.courseDeg[i] = positions.courseDeg[k]!;
  }

  /** Return how far along its glide a vehicle is, 0 to 1. */
  share(i: number, at: number): number {
    return Math.min(1, (at - this.cameMs[i]!) / GLIDE_MS);
  }

  status(i: number, now: number): Status {
    const timeMs = this.timeMs[i]!;
    if (timeMs === 0) return Status.Unknown;
    if (this.notWatched[i] !== 0 || now - timeMs > SILENT_MS) return Status.Grey;
    return this.speedDkmh[i]! >= MOVING_DKMH ? Status.Moving : Status.Stopped;
  }

  indexOf(code: string): number | undefined {
    return this.placeOfCode.get(code);
  }

  factsOf(code: string): Facts | undefined {
    const i = this.placeOfCode.get(code);
    return i === undefined ? undefined : this.facts[i];
  }

  /** Return vehicles whose code or plate holds a text, at most so many. */
  search(text: string, most: number): Facts[] {
    const wanted = text.trim().toLowerCase();
    const found: Facts[] = [];
    if (wanted === "") return found;
    for (const facts of this.facts) {
      if (facts.code.toLowerCase().includes(wanted) || facts.plate.toLowerCase().includes(wanted)) found.push(facts);
      if (found.length >= most) break;
    }
    return found;
  }
}
