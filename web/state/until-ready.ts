import { useEffect, useState } from "preact/hooks";
import { edition } from "./results.js";

const askAgainMs = 1_000;

/** Asks for what the server works out behind, until it is there, and again when the collection has changed. */
export function useUntilReady<T extends { readonly state: "ready" | "computing" }>(
  read: () => Promise<T>,
  what: string,
): { readonly answer: T | undefined; readonly error: unknown } {
  const [answer, setAnswer] = useState<{ readonly what: string; readonly value: T }>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const ask = async (): Promise<void> => {
      try {
        const value = await read();
        if (ended) return;
        setAnswer({ what, value });
        setError(undefined);
        if (value.state === "computing") timer = setTimeout(() => void ask(), askAgainMs);
      } catch (failed) {
        if (!ended) setError(failed);
      }
    };
    setError(undefined);
    void ask();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [what, edition.value]);
  return { answer: answer?.what === what ? answer.value : undefined, error };
}
