import type { View } from "./screen.js";

/** Results that have a look of their own, by task; all others are shown as records. */
const own: Readonly<Record<string, () => Promise<View>>> = {};

export async function viewOf(task: string): Promise<View> {
  return own[task]?.() ?? (await import("./record.js")).recordView;
}
