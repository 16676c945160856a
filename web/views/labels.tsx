import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { classify, fileUrl, thumbnailUrl } from "../api/client.js";
import type { Classified } from "../api/types.js";
import { FileInput } from "../parts/file-input.js";
import { Meter } from "../parts/meter.js";
import { Failed } from "../parts/verdict.js";
import { address, go } from "../state/address.js";
import { isUpload, uploads } from "../state/uploads.js";
import { showPercent, words } from "../words/words.js";

const settleMs = 300;

/** Lines and commas part labels; equal ones count once. */
const readLabels = (text: string): string[] => [
  ...new Set(
    text
      .split(/[\n,]/)
      .map((label) => label.trim())
      .filter((label) => label !== ""),
  ),
];

/** Which of some words fit a picture. */
export function LabelsView(): JSX.Element {
  const w = words.value.labels;
  const picture = address.value.pictures.at(-1);
  const text = address.value.labels === "" ? w.usual : address.value.labels.replaceAll(",", "\n");
  const labels = readLabels(text);
  const [scores, setScores] = useState<Classified>();
  const [error, setError] = useState<unknown>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const file = useRef<HTMLInputElement>(null);
  const shown =
    picture === undefined
      ? undefined
      : isUpload(picture)
        ? uploads.value.get(picture)?.url
        : thumbnailUrl(picture, 640);

  useEffect(() => {
    const controller = new AbortController();
    setError(undefined);
    if (picture === undefined || labels.length === 0) setScores(undefined);
    else
      bytesOf(picture)
        .then((blob) => classify(blob, labels, controller.signal))
        .then(setScores, (failed: unknown) => {
          if (!controller.signal.aborted) setError(failed);
        });
    return () => controller.abort();
  }, [picture, labels.join("\n")]);

  return (
    <section class="labels">
      <h1>{w.title}</h1>
      <p class="quiet">{w.about}</p>
      <div class="labels-panes">
        <div class="labels-picture">
          <FileInput input={file} />
          {shown !== undefined && <img src={shown} alt={w.picture} />}
          <button type="button" class="chip" onClick={() => file.current?.click()}>
            {w.choose}
          </button>
        </div>
        <label class="field">
          <span>{w.labels}</span>
          <textarea
            rows={9}
            key={words.value.locale}
            defaultValue={text}
            onInput={(event) => {
              const { value } = event.currentTarget;
              clearTimeout(timer.current);
              timer.current = setTimeout(
                () => go({ labels: readLabels(value).join(",") }, "replace"),
                settleMs,
              );
            }}
          />
        </label>
        <div class="bars" role="status">
          {error !== undefined && <Failed error={error} />}
          {scores === undefined && error === undefined && <p class="quiet">{w.empty}</p>}
          {error === undefined &&
            scores?.labels.map(({ label, score, probability = score }) => (
              <Bar key={label} label={label} share={probability} />
            ))}
          {error === undefined && scores?.none !== undefined && (
            <Bar label={w.none} share={scores.none} quiet />
          )}
        </div>
      </div>
    </section>
  );
}

const Bar = ({
  label,
  share,
  quiet,
}: {
  readonly label: string;
  readonly share: number;
  readonly quiet?: boolean;
}): JSX.Element => (
  <div class={quiet === true ? "bar bar-none" : "bar"}>
    <span>{label}</span>
    <Meter share={share} label={words.value.labels.probability(label, showPercent(share))} />
    <span class="bar-value">{showPercent(share)}</span>
  </div>
);

/** The server takes the picture itself: a task knows nothing of the index. */
async function bytesOf(picture: string): Promise<Blob> {
  const upload = uploads.value.get(picture);
  if (upload !== undefined) return upload.file;
  return (await fetch(fileUrl(picture))).blob();
}
