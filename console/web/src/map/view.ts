// How the world lies on the screen at one moment, for layers that draw themselves.

/** The world is a square of side 1 (Web Mercator); a point w is at `w * scale - origin` pixels. */
export interface View {
  scale: number;
  originX: number;
  originY: number;
  width: number;
  height: number;
  zoom: number;
  /** Metres of ground a pixel, in the middle of the view. */
  metresPerPixel: number;
}

/** Lengths of a scale or a grid: 1, 2 or 5 times a power of ten. */
export function niceBelow(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres));
  const lead = metres / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/** A canvas over the map that keeps its size and resolution. */
export class Sheet {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  ratio = 1;

  constructor(container: HTMLElement, name: string) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = `sheet sheet-${name}`;
    this.canvas.setAttribute("aria-hidden", "true");
    container.append(this.canvas);
    const context = this.canvas.getContext("2d");
    if (context === null) throw new Error("this browser has no 2D canvas");
    this.context = context;
  }

  /** Empty the sheet and set it up in CSS pixels. */
  clear(view: View): CanvasRenderingContext2D {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    const width = Math.round(view.width * this.ratio);
    const height = Math.round(view.height * this.ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      // Which empties it. A canvas is printed by drawing again what was drawn, and `clearRect` then paints white over
      // all that lies below: on paper, which has a size of its own, there is none.
      this.canvas.width = width;
      this.canvas.height = height;
    } else {
      this.context.setTransform(1, 0, 0, 1, 0, 0);
      this.context.clearRect(0, 0, width, height);
    }
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return this.context;
  }
}
