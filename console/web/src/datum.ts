// WGS 84 to GCJ-02, the datum of Chinese map tiles: the same formula as fleet/datum.py, point by point.

const SEMI_MAJOR_M = 6_378_245.0; // Krasovsky 1940
const ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943;
const SOUTH = 0.8293;
const NORTH = 55.8271;
const WEST = 72.004;
const EAST = 137.8347;
const RAD = Math.PI / 180;

export type Point = readonly [lat: number, lon: number];

export function wgs84ToGcj02(lat: number, lon: number): Point {
  if (lat < SOUTH || lat > NORTH || lon < WEST || lon > EAST) return [lat, lon];
  const [north, east] = shiftM(lon - 105.0, lat - 35.0);
  const phi = lat * RAD;
  const squared = 1 - ECCENTRICITY_SQUARED * Math.sin(phi) ** 2;
  const meridianM = (SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED)) / (squared * Math.sqrt(squared));
  const parallelM = (SEMI_MAJOR_M / Math.sqrt(squared)) * Math.cos(phi);
  return [lat + north / meridianM / RAD, lon + east / parallelM / RAD];
}

/** Return the WGS 84 of a point of a map in GCJ-02: what comes nearest when it is shifted. */
export function gcj02ToWgs84(lat: number, lon: number): Point {
  let [atLat, atLon] = [lat, lon];
  for (let step = 0; step < 4; step++) {
    const [shiftedLat, shiftedLon] = wgs84ToGcj02(atLat, atLon);
    [atLat, atLon] = [atLat + lat - shiftedLat, atLon + lon - shiftedLon];
  }
  return [atLat, atLon];
}

function shiftM(x: number, y: number): [north: number, east: number] {
  const { PI, abs, sin, sqrt } = Math;
  const root = sqrt(abs(x));
  const common = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root +
    (common + 20 * sin(PI * y) + 40 * sin((PI / 3) * y) + 160 * sin((PI / 12) * y) + 320 * sin((PI / 30) * y)) * (2 / 3);
  const east =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root +
    (common + 20 * sin(PI * x) + 40 * sin((PI / 3) * x) + 150 * sin((PI / 12) * x) + 300 * sin((PI / 30) * x)) * (2 / 3);
  return [north, east];
}
