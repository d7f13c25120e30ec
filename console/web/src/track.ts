// What is made of a track: pieces without gaps, the part inside an alert, and what it amounts to.

import { type Track } from "./api";

/** Longer without a fix, and the line is broken: nobody knows where the vehicle was. */
export const GAP_MS = 120_000;
const MOVING_KMH = 5;
const RAD = Math.PI / 180;
const EARTH_M = 6_371_008.8;

/** Positions nearer than this to the one before, about 2 m, add nothing to a line: most of a day is standing. */
const NEAR_DEG = 2e-5;

export type Place = readonly [lat: number, lon: number];

/** Return the positions in [from, until], with null where the line is broken. */
export function* line(track: Track, fromMs = -Infinity, untilMs = Infinity): Generator<Place | null> {
  let last = -Infinity;
  let drawn: Place = [Infinity, Infinity];
  for (let i = 0; i < track.time_ms.length; i++) {
    const at = track.time_ms[i]!;
    const place = placeAt(track, i);
    if (place === null || at < fromMs || at > untilMs) continue;
    const isGap = at - last > GAP_MS;
    last = at;
    if (isGap) yield null;
    else if (Math.abs(place[0] - drawn[0]) < NEAR_DEG && Math.abs(place[1] - drawn[1]) < NEAR_DEG) continue;
    drawn = place;
    yield place;
  }
}

/** Return a track with what came after it. */
export function extended(track: Track, more: Track): Track {
  const columns = ["time_ms", "lat", "lon", "speed_kmh", "limit_kmh", "odometer_km"] as const;
  const joined = { ...track };
  for (const name of columns) (joined[name] as (number | null)[]) = [...track[name], ...more[name]];
  joined.stored = storedOf(track) + storedOf(more);
  joined.thinned = track.thinned || more.thinned;
  return joined;
}

export const storedOf = (track: Track): number => track.stored ?? track.time_ms.length;

export function placeAt(track: Track, i: number): Place | null {
  const lat = track.lat[i];
  const lon = track.lon[i];
  return lat === null || lat === undefined || lon === null || lon === undefined ? null : [lat, lon];
}

/** Return the fixes before and after a time, and how far between them it is; null where nobody knows. */
function around(track: Track, ms: number): [before: number, after: number, share: number] | null {
  const { time_ms } = track;
  const after = time_ms.findIndex((at) => at >= ms);
  if (after < 0) return null;
  if (time_ms[after] === ms) return [after, after, 0];
  if (after === 0 || time_ms[after]! - time_ms[after - 1]! > GAP_MS) return null;
  return [after - 1, after, (ms - time_ms[after - 1]!) / (time_ms[after]! - time_ms[after - 1]!)];
}

const between = (a: number, b: number, share: number): number => a + (b - a) * share;

/** Return where a vehicle was at a time, on the straight line between two fixes. */
export function placeWhen(track: Track, ms: number): Place | null {
  const found = around(track, ms);
  if (found === null) return null;
  const [a, b] = [placeAt(track, found[0]), placeAt(track, found[1])];
  return a === null || b === null ? null : [between(a[0], b[0], found[2]), between(a[1], b[1], found[2])];
}

/** Return how fast a vehicle was at a time, km/h. */
export function speedWhen(track: Track, ms: number): number | null {
  const found = around(track, ms);
  const [a, b] = found === null ? [] : [track.speed_kmh[found[0]], track.speed_kmh[found[1]]];
  return found === null || typeof a !== "number" || typeof b !== "number" ? null : between(a, b, found[2]);
}

export interface Sums {
  metres: number;
  movingS: number;
  topKmh: number | null;
}

/** Return how far, how long and how fast; the way over a gap is not counted. */
export function sums(track: Track): Sums {
  const { time_ms, speed_kmh } = track;
  let [metres, movingS] = [0, 0];
  let topKmh: number | null = null;
  for (let i = 0; i < time_ms.length; i++) {
    const speed = speed_kmh[i] ?? null;
    if (speed !== null && (topKmh === null || speed > topKmh)) topKmh = speed;
    const stepMs = i === 0 ? Infinity : time_ms[i]! - time_ms[i - 1]!;
    if (stepMs > GAP_MS) continue;
    const [a, b] = [placeAt(track, i - 1), placeAt(track, i)];
    const step = a !== null && b !== null ? metresBetween(a, b) : 0;
    const moves = speed !== null ? speed >= MOVING_KMH : (step / stepMs) * 3600 >= MOVING_KMH;
    if (!moves) continue;
    metres += step;
    movingS += stepMs / 1000;
  }
  return { metres, movingS, topKmh };
}

function metresBetween(a: Place, b: Place): number {
  const north = (b[0] - a[0]) * RAD;
  const east = (b[1] - a[1]) * RAD * Math.cos(((a[0] + b[0]) / 2) * RAD);
  return Math.hypot(north, east) * EARTH_M;
}
