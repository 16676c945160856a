import type { JSX, RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { readMap, thumbnailUrl } from "../api/client.js";
import type { MapAnswer } from "../api/types.js";
import { IconButton } from "../parts/button.js";
import { Failed } from "../parts/verdict.js";
import { go } from "../state/address.js";
import { theme } from "../state/settings.js";
import { useUntilReady } from "../state/until-ready.js";
import { showNumber, showPercent, words } from "../words/words.js";
import {
  pan,
  scalesOf,
  toMap,
  toScreen,
  wholeMap,
  zoom,
  type Camera,
  type Place,
  type Size,
} from "./map-camera.js";
import { draw, extentOf, nearest, placeAt, Thumbnails, type Points } from "./map-drawing.js";

/** Pictures of the list beside the map. */
const listed = 18;
/** So near the pointer a picture is meant, px. */
const near = 30;
const stepPx = 80;
const zoomStep = 1.5;

export function MapView(): JSX.Element {
  const w = words.value.map;
  const { answer, error } = useUntilReady(readMap, "map");
  const points = useMemo(() => pointsOf(answer), [answer]);
  if (error !== undefined) return <Failed error={error} />;
  if (points === undefined)
    return (
      <div class="map-wait" role="status">
        <p>{w.computing(answer?.done === undefined ? "…" : showPercent(answer.done))}</p>
        <progress aria-label={w.computing("")} value={answer?.done} max={1} />
      </div>
    );
  if (points.ids.length === 0) return <p class="map-wait">{w.empty}</p>;
  return <Wander points={points} total={answer?.total ?? points.ids.length} />;
}

function pointsOf(answer: MapAnswer | undefined): Points | undefined {
  if (answer?.ids === undefined || answer.points === undefined) return undefined;
  const bytes = Uint8Array.from(atob(answer.points), (char) => char.charCodeAt(0));
  return { ids: answer.ids, places: new Float32Array(bytes.buffer) };
}

function Wander({ points, total }: { readonly points: Points; readonly total: number }): JSX.Element {
  const w = words.value.map;
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(canvas);
  const [moved, setCamera] = useState<Camera>();
  const whole = useMemo(() => wholeMap(size, extentOf(points)), [size, points]);
  const camera = moved ?? whole;
  const [hovered, setHovered] = useState<number>();
  const [, redraw] = useState(0);
  const thumbnails = useMemo(() => new Thumbnails(() => redraw((n) => n + 1)), []);
  const pointers = useRef(new Map<number, Place>());
  const dragged = useRef(0);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context == null || size.width === 0) return;
    const frame = requestAnimationFrame(() => {
      const density = devicePixelRatio;
      context.canvas.width = size.width * density;
      context.canvas.height = size.height * density;
      context.scale(density, density);
      draw(context, points, camera, size, camera.scale / whole.scale, thumbnails, hovered);
    });
    return () => cancelAnimationFrame(frame);
  });
  // Colours come from the style.
  void theme.value;

  const closer = (factor: number, at: Place = { x: size.width / 2, y: size.height / 2 }): void =>
    setCamera((now) => zoom(now ?? whole, factor, at, size, scalesOf(whole, points.ids.length)));
  const panBy = (dx: number, dy: number): void => setCamera((now) => pan(now ?? whole, dx, dy));
  const placeOf = (event: MouseEvent): Place => ({ x: event.offsetX, y: event.offsetY });
  const pictureAt = (at: Place): number | undefined => {
    const [found] = nearest(points, toMap(at, camera, size), 1);
    if (found === undefined) return undefined;
    const { x, y } = toScreen(placeAt(points, found), camera, size);
    return Math.hypot(x - at.x, y - at.y) < near ? found : undefined;
  };

  // A wheel that is listened to passively scrolls the page as well.
  useEffect(() => {
    const element = canvas.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const at = placeOf(event);
      closer(Math.exp(-event.deltaY / 300), at);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [size, whole]);

  const onPointerMove = (event: PointerEvent): void => {
    const at = placeOf(event);
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return setHovered(pictureAt(at));
    pointers.current.set(event.pointerId, at);
    const others = [...pointers.current].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const [dx, dy] = [at.x - before.x, at.y - before.y];
    dragged.current += Math.abs(dx) + Math.abs(dy);
    const [other] = others;
    if (other === undefined) panBy(dx, dy);
    else {
      const factor =
        Math.hypot(at.x - other.x, at.y - other.y) / Math.hypot(before.x - other.x, before.y - other.y);
      closer(factor, other);
    }
  };
  const onPointerUp = (event: PointerEvent): void => {
    if (!pointers.current.delete(event.pointerId) || dragged.current > 6) return;
    const picture = pictureAt(placeOf(event));
    if (picture !== undefined) go({ open: points.ids[picture]! });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => panBy(stepPx, 0),
      ArrowRight: () => panBy(-stepPx, 0),
      ArrowUp: () => panBy(0, stepPx),
      ArrowDown: () => panBy(0, -stepPx),
      "+": () => closer(zoomStep),
      "=": () => closer(zoomStep),
      "-": () => closer(1 / zoomStep),
      "0": () => setCamera(undefined),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  const hint = hovered === undefined ? undefined : toScreen(placeAt(points, hovered), camera, size);

  return (
    <section class="map">
      <p class="quiet">
        {w.about} {points.ids.length < total && w.sample(showNumber(points.ids.length), showNumber(total))}
      </p>
      <div class="map-frame">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={w.label}
          aria-keyshortcuts="ArrowLeft ArrowRight ArrowUp ArrowDown + - 0"
          onPointerDown={(event) => {
            dragged.current = 0;
            event.currentTarget.setPointerCapture(event.pointerId);
            pointers.current.set(event.pointerId, placeOf(event));
          }}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={(event) => pointers.current.delete(event.pointerId)}
          onPointerLeave={() => setHovered(undefined)}
          onKeyDown={onKeyDown}
        />
        {hint !== undefined && pointers.current.size === 0 && (
          <Hint id={points.ids[hovered!]!} at={hint} size={size} />
        )}
        <div class="map-buttons">
          <IconButton icon="plus" label={w.zoomIn} keys="+" onClick={() => closer(zoomStep)} />
          <IconButton icon="minus" label={w.zoomOut} keys="-" onClick={() => closer(1 / zoomStep)} />
          <IconButton icon="whole" label={w.whole} keys="0" onClick={() => setCamera(undefined)} />
        </div>
      </div>
      <h2>{w.list}</h2>
      <ul class="map-list">
        {nearest(points, camera, listed).map((i) => {
          const id = points.ids[i]!;
          return (
            <li key={id}>
              <button
                type="button"
                class="tile-picture"
                aria-label={shortName(id)}
                onClick={() => go({ open: id })}
                onFocus={() => setHovered(i)}
                onBlur={() => setHovered(undefined)}
              >
                <img
                  src={thumbnailUrl(id, 160)}
                  alt=""
                  onLoad={(event) => event.currentTarget.classList.add("loaded")}
                />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const shortName = (id: string): string => id.slice(id.lastIndexOf("/") + 1);

/** The picture that is pointed at, on the side where there is room. */
const Hint = ({
  id,
  at,
  size,
}: {
  readonly id: string;
  readonly at: Place;
  readonly size: Size;
}): JSX.Element => (
  <figure
    class="map-hint"
    style={{
      left: `${Math.min(size.width - 236, Math.max(8, at.x - 110))}px`,
      top: at.y > size.height / 2 ? "auto" : `${at.y + 48}px`,
      bottom: at.y > size.height / 2 ? `${size.height - at.y + 48}px` : "auto",
    }}
  >
    <img src={thumbnailUrl(id, 320)} alt="" />
    <figcaption>{shortName(id)}</figcaption>
  </figure>
);

function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const observed = element.current;
    if (observed === null) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: observed.clientWidth, height: observed.clientHeight }),
    );
    observer.observe(observed);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
