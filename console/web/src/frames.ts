// Positions as the server packs them: console/frames.py says how.

export interface Positions {
  count: number;
  /** The installation's time, milliseconds since 1970, and how fast it passes. */
  nowMs: number;
  rate: number;
  baseMs: number;
  id: Int32Array;
  latUdeg: Int32Array;
  lonUdeg: Int32Array;
  timeDs: Int32Array;
  speedDkmh: Int16Array;
  courseDeg: Int16Array;
  notWatched: Uint8Array;
}

const MARK = 0x3150_534b; // "KSP1", little-endian
const HEADER_BYTES = 32;
const ROW_BYTES = 4 * 4 + 2 * 2 + 1;

/** Return the columns of a frame, without copying them; null if it is something else. */
export function decode(buffer: ArrayBuffer): Positions | null {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  const count = view.getUint32(4, true);
  if (view.getUint32(0, true) !== MARK || buffer.byteLength !== HEADER_BYTES + count * ROW_BYTES) return null;
  let at = HEADER_BYTES;
  const wide = (): Int32Array => {
    at += 4 * count;
    return new Int32Array(buffer, at - 4 * count, count);
  };
  const narrow = (): Int16Array => {
    at += 2 * count;
    return new Int16Array(buffer, at - 2 * count, count);
  };
  return {
    count,
    nowMs: view.getFloat64(8, true),
    rate: view.getFloat64(16, true),
    baseMs: view.getFloat64(24, true),
    id: wide(),
    latUdeg: wide(),
    lonUdeg: wide(),
    timeDs: wide(),
    speedDkmh: narrow(),
    courseDeg: narrow(),
    notWatched: new Uint8Array(buffer, at, count),
  };
}
