import { thumbnailUrl } from "../api/client.js";
import { toMap, toScreen, type Camera, type Extent, type Place, type Size } from "./map-camera.js";

export interface Points {
  readonly ids: readonly string[];
  /** [ids, 2], 0…1 */
  readonly places: Float32Array;
}

const kept = 600;

/** Side of a picture, px: the nearer one comes, the larger they are. @param closeness 1 for the whole map */
const sideOf = (closeness: number): number => Math.min(132, 38 * Math.max(1, closeness) ** 0.45);

/** Pictures of the map, loaded as they come into view. */
export class Thumbnails {
  private readonly images = new Map<string, HTMLImageElement>();

  constructor(private readonly redraw: () => void) {}

  get(id: string): HTMLImageElement | undefined {
    let image = this.images.get(id);
    if (image === undefined) {
      image = new Image();
      image.decoding = "async";
      image.onload = this.redraw;
      image.src = thumbnailUrl(id, 160);
    } else this.images.delete(id);
    this.images.set(id, image);
    if (this.images.size > kept) this.images.delete(this.images.keys().next().value!);
    return image.complete && image.naturalWidth > 0 ? image : undefined;
  }
}

/**
 * Which pictures are drawn as such, by their index: one stands for those in its cell. Cells lie fixed on the map, so that
 * nothing flickers while it is moved.
 *
 * @param cell px
 */
function pictured({ places }: Points, camera: Camera, size: Size, cell: number): number[] {
  const side = 2 ** Math.round(Math.log2(cell / camera.scale));
  const low = toMap({ x: -cell, y: -cell }, camera, size);
  const high = toMap({ x: size.width + cell, y: size.height + cell }, camera, size);
  const cells = new Map<string, number>();
  for (let i = 0; i < places.length / 2; i++) {
    const [x, y] = [places[2 * i]!, places[2 * i + 1]!];
    if (x < low.x || x > high.x || y < low.y || y > high.y) continue;
    const key = `${Math.floor(x / side)} ${Math.floor(y / side)}`;
    if (!cells.has(key)) cells.set(key, i);
  }
  return [...cells.values()];
}

export const placeAt = ({ places }: Points, i: number): Place => ({
  x: places[2 * i]!,
  y: places[2 * i + 1]!,
});

/** The nearest to a place of the map, by index, nearest first. */
export function nearest({ ids, places }: Points, { x, y }: Place, count: number): number[] {
  const distance = (i: number): number => (places[2 * i]! - x) ** 2 + (places[2 * i + 1]! - y) ** 2;
  return ids
    .map((_, i) => ({ i, d: distance(i) }))
    .sort((a, b) => a.d - b.d)
    .slice(0, count)
    .map(({ i }) => i);
}

/** As far as the points reach from the middle. */
export function extentOf({ places }: Points): Extent {
  const extent = { x: 0.01, y: 0.01 };
  for (let i = 0; i < places.length; i += 2) {
    extent.x = Math.max(extent.x, Math.abs(places[i]! - 0.5));
    extent.y = Math.max(extent.y, Math.abs(places[i + 1]! - 0.5));
  }
  return extent;
}

/**
 * Draws the part that the camera sees.
 *
 * @param closeness 1 for the whole map
 * @param marked    index of the picture that is pointed at
 */
export function draw(
  context: CanvasRenderingContext2D,
  points: Points,
  camera: Camera,
  size: Size,
  closeness: number,
  thumbnails: Thumbnails,
  marked: number | undefined,
): void {
  const { width, height } = size;
  const side = sideOf(closeness);
  const style = getComputedStyle(context.canvas);
  context.clearRect(0, 0, width, height);
  context.fillStyle = style.color;
  context.globalAlpha = 0.35;
  for (let i = 0; i < points.ids.length; i++) {
    const { x, y } = toScreen(placeAt(points, i), camera, size);
    if (x > 0 && x < width && y > 0 && y < height) context.fillRect(x - 1.5, y - 1.5, 3, 3);
  }
  context.globalAlpha = 1;
  for (const i of pictured(points, camera, size, side + 4))
    drawPicture(context, points, i, camera, size, thumbnails, side);
  if (marked !== undefined) {
    const { x, y } = toScreen(placeAt(points, marked), camera, size);
    const large = side + 20;
    drawPicture(context, points, marked, camera, size, thumbnails, large);
    context.strokeStyle = style.outlineColor;
    context.lineWidth = 3;
    context.beginPath();
    context.roundRect(x - large / 2, y - large / 2, large, large, 8);
    context.stroke();
  }
}

function drawPicture(
  context: CanvasRenderingContext2D,
  points: Points,
  i: number,
  camera: Camera,
  size: Size,
  thumbnails: Thumbnails,
  side: number,
): void {
  const image = thumbnails.get(points.ids[i]!);
  if (image === undefined) return;
  const { x, y } = toScreen(placeAt(points, i), camera, size);
  const { naturalWidth, naturalHeight } = image;
  const cut = Math.min(naturalWidth, naturalHeight);
  context.save();
  context.beginPath();
  context.roundRect(x - side / 2, y - side / 2, side, side, 8);
  context.clip();
  context.drawImage(
    image,
    (naturalWidth - cut) / 2,
    (naturalHeight - cut) / 2,
    cut,
    cut,
    x - side / 2,
    y - side / 2,
    side,
    side,
  );
  context.restore();
}
