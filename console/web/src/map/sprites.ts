// Vehicles drawn once for each state and heading, so that a frame with thousands of them only copies pictures.

import { colour } from "../theme";

export const HEADINGS = 32;
/** Rows of the sheet: grey, stopped, moving, then alerts of severity 1 to 4 moving, the same standing, and grey. */
export const ROW = { grey: 0, stopped: 1, moving: 2, alert: 3, alertStanding: 7, alertGrey: 11 } as const;
const ROWS = 15;

export class Sprites {
  readonly sheet: HTMLCanvasElement;
  /** Side of one picture in pixels of the sheet and of CSS. */
  readonly side: number;
  readonly cssSide: number;

  constructor(
    readonly radius: number,
    readonly ratio: number,
  ) {
    this.cssSide = Math.ceil(radius * 2 + 12);
    this.side = Math.round(this.cssSide * ratio);
    this.sheet = document.createElement("canvas");
    this.sheet.width = this.side * HEADINGS;
    this.sheet.height = this.side * ROWS;
    const context = this.sheet.getContext("2d");
    if (context === null) return;
    for (let row = 0; row < ROWS; row++)
      for (let heading = 0; heading < HEADINGS; heading++) this.paint(context, row, heading);
  }

  private paint(context: CanvasRenderingContext2D, row: number, heading: number): void {
    context.save();
    context.scale(this.ratio, this.ratio);
    context.translate((heading + 0.5) * (this.side / this.ratio), (row + 0.5) * (this.side / this.ratio));
    const isAlert = row >= ROW.alert;
    const isGrey = row === ROW.grey || row >= ROW.alertGrey;
    const severity = isAlert ? colour(`--severity-${((row - ROW.alert) % 4) + 1}`) : "";
    const own = isGrey ? "--truck-grey" : row === ROW.stopped ? "--truck-stopped" : "--truck-moving";
    const tint = isAlert && !isGrey ? severity : colour(own);
    const radius = isAlert ? this.radius * 1.2 : this.radius;
    if (isAlert) halo(context, radius + 3.5, severity);
    const moves = row === ROW.moving || (row >= ROW.alert && row < ROW.alertStanding);
    if (moves) arrow(context, radius, (heading / HEADINGS) * 2 * Math.PI);
    else disc(context, radius * (isGrey ? 0.62 : 0.66));
    context.lineWidth = isGrey ? 1.8 : 1.4;
    context.strokeStyle = isGrey ? tint : colour("--truck-edge");
    context.fillStyle = isGrey ? colour("--truck-grey-fill") : tint;
    context.fill();
    context.stroke();
    context.restore();
  }

  /** Copy one picture to a place in CSS pixels. */
  draw(context: CanvasRenderingContext2D, row: number, courseDeg: number, x: number, y: number): void {
    const heading = courseDeg < 0 ? 0 : Math.round((courseDeg / 360) * HEADINGS) % HEADINGS;
    const half = this.cssSide / 2;
    context.drawImage(
      this.sheet, heading * this.side, row * this.side, this.side, this.side,
      x - half, y - half, this.cssSide, this.cssSide,
    );
  }
}

function arrow(context: CanvasRenderingContext2D, r: number, angle: number): void {
  context.rotate(angle);
  context.beginPath();
  context.moveTo(0, -r);
  context.lineTo(0.74 * r, 0.86 * r);
  context.lineTo(0, 0.45 * r);
  context.lineTo(-0.74 * r, 0.86 * r);
  context.closePath();
}

function disc(context: CanvasRenderingContext2D, r: number): void {
  context.beginPath();
  context.arc(0, 0, r, 0, 2 * Math.PI);
}

function halo(context: CanvasRenderingContext2D, r: number, tint: string): void {
  context.save();
  disc(context, r);
  context.globalAlpha = 0.2;
  context.fillStyle = tint;
  context.fill();
  context.restore();
}
