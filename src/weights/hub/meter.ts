/** How far a download is. */
export interface PullProgress {
  readonly done: number;
  readonly total: number;
  /** Over the whole download so far; 0 while nothing has arrived. */
  readonly bytesPerSecond: number;
}

const everyMs = 100;

/** Speaks a few times a second, and at the end. */
export function meter(
  total: number,
  onProgress: ((progress: PullProgress) => void) | undefined,
): (done: number) => void {
  let begun: { readonly ms: number; readonly done: number } | undefined;
  let told = 0;
  return (done) => {
    const ms = Date.now();
    begun ??= { ms, done };
    if (ms - told < everyMs && done < total) return;
    told = ms;
    const seconds = (ms - begun.ms) / 1_000;
    onProgress?.({ done, total, bytesPerSecond: seconds > 0 ? (done - begun.done) / seconds : 0 });
  };
}
