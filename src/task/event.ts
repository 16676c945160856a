/** What a task tells while it runs. */
export type TaskEvent =
  /** A stage is under way; `total` is absent while it is unknown. */
  | {
      readonly kind: "progress";
      readonly stage: string;
      readonly done: number;
      readonly total?: number | undefined;
      /** What is counted; items when absent. */
      readonly unit?: "bytes";
      /** Numbers that go with it: a loss, a speed. */
      readonly note?: string | undefined;
    }
  /** One item could not be used; the others go on. */
  | { readonly kind: "skipped"; readonly item: string; readonly reason: string }
  | { readonly kind: "warning"; readonly message: string }
  /** Something was reached that is worth a line of its own. */
  | { readonly kind: "note"; readonly message: string };
