import { CliptError } from "../tensor/index.js";
import { Refusal, retryLater } from "./refusal.js";

/** The end of a request's work: its client is gone, its time is up, or the server stops. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Rejects when the signal is aborted. */
  readonly over: Promise<never>;
  readonly end: () => void;
}

export function openDeadline(client: AbortSignal, timeMs: number): Deadline {
  const controller = new AbortController();
  const { promise: over, reject } = withResolvers();
  over.catch(() => {});
  const stop = (reason: Error): void => {
    controller.abort(reason);
    reject(reason);
  };
  const gone = (): void => stop(new CliptError("cancelled", "The client went away."));
  const timer = setTimeout(
    () => stop(new Refusal("overtime", `The work took longer than ${timeMs / 1000} s.`, retryLater)),
    timeMs,
  );
  client.addEventListener("abort", gone);
  if (client.aborted) gone();
  return {
    signal: controller.signal,
    over,
    end() {
      clearTimeout(timer);
      client.removeEventListener("abort", gone);
    },
  };
}

function withResolvers(): { promise: Promise<never>; reject: (reason: Error) => void } {
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  return { promise, reject };
}
