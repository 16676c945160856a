import type { JSX } from "preact";
import { ServerError } from "../api/client.js";
import { address } from "../state/address.js";
import { edition, failure, isQuery, results, searching } from "../state/results.js";
import { isUpload, uploads } from "../state/uploads.js";
import { showPercent, words } from "../words/words.js";
import { Icon } from "./icon.js";

/** What the answer is worth, in words. */
export function Verdict(): JSX.Element {
  return (
    <div class="verdict" role="status" aria-live="polite">
      {content()}
      {results.value.cut && <p>{words.value.search.cut}</p>}
    </div>
  );
}

function content(): JSX.Element | null {
  const w = words.value;
  if (failure.value !== undefined) return <Failed error={failure.value} />;
  const { match, count, counted, key } = results.value;
  if (key === "") return searching.value ? <p class="late">{w.search.waiting}</p> : null;
  if (address.value.pictures.some((picture) => isUpload(picture) && !uploads.value.has(picture)))
    return <p>{w.search.lost}</p>;
  if (count === 0 && !searching.value) return <p>{w.verdict.filtered}</p>;
  if (!isQuery(address.value)) return <p>{w.pictures(count)}</p>;
  if (match === undefined) return counted ? <p>{w.found(count)}</p> : null;
  const percent = showPercent(match.probability);
  if (match.verdict === "nothing")
    return (
      <div class="nothing">
        <Icon name="nothing" />
        <div>
          <strong>{w.verdict.nothing}</strong>
          <p>{w.verdict.nothingMore(percent)}</p>
        </div>
      </div>
    );
  return <p>{match.verdict === "unsure" ? w.verdict.unsure(percent) : w.verdict.matches(percent)}</p>;
}

export function Failed({ error }: { readonly error: unknown }): JSX.Element {
  const w = words.value;
  return (
    <div class="failed" role="alert">
      <p>{error instanceof ServerError ? error.message : w.unreachable}</p>
      <button type="button" class="chip" onClick={() => edition.value++}>
        {w.actions.retry}
      </button>
    </div>
  );
}
