// Thousands of vehicles at once: their pixels are written into a picture by hand.
//
// Copying 6,000 small pictures with `drawImage` takes 40 ms a frame where the browser draws without a graphics
// card, as on many office machines; writing the same pixels takes 4. The price is whole pixels: vehicles do not
// glide between them. With so many in view none of them moves a pixel in a second anyway.

import { HEADINGS, type Sprites } from "./sprites";

/** From so many vehicles in view on. */
export const CROWD = 400;
const OPAQUE = 255;

export class Crowd {
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);
  private sprites: Sprites | null = null;
  /** Of each picture of the sheet: row offset, column offset and colour of each pixel that is not empty. */
  private lists: Int32Array[] = [];

  /** Begin a frame of this size, in pixels of the canvas. */
  begin(context: CanvasRenderingContext2D, sprites: Sprites): void {
    const { width, height } = context.canvas;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    } else this.pixels.fill(0);
    if (this.sprites !== sprites) this.learn(sprites);
  }

  /** Put one picture, its middle at a place in CSS pixels. */
  put(row: number, courseDeg: number, x: number, y: number): void {
    const { image, sprites } = this;
    if (image === null || sprites === null) return;
    const heading = courseDeg < 0 ? 0 : Math.round((courseDeg / 360) * HEADINGS) % HEADINGS;
    const list = this.lists[row * HEADINGS + heading]!;
    const left = Math.round(x * sprites.ratio);
    const top = Math.round(y * sprites.ratio);
    const half = sprites.side >> 1;
    const { width, height } = image;
    const isWhole = left > half && top > half && left < width - half - 1 && top < height - half - 1;
    const { pixels } = this;
    for (let k = 0; k < list.length; k += 3) {
      const py = top + list[k]!;
      const px = left + list[k + 1]!;
      if (!isWhole && (px < 0 || py < 0 || px >= width || py >= height)) continue;
      const at = py * width + px;
      pixels[at] = over(list[k + 2]!, pixels[at]!);
    }
  }

  /** Show the frame. */
  end(context: CanvasRenderingContext2D): void {
    if (this.image !== null) context.putImageData(this.image, 0, 0);
  }

  private learn(sprites: Sprites): void {
    this.sprites = sprites;
    this.lists = [];
    const { sheet, side } = sprites;
    const context = sheet.getContext("2d", { willReadFrequently: true });
    if (context === null) return;
    const colours = new Int32Array(context.getImageData(0, 0, sheet.width, sheet.height).data.buffer);
    const rows = sheet.height / side;
    for (let picture = 0; picture < rows * HEADINGS; picture++) {
      const top = Math.floor(picture / HEADINGS) * side;
      const left = (picture % HEADINGS) * side;
      const list: number[] = [];
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
          const colour = colours[(top + y) * sheet.width + left + x]!;
          if (colour >>> 24 > 0) list.push(y - (side >> 1), x - (side >> 1), colour);
        }
      this.lists.push(Int32Array.from(list));
    }
  }
}

/** Return a colour laid over another, as 32-bit words of RGBA. */
function over(above: number, below: number): number {
  const alpha = above >>> 24;
  if (alpha === OPAQUE || below === 0) return above;
  if (below >>> 24 !== OPAQUE) return alpha >= below >>> 24 ? above : below;
  const rest = OPAQUE - alpha;
  const r = ((above & 255) * alpha + (below & 255) * rest) / OPAQUE;
  const g = (((above >>> 8) & 255) * alpha + ((below >>> 8) & 255) * rest) / OPAQUE;
  const b = (((above >>> 16) & 255) * alpha + ((below >>> 16) & 255) * rest) / OPAQUE;
  return (OPAQUE << 24) | (b << 16) | (g << 8) | r;
}
