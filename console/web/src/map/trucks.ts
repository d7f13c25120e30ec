// The vehicles on the map: one canvas, drawn again when something came or the view moved, and in between only as
// often as somebody can see a difference and the machine has time for.

import { type Alerts } from "../alerts";
import { colour } from "../theme";
import { Status, type Vehicles } from "../vehicles";
import { Crowd, CROWD } from "./crowd";
import { ROW, Sprites } from "./sprites";
import { Sheet, type View } from "./view";

const LABELS_AT_MOST = 60;
const LABELS_FROM_ZOOM = 13;
const LABEL_HEIGHT = 13;
/** Pixels at the edges of the map that its controls take: the buttons at the right, the legend below. */
const CONTROLS = { right: 56, top: 150, bottom: 44 };
const NEAR_PIXELS = 14;
const CROWDED = 1500;
const SHORTEST_FRAME_MS = 33;
/** Drawing may take this share of the time. */
const BUSY_SHARE = 0.25;
const GLIDE_MS = 900;

/** Draws one picture of the sheet at a place on the screen. */
type Put = (row: number, courseDeg: number, x: number, y: number) => void;

export interface Tally {
  moving: number;
  stopped: number;
  grey: number;
  alerting: number;
}

export class Trucks {
  private readonly sheet: Sheet;
  private sprites: Sprites | null = null;
  private readonly crowd = new Crowd();
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)");
  selected: string | null = null;
  hovered: number | null = null;
  /** Pixels that the fastest vehicle in view has still to glide, and what the last drawing took. */
  private left = 0;
  private costMs = 0;

  constructor(
    container: HTMLElement,
    private readonly vehicles: Vehicles,
    private readonly alerts: Alerts,
  ) {
    this.sheet = new Sheet(container, "trucks");
  }

  /** Colours have changed. */
  repaint(): void {
    this.sprites = null;
  }

  /** Return after how many milliseconds another frame is worth drawing; null: when something comes. */
  nextFrameMs(): number | null {
    if (this.left < 0.7 || this.still.matches) return null;
    return Math.max(SHORTEST_FRAME_MS, GLIDE_MS / (2 * this.left), this.costMs / BUSY_SHARE);
  }

  draw(view: View): void {
    const began = performance.now();
    const context = this.sheet.clear(view);
    const visible = this.visible(view, began);
    const sprites = this.spritesFor(view.zoom, visible.length);
    const isCrowd = visible.length >= CROWD;
    if (isCrowd) this.crowd.begin(context, sprites);
    const put: Put = isCrowd
      ? (row, course, x, y) => this.crowd.put(row, course, x, y)
      : (row, course, x, y) => sprites.draw(context, row, course, x, y);
    this.drawAll(view, visible, began, put);
    if (isCrowd) this.crowd.end(context);
    this.drawLabels(context, view, visible, began, sprites.radius);
    this.costMs = performance.now() - began;
  }

  /** Put every vehicle in view, those with an alert last: on top. */
  private drawAll(view: View, visible: number[], at: number, put: Put): void {
    const { vehicles } = this;
    const now = vehicles.now();
    const alerting: number[] = [];
    for (const i of visible) {
      const severity = this.alerts.ongoing.size === 0 ? 0 : this.alerts.severityOf(vehicles.facts[i]!.code);
      if (severity > 0) {
        alerting.push(i, severity);
        continue;
      }
      const course = vehicles.courseDeg[i]!;
      const row = rowOf(vehicles.status(i, now));
      const known = row === ROW.moving && course < 0 ? ROW.stopped : row;
      put(known, course, this.screenX(view, i, at), this.screenY(view, i, at));
    }
    for (let k = 0; k < alerting.length; k += 2) {
      const i = alerting[k]!;
      const row = ALERT_ROWS[vehicles.status(i, now)] + alerting[k + 1]! - 1;
      put(row, vehicles.courseDeg[i]!, this.screenX(view, i, at), this.screenY(view, i, at));
    }
  }

  private spritesFor(zoom: number, count: number): Sprites {
    const radius = Math.min(9, Math.max(5, 5.5 + (zoom - 11) * 0.9)) - (count > CROWDED ? 1 : 0);
    const whole = Math.round(radius * 2) / 2;
    if (this.sprites === null || this.sprites.radius !== whole || this.sprites.ratio !== this.sheet.ratio)
      this.sprites = new Sprites(whole, this.sheet.ratio);
    return this.sprites;
  }

  /** Return the vehicles in view, and note how far the fastest of them has still to glide. */
  private visible(view: View, at: number): number[] {
    const { vehicles } = this;
    const margin = 20;
    const found: number[] = [];
    let left = 0;
    for (let i = 0; i < vehicles.count; i++) {
      if (vehicles.timeMs[i] === 0) continue;
      const x = vehicles.x[i]! * view.scale - view.originX;
      const y = vehicles.y[i]! * view.scale - view.originY;
      if (x < -margin || y < -margin || x > view.width + margin || y > view.height + margin) continue;
      found.push(i);
      if (vehicles.share(i, at) >= 1) continue;
      const way = Math.abs(vehicles.x[i]! - vehicles.fromX[i]!) + Math.abs(vehicles.y[i]! - vehicles.fromY[i]!);
      left = Math.max(left, way * view.scale);
    }
    this.left = left;
    return found;
  }

  private screenX(view: View, i: number, at: number): number {
    return this.glided(this.vehicles.fromX[i]!, this.vehicles.x[i]!, i, at) * view.scale - view.originX;
  }

  private screenY(view: View, i: number, at: number): number {
    return this.glided(this.vehicles.fromY[i]!, this.vehicles.y[i]!, i, at) * view.scale - view.originY;
  }

  private glided(from: number, to: number, i: number, at: number): number {
    return this.still.matches ? to : from + (to - from) * this.vehicles.share(i, at);
  }

  private drawLabels(
    context: CanvasRenderingContext2D, view: View, visible: number[], at: number, radius: number,
  ): void {
    const { vehicles } = this;
    const all = view.zoom >= LABELS_FROM_ZOOM && visible.length <= LABELS_AT_MOST;
    const selected = this.selected === null ? undefined : vehicles.indexOf(this.selected);
    context.font = `600 11px ${colour("--font")}`;
    context.textAlign = "left";
    context.lineJoin = "round";
    const meant = [selected, this.hovered ?? undefined].filter((i) => i !== undefined && vehicles.timeMs[i] !== 0);
    const taken: { x: number; y: number; width: number }[] = [];
    for (const i of [...meant, ...(all ? visible : [])] as number[]) {
      const x = this.screenX(view, i, at);
      const y = this.screenY(view, i, at);
      if (i === selected && taken.length === 0) ring(context, x, y, radius + 7);
      const text = vehicles.facts[i]!.code;
      const width = context.measureText(text).width + 6;
      const isRight = x + radius + 6 + width < view.width;
      const box = { x: isRight ? x + radius + 6 : x - radius - 6 - width, y: y + 4, width };
      if (!meant.includes(i) && isCovered(view, box)) continue;
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      label(context, text, box.x, box.y);
    }
  }

  /** Return the vehicle nearest to a place on the screen, if one is near enough to be meant. */
  nearest(view: View, x: number, y: number): number | null {
    const at = performance.now();
    let best: number | null = null;
    let reach = NEAR_PIXELS;
    for (const i of this.visible(view, at)) {
      const away = Math.hypot(this.screenX(view, i, at) - x, this.screenY(view, i, at) - y);
      if (away < reach) [best, reach] = [i, away];
    }
    return best;
  }

  /** Count the vehicles by how they are. */
  tally(): Tally {
    const { vehicles } = this;
    const now = vehicles.now();
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < vehicles.count; i++) counts[vehicles.status(i, now)]!++;
    return {
      grey: counts[Status.Grey]! + counts[Status.Unknown]!,
      stopped: counts[Status.Stopped]!,
      moving: counts[Status.Moving]!,
      alerting: this.alerts.ongoing.size,
    };
  }
}

/** First row of the alerts of vehicles that are so: one that nobody watches is grey, whatever it was last seen doing. */
const ALERT_ROWS = {
  [Status.Unknown]: ROW.alertGrey,
  [Status.Grey]: ROW.alertGrey,
  [Status.Stopped]: ROW.alertStanding,
  [Status.Moving]: ROW.alert,
};

function rowOf(status: Status): number {
  if (status === Status.Moving) return ROW.moving;
  return status === Status.Stopped ? ROW.stopped : ROW.grey;
}

function overlap(a: { x: number; y: number; width: number }, b: { x: number; y: number; width: number }): boolean {
  return Math.abs(a.y - b.y) < LABEL_HEIGHT && a.x < b.x + b.width && b.x < a.x + a.width;
}

/** Return whether a label would lie under the buttons, the scale or the legend. */
function isCovered(view: View, box: { x: number; y: number; width: number }): boolean {
  const { right, top, bottom } = CONTROLS;
  return box.y > view.height - bottom || (box.y < top && box.x + box.width > view.width - right);
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  context.strokeStyle = colour("--ground");
  context.lineWidth = 3.5;
  context.strokeText(text, x, y);
  context.fillStyle = colour("--ink");
  context.fillText(text, x, y);
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.strokeStyle = colour("--accent");
  context.lineWidth = 2.5;
  context.stroke();
}
