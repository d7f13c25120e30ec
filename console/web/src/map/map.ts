// The map: Leaflet moves it and loads tiles, two canvases over it show what Kerbsafe knows.

import * as L from "leaflet";
import { type About, type Collection, get } from "../api";
import { type Alerts } from "../alerts";
import { gcj02ToWgs84, type Point, wgs84ToGcj02 } from "../datum";
import { h, icon, setText } from "../dom";
import { distance, hourAndMinute } from "../format";
import { type Health } from "../health";
import { t } from "../i18n";
import { learnPlaces } from "../places";
import { Question, type Reply } from "../question";
import { whenThemeChanges } from "../theme";
import { type Vehicles } from "../vehicles";
import { type Drawn, gridSize, Ground, metresPerPixel } from "./ground";
import { Legend } from "./legend";
import { type PlaceMark } from "./marks";
import { type Bounds, joined } from "./shapes";
import { type Tally, Trucks } from "./trucks";
import { type View } from "./view";

/** Where the map looks until it knows better: the lower Yangtze plain. */
const START: Point = [30.75, 120.76];
const START_ZOOM = 11;
const FENCES_EVERY_MS = 60_000;

/** Return the function that takes WGS 84 to the datum of the base map. */
export function datumOf(about: About): (lat: number, lon: number) => Point {
  return about.tiles?.datum === "gcj02" ? wgs84ToGcj02 : (lat, lon) => [lat, lon];
}

export class CityMap {
  private readonly map: L.Map;
  private readonly ground: Ground;
  private readonly isGcj02: boolean;
  private readonly trucks: Trucks;
  private frame = 0;
  private timer = 0;
  private groundIsStale = true;
  private fitted = false;
  private groundCame = false;
  /** What the track covers. */
  private covered: Bounds | null = null;
  /** Where the map looked before it was printed. */
  private before: { center: L.LatLng; zoom: number } | null = null;
  private placePicked: ((code: string) => void) | null = null;
  private placeTaken: ((lat: number, lon: number) => void) | null = null;
  /** Over all that moves, while nobody knows where it is now. */
  private readonly veil = h("div", { class: "map-veil", hidden: true }, h("p", {}));
  private readonly note = h("p", { class: "map-note", role: "status", hidden: true });
  private readonly streets = new Question(
    (signal) => get<Collection>("/streets", signal),
    (reply) => this.groundHeard(reply, (streets) => this.ground.setStreets(streets)),
  );
  /** Fences change rarely; while the server cannot be reached, those that are known stay. */
  private readonly fences = new Question(
    (signal) => get<Collection>("/fences", signal),
    (reply) => this.groundHeard(reply, (fences) => this.showFences(fences)),
  );
  private readonly grid: HTMLElement;
  private readonly legend = new Legend();

  constructor(
    private readonly container: HTMLElement,
    about: About,
    private readonly vehicles: Vehicles,
    alerts: Alerts,
    private readonly health: Health,
    private readonly pick: (code: string) => void,
  ) {
    this.map = L.map(container, {
      zoomControl: false,
      attributionControl: about.tiles !== null,
      zoomAnimation: false,
      fadeAnimation: false,
      zoomSnap: 0.25,
      zoomDelta: 0.5,
      wheelPxPerZoomLevel: 120,
      minZoom: 4,
      maxZoom: 19,
      center: [START[0], START[1]],
      zoom: START_ZOOM,
    });
    this.map.attributionControl?.setPrefix(false);
    if (about.tiles !== null) {
      const { url, attribution } = about.tiles;
      // The attribution is a setting: shown as text, never as markup.
      const text = h("span", {}, attribution).innerHTML;
      L.tileLayer(url, { attribution: text, maxZoom: 19, className: "tiles" }).addTo(this.map);
    }
    const toMap = datumOf(about);
    this.isGcj02 = about.tiles?.datum === "gcj02";
    this.ground = new Ground(container, toMap, about.tiles !== null);
    this.trucks = new Trucks(container, vehicles, alerts);
    this.grid = h("div", { class: "grid-size" });
    this.addControls(about.tiles === null);
    this.map.on("move zoom resize viewreset", () => this.moved());
    this.listenToPointer();
    new ResizeObserver(() => this.before === null && this.map.invalidateSize({ animate: false })).observe(container);
    whenThemeChanges(() => {
      this.trucks.repaint();
      this.moved();
    });
    alerts.whenChanged(() => this.invalidate());
    alerts.whenRead(() => this.invalidate());
    health.whenChanged(() => this.showHealth());
    this.showHealth();
    this.streets.ask();
    this.fences.ask();
    // Without news the clock alone makes vehicles grey.
    setInterval(() => !health.knowsVehicles && this.invalidate(), 1000);
  }

  /** Say over the map what the bar says: where vehicles are, or which have an alert, is not known. */
  private showHealth(): void {
    const { state, sinceMs } = this.health;
    this.veil.hidden = state === "live";
    const text = state === "live" || state === "connecting" ? t("reply.awaited") : t(`map.${state}`, { time: hourAndMinute(sinceMs) });
    setText(this.veil.firstElementChild ?? this.veil, text);
    this.invalidate();
  }

  // ---------------------------------------------------------------- what is shown

  /** Positions have come. */
  update(): void {
    if (this.groundCame && !this.fitted && this.vehicles.timeMs.some((ms) => ms > 0)) this.showAll();
    this.invalidate();
  }

  tally(): Tally {
    return this.trucks.tally();
  }

  select(code: string | null): void {
    this.trucks.selected = code;
    this.invalidate();
  }

  /** Show a track and look at it; null: none. */
  showTrack(drawn: Drawn | null, lookAtIt: boolean): void {
    this.covered = this.ground.setTrack(drawn);
    if (this.covered !== null && lookAtIt) this.lookAt(this.covered);
    this.moved();
  }

  /** Lay the map out anew at once, as large as it now is, and look at the track; nothing moves until `fromPaper`. */
  toPaper(): void {
    this.before = { center: this.map.getCenter(), zoom: this.map.getZoom() };
    this.map.invalidateSize({ animate: false });
    if (this.covered !== null) this.lookAt(this.covered);
    this.groundIsStale = true;
    this.draw();
  }

  fromPaper(): void {
    const before = this.before;
    this.before = null;
    this.map.invalidateSize({ animate: false });
    if (before !== null) this.map.setView(before.center, before.zoom, { animate: false });
    this.moved();
  }

  /** Mark a place on the track. */
  showCursor(point: readonly [number, number] | null): void {
    this.ground.setCursor(point);
    this.moved();
  }

  /** Show turning places; a click on one names it. null: none. */
  showPlaces(marks: readonly PlaceMark[] | null, picked: ((code: string) => void) | null, selected: string | null): void {
    this.placePicked = picked;
    this.ground.places.set(marks ?? [], selected);
    this.moved();
  }

  /** Look at a place of the ground, WGS 84. */
  lookAtPlace(lat: number, lon: number): void {
    const [y, x] = this.ground.toMap(lat, lon);
    this.map.setView([y, x], Math.max(this.map.getZoom(), 16), { animate: false });
  }

  /** Ask for a place: the next clicks are one each, WGS 84; null: a click is on a vehicle again. */
  askPlace(taken: ((lat: number, lon: number) => void) | null): void {
    this.placeTaken = taken;
    this.container.classList.toggle("is-asked", taken !== null);
  }

  /** Bring a vehicle into view if it is not there. */
  reveal(code: string): void {
    const i = this.vehicles.indexOf(code);
    if (i === undefined || this.vehicles.timeMs[i] === 0) return;
    const view = this.view();
    const at = L.point(
      this.vehicles.x[i]! * view.scale - view.originX,
      this.vehicles.y[i]! * view.scale - view.originY,
    );
    const inner = L.bounds(L.point(40, 40), this.map.getSize().subtract([40, 40]));
    if (!inner.contains(at)) this.map.panTo(this.map.containerPointToLatLng(at), { animate: false });
    if (this.map.getZoom() < 13) this.map.setView(this.map.containerPointToLatLng(at), 13.5, { animate: false });
  }

  /** Look at the fences and the vehicles; where there are none, at the streets. */
  showAll(): void {
    const bounds = joined(this.ground.bounds(), this.vehicleBounds()) ?? this.ground.streetBounds();
    if (bounds === null) return;
    this.fitted = true;
    this.lookAt(bounds);
  }

  private lookAt(bounds: Bounds): void {
    const box = L.latLngBounds([bounds.south, bounds.west], [bounds.north, bounds.east]);
    // More room where the buttons and the legend are.
    const [paddingTopLeft, paddingBottomRight]: L.PointTuple[] = [[36, 36], [64, 48]];
    this.map.fitBounds(box, { paddingTopLeft, paddingBottomRight, maxZoom: 16.5, animate: false });
  }

  /** Return where the vehicles are, without the few that are far from all others. */
  private vehicleBounds(): Bounds | null {
    const { lat, lon, timeMs, count } = this.vehicles;
    const heard = [...Array(count).keys()].filter((i) => timeMs[i] !== 0);
    if (heard.length === 0) return null;
    const [south, north] = middle(heard.map((i) => lat[i]!));
    const [west, east] = middle(heard.map((i) => lon[i]!));
    return { west, south, east, north };
  }

  private groundHeard(reply: Reply<Collection>, show: (collection: Collection) => void): void {
    if (reply.is === "ready" && reply.trouble === null) show(reply.value);
    this.groundCame = this.streets.reply.is !== "awaited" && this.fences.reply.is !== "awaited";
    const missing = [this.fences.reply, this.streets.reply].find((one) => one.is === "failed");
    this.note.hidden = missing === undefined;
    if (missing?.is === "failed") setText(this.note, t("map.no_ground", { time: hourAndMinute(missing.trouble.sinceMs) }));
    if (this.groundCame && !this.fitted) this.showAll();
    this.moved();
  }

  private showFences(fences: Collection): void {
    learnPlaces(fences);
    this.ground.setFences(fences);
    this.legend.show(this.ground.kinds());
    this.fences.askIn(FENCES_EVERY_MS);
  }

  // ---------------------------------------------------------------- drawing

  private view(): View {
    const size = this.map.getSize();
    const zoom = this.map.getZoom();
    const scale = 256 * 2 ** zoom;
    const origin = this.map.getPixelBounds().min ?? L.point(0, 0);
    return {
      scale,
      zoom,
      originX: origin.x,
      originY: origin.y,
      width: size.x,
      height: size.y,
      metresPerPixel: metresPerPixel(scale, this.map.getCenter().lat),
    };
  }

  private moved(): void {
    this.groundIsStale = true;
    this.invalidate();
  }

  private invalidate(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.frame === 0 && this.before === null) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const view = this.view();
    if (this.groundIsStale) {
      this.groundIsStale = false;
      this.ground.draw(view);
      if (this.grid.isConnected) this.grid.textContent = gridSize(view);
    }
    this.trucks.draw(view);
    const next = this.trucks.nextFrameMs();
    if (next !== null) this.timer = setTimeout(() => this.invalidate(), next);
  }

  // ---------------------------------------------------------------- hands

  private addControls(withGrid: boolean): void {
    new Scale({ imperial: false, maxWidth: 120 }).addTo(this.map);
    const button = (label: string, path: string, act: () => void): HTMLElement =>
      h("button", { type: "button", class: "map-button", "aria-label": label, title: label, onclick: act }, icon(path));
    const box = h(
      "div",
      { class: "map-buttons" },
      button(t("map.zoom_in"), "M12 5v14M5 12h14", () => this.map.zoomIn(1)),
      button(t("map.zoom_out"), "M5 12h14", () => this.map.zoomOut(1)),
      button(t("map.fit"), "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5", () => this.showAll()),
    );
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableClickPropagation(this.legend.element);
    this.container.append(this.veil, this.note, box, this.legend.element);
    if (withGrid) this.container.append(this.grid);
  }

  private listenToPointer(): void {
    const meant = (event: L.LeafletMouseEvent): number | null =>
      this.trucks.nearest(this.view(), event.containerPoint.x, event.containerPoint.y);
    this.map.on("click", (event) => {
      if (this.placeTaken !== null) {
        const { lat, lng } = event.latlng;
        this.placeTaken(...(this.isGcj02 ? gcj02ToWgs84(lat, lng) : ([lat, lng] as const)));
        return;
      }
      const place = this.placePicked && this.ground.places.nearest(this.view(), event.containerPoint.x, event.containerPoint.y);
      if (place) {
        this.placePicked?.(place);
        return;
      }
      const i = meant(event);
      const code = i === null ? undefined : this.vehicles.facts[i]?.code;
      if (code !== undefined) this.pick(code);
    });
    this.map.on("mousemove", (event) => {
      const i = meant(event);
      if (i === this.trucks.hovered) return;
      this.trucks.hovered = i;
      this.container.classList.toggle("is-over-truck", i !== null);
      this.invalidate();
    });
  }
}

/** Leaflet's scale, in words of the page's language. */
class Scale extends L.Control.Scale {
  declare private _mScale: HTMLElement;
  declare private _updateScale: (scale: HTMLElement, text: string, share: number) => void;
  declare private _getRoundNum: (metres: number) => number;

  // Called by Leaflet.
  protected _updateMetric(mostM: number): void {
    const metres = this._getRoundNum(mostM);
    this._updateScale(this._mScale, distance(metres, 0), metres / mostM);
  }
}

/** Return between what nearly all values lie: of a hundred, one may lie outside at each end. */
function middle(values: number[]): [low: number, high: number] {
  values.sort((a, b) => a - b);
  const out = Math.floor(values.length / 100);
  return [values[out]!, values[values.length - 1 - out]!];
}
