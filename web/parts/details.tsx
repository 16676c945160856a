import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fileUrl, readPicture, thumbnailUrl } from "../api/client.js";
import type { Picture } from "../api/types.js";
import { address, current, go, goBack } from "../state/address.js";
import { markResult, marksOf, type Mark } from "../state/marks.js";
import { say } from "../state/notices.js";
import {
  isQuery,
  onlyText,
  placeOf,
  queryKey,
  resultAt,
  results,
  want,
  type Shown,
} from "../state/results.js";
import { showBytes, showDate, showNumber, showPercent, words } from "../words/words.js";
import { IconButton } from "./button.js";
import { Icon } from "./icon.js";
import { Meter } from "./meter.js";
import { nameOf } from "./tile.js";

/** A picture large, with what is known of it and why it was found. */
export function Details(): JSX.Element | null {
  const id = address.value.open;
  return id === undefined ? null : <DetailsOf key="details" id={id} />;
}

function DetailsOf({ id }: { readonly id: string }): JSX.Element {
  const w = words.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const place = placeOf(results.value, id);
  const found = resultAt(results.value, place);
  const [read, setRead] = useState<Picture>();
  const [gone, setGone] = useState(false);
  const picture: Shown | undefined = found ?? (read?.id === id ? read : undefined);
  const key = queryKey(address.value);
  const mark = marksOf(key).get(id);

  // Closed while it is still there, it gives the focus back to what had it.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  useEffect(() => {
    setGone(false);
    if (found !== undefined) return;
    let here = true;
    readPicture(id).then(setRead, () => {
      if (here) setGone(true);
    });
    return () => {
      here = false;
    };
  }, [id]);

  const close = (): void => goBack({ open: undefined });
  const step = (by: number): void => {
    const next = resultAt(results.value, place + by);
    want(place + by, place + by + 1);
    if (place < 0 || next === undefined) return;
    current.value = place + by;
    go({ open: next.id }, "replace");
  };
  const similar = (): void => {
    scrollTo({ top: 0 });
    go({ view: "search", query: "", pictures: [id], open: undefined, sort: "score" });
  };
  const marking = isQuery(address.value) && address.value.view === "search" && found !== undefined;
  const markAs = (as: Mark): void => {
    if (marking) markResult(key, onlyText(address.value), id, as);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act: Readonly<Record<string, () => void>> = {
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      s: similar,
      y: () => markAs("yes"),
      n: () => markAs("no"),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || act[event.key] === undefined) return;
    event.preventDefault();
    act[event.key]!();
  };

  return (
    <dialog
      ref={dialog}
      class="details"
      aria-label={picture === undefined ? w.details.title : nameOf(picture)}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="details-picture">
        {!gone && <Large key={id} id={id} picture={picture} />}
        {place > 0 && (
          <span class="details-left">
            <IconButton icon="left" label={w.actions.previous} keys="←" onClick={() => step(-1)} />
          </span>
        )}
        {place >= 0 && place < results.value.count - 1 && (
          <span class="details-right">
            <IconButton icon="right" label={w.actions.next} keys="→" onClick={() => step(1)} />
          </span>
        )}
      </div>
      <div class="details-text">
        <div class="details-head">
          <h2>{picture === undefined ? w.details.title : nameOf(picture)}</h2>
          <IconButton icon="no" label={w.actions.close} keys="Escape" onClick={close} />
        </div>
        {gone && <p>{w.details.gone}</p>}
        <div class="details-actions">
          <button type="button" class="chip strong" aria-keyshortcuts="s" onClick={similar}>
            <Icon name="similar" />
            {w.actions.similar}
          </button>
          {marking && (
            <>
              <button
                type="button"
                class="chip"
                aria-pressed={mark === "yes"}
                aria-keyshortcuts="y"
                onClick={() => markAs("yes")}
              >
                <Icon name="yes" />
                {w.actions.yes}
              </button>
              <button
                type="button"
                class="chip"
                aria-pressed={mark === "no"}
                aria-keyshortcuts="n"
                onClick={() => markAs("no")}
              >
                <Icon name="no" />
                {w.actions.no}
              </button>
            </>
          )}
          <button
            type="button"
            class="chip"
            onClick={() => go({ view: "labels", pictures: [id], query: "", open: undefined })}
          >
            <Icon name="labels" />
            {w.actions.label}
          </button>
        </div>
        {picture !== undefined && (
          <>
            {found !== undefined && address.value.view === "search" && <Why found={found} place={place} />}
            <Facts picture={picture} />
            <div class="details-actions">
              <a class="chip" href={fileUrl(id)} target="_blank" rel="noreferrer">
                <Icon name="open" />
                {w.actions.open}
              </a>
              <button type="button" class="chip" onClick={() => void copy(id)}>
                <Icon name="copies" />
                {w.actions.copyPath}
              </button>
            </div>
          </>
        )}
      </div>
    </dialog>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(words.value.actions.copied);
  } catch {
    say(text);
  }
}

/** The thumbnail at once, the larger one over it when it is there: formats that browsers do not know look the same. */
function Large({ id, picture }: { readonly id: string; readonly picture: Shown | undefined }): JSX.Element {
  const { width, height } = picture?.fields ?? {};
  // Small pictures are not blown up beyond recognition.
  const style =
    typeof width === "number" && typeof height === "number"
      ? { maxWidth: `${2 * width}px`, maxHeight: `${2 * height}px` }
      : {};
  return (
    <>
      <img style={style} src={thumbnailUrl(id, 320)} alt="" />
      <img
        class="details-large"
        style={style}
        src={thumbnailUrl(id, 1280)}
        alt={picture === undefined ? "" : nameOf(picture)}
        onLoad={(event) => event.currentTarget.classList.add("loaded")}
      />
    </>
  );
}

/** The score in words. */
function Why({ found, place }: { readonly found: Shown; readonly place: number }): JSX.Element {
  const w = words.value.details;
  const { probability, score } = found;
  if (score === undefined) return <p class="why">{w.browsing}</p>;
  return (
    <section class="why">
      <h3>{w.why}</h3>
      {probability !== undefined && (
        <>
          <Meter share={probability} label={showPercent(probability)} />
          <p>{w.probability(showPercent(probability))}</p>
        </>
      )}
      <p>
        {w.rank(place + 1)} {w.cosine(showNumber(score, 3))} {probability === undefined && w.uncalibrated}
      </p>
    </section>
  );
}

function Facts({ picture: { id, fields } }: { readonly picture: Picture }): JSX.Element {
  const w = words.value.details;
  const number = (name: string): number | undefined => {
    const value = fields[name];
    return typeof value === "number" ? value : undefined;
  };
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === "string" ? value : undefined;
  };
  const [taken, modified, size] = [number("taken"), number("modified"), number("size")];
  const [width, height] = [number("width"), number("height")];
  const [latitude, longitude] = [number("latitude"), number("longitude")];
  const pixels = width === undefined || height === undefined ? undefined : `${width} × ${height}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    [w.taken, taken === undefined ? undefined : showDate(taken, "UTC")],
    [w.modified, modified === undefined ? undefined : showDate(modified)],
    [
      w.size,
      [pixels, size === undefined ? undefined : showBytes(size)].filter(Boolean).join(" · ") || undefined,
    ],
    [w.format, text("format")?.toUpperCase()],
    [w.camera, text("camera")],
    [w.lens, text("lens")],
    [
      w.place,
      latitude === undefined || longitude === undefined
        ? undefined
        : `${showNumber(latitude, 4)}, ${showNumber(longitude, 4)}`,
    ],
    [w.path, id],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
