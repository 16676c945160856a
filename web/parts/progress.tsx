import type { JSX } from "preact";
import { signal } from "@preact/signals";
import type { Job } from "../api/types.js";
import { address } from "../state/address.js";
import { notice } from "../state/notices.js";
import { connected, jobs } from "../state/server.js";
import { showNumber, words } from "../words/words.js";
import { IconButton } from "./button.js";

/** Failed jobs that the user has seen. */
const dismissed = signal<ReadonlySet<string>>(new Set());

/** What goes on behind the page: work, a server that is away, a short word. */
export function Progress(): JSX.Element {
  const w = words.value.progress;
  // That view shows them itself.
  const quiet = address.value.view === "duplicates" ? ["duplicates", "lookalikes"] : [];
  const shown = [...jobs.value.values()].filter(
    ({ id, kind, state }) =>
      !quiet.includes(kind) && (state === "running" || (state === "failed" && !dismissed.value.has(id))),
  );
  return (
    <div class="notices" role="status">
      {!connected.value && <p class="notice away">{w.away}</p>}
      {shown.map((job) => (
        <JobNotice key={job.id} job={job} />
      ))}
      {notice.value !== undefined && <p class="notice">{notice.value}</p>}
    </div>
  );
}

function JobNotice({ job }: { readonly job: Job }): JSX.Element {
  const { progress, skipped, skippedItems, state, error } = job;
  const w = words.value.progress;
  const title = isNamed(job.kind) ? w[job.kind] : w.other;
  return (
    <div class="notice">
      <div class="notice-line">
        <strong>{state === "failed" ? w.failed(title) : title}</strong>
        {state === "failed" && (
          <IconButton
            icon="no"
            label={w.dismiss}
            onClick={() => (dismissed.value = new Set(dismissed.value).add(job.id))}
          />
        )}
        {state === "running" && progress !== undefined && <span>{counted(job)}</span>}
      </div>
      {error !== undefined && <p>{error}</p>}
      {state === "running" && (
        <progress aria-label={title} max={progress?.total ?? 1} value={valueOf(progress)} />
      )}
      {skipped > 0 && (
        <details>
          <summary>{w.skipped(skipped)}</summary>
          <ul>
            {skippedItems.map(({ item, reason }) => (
              <li key={item}>
                {item}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

const named = ["index", "map", "duplicates", "lookalikes"] as const;
const isNamed = (kind: string): kind is (typeof named)[number] => (named as readonly string[]).includes(kind);

const valueOf = (progress: Job["progress"]): number | undefined =>
  progress?.total === undefined ? undefined : progress.done;

/** "420 of 1,000 · 38 a second · 15 seconds left" */
function counted({ progress, started }: Job): string {
  const w = words.value.progress;
  if (progress === undefined) return "";
  const { done, total } = progress;
  const seconds = (Date.now() - started) / 1000;
  const rate = done / seconds;
  const texts = [total === undefined ? showNumber(done) : w.of(showNumber(done), showNumber(total))];
  if (seconds > 2 && rate > 0) {
    texts.push(w.rate(showNumber(rate, rate < 10 ? 1 : 0)));
    if (total !== undefined && total > done) {
      const left = (total - done) / rate;
      texts.push(w.left(left < 90 ? w.seconds(Math.ceil(left)) : w.minutes(Math.ceil(left / 60))));
    }
  }
  return texts.join(" · ");
}
