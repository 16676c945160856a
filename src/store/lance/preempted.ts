import { setTimeout as wait } from "node:timers/promises";
import { messageOf } from "../../tensor/index.js";

/** Tries that a write gets while others write to the same table; each waits a little longer than the last. */
const writeTries = 20;

/** Runs a write again when another process was quicker, with a write or a column: nothing of it was stored then. */
export async function unlessPreempted<T>(body: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++)
    try {
      return await body();
    } catch (error) {
      if (tried === writeTries || !/commit conflict|concurrent|already exists/i.test(messageOf(error)))
        throw error;
      await wait(Math.random() * 10 * tried);
    }
}
