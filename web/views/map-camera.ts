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

const margin = 48;
/** So many times the whole map: single pictures apart. */
const closest = 200;

export const wholeMap = ({ width, height }: Size): Camera => ({
  x: 0.5,
  y: 0.5,
  scale: Math.max(1, Math.min(width, height) - 2 * margin),
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
export function zoom(camera: Camera, factor: number, at: Place, size: Size): Camera {
  const whole = wholeMap(size).scale;
  const scale = Math.min(whole * closest, Math.max(whole * 0.8, camera.scale * factor));
  const held = toMap(at, camera, size);
  return {
    x: clamp(held.x - (at.x - size.width / 2) / scale),
    y: clamp(held.y - (at.y - size.height / 2) / scale),
    scale,
  };
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
