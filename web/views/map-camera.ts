/** Which part of the map is seen: a place of it in the middle, and how large. */
export interface Camera {
  /** 0…1 */
  readonly x: number;
  readonly y: number;
  /** Pixels that the map's side takes. */
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Half of the width and height that the points take around the map's middle, 0…0.5. */
export type Extent = Place;

const margin = 48;
/** How small and how large the map may be, px. */
export interface Scales {
  readonly least: number;
  readonly most: number;
}

/** From a little less than the whole map to single pictures apart. @param count of points */
export const scalesOf = (whole: Camera, count: number): Scales => ({
  least: 0.8 * whole.scale,
  most: whole.scale * Math.max(6, 1.5 * Math.sqrt(count)),
});

export const wholeMap = ({ width, height }: Size, extent: Extent): Camera => ({
  x: 0.5,
  y: 0.5,
  scale: Math.max(1, Math.min((width / 2 - margin) / extent.x, (height / 2 - margin) / extent.y)),
});

export const toScreen = ({ x, y }: Place, camera: Camera, { width, height }: Size): Place => ({
  x: (x - camera.x) * camera.scale + width / 2,
  y: (y - camera.y) * camera.scale + height / 2,
});

export const toMap = ({ x, y }: Place, camera: Camera, { width, height }: Size): Place => ({
  x: (x - width / 2) / camera.scale + camera.x,
  y: (y - height / 2) / camera.scale + camera.y,
});

/** @param dx px */
export const pan = (camera: Camera, dx: number, dy: number): Camera => ({
  ...camera,
  x: clamp(camera.x - dx / camera.scale),
  y: clamp(camera.y - dy / camera.scale),
});

/** What lies at `at` stays there. */
export function zoom(camera: Camera, factor: number, at: Place, size: Size, { least, most }: Scales): Camera {
  const scale = Math.min(most, Math.max(least, camera.scale * factor));
  const held = toMap(at, camera, size);
  return {
    x: clamp(held.x - (at.x - size.width / 2) / scale),
    y: clamp(held.y - (at.y - size.height / 2) / scale),
    scale,
  };
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
