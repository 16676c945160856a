import { signal } from "@preact/signals";

const shownMs = 6_000;

/** A short word to the user, which goes away by itself. */
export const notice = signal<string | undefined>(undefined);

let timer: ReturnType<typeof setTimeout> | undefined;

export function say(text: string): void {
  notice.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => (notice.value = undefined), shownMs);
}
