import { signal } from "@preact/signals";
import { readInfo, ServerError } from "../api/client.js";
import type { Info, Job } from "../api/types.js";

export const info = signal<Info | undefined>(undefined);
/** Whether the server answers. */
export const connected = signal(true);
/** Whether the server asks for its token. */
export const locked = signal(false);
export const jobs = signal<ReadonlyMap<string, Job>>(new Map());

export async function refreshInfo(): Promise<void> {
  try {
    info.value = await readInfo();
    locked.value = false;
    connected.value = true;
  } catch (error) {
    if (error instanceof ServerError && error.status === 401) locked.value = true;
  }
}
