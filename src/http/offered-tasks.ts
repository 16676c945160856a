/** A task that the server offers, and what of its input a client chooses; all else is the server's. */
export interface Offer {
  readonly name: string;
  readonly fields: readonly string[];
  /** Of these, the ones without which nothing is left of the task. */
  readonly required: readonly string[];
  /** Lists of paths on the command line; here, pictures that the client sends. */
  readonly pictures: readonly string[];
}

/**
 * Tasks whose fields name no file, folder or model of this machine, or whose files a client sends itself. The others read or
 * write where their caller says, which is for whoever may use the machine: they have no route. Searching has routes of its
 * own, because a query on the command line may be a path.
 */
export const offeredTasks: readonly Offer[] = [
  { name: "classify", fields: ["labels", "exact"], required: ["labels"], pictures: ["pictures"] },
  { name: "duplicates", fields: [], required: [], pictures: [] },
];
