import { CliptError } from "../../tensor/index.js";

/** How the learning rate moves; open_clip's `--lr-scheduler` names. */
export type Schedule =
  | { readonly kind: "cosine" | "const"; readonly warmup: number; readonly total: number }
  | {
      readonly kind: "const-cooldown";
      readonly warmup: number;
      readonly total: number;
      /** Steps at the end during which the rate falls to `cooldownEnd`. */
      readonly cooldown: number;
      readonly cooldownPower: number;
      readonly cooldownEnd: number;
    };

/**
 * The learning rate of a step, counted from 0: a linear warm-up, then the schedule's own curve.
 *
 * @source open_clip `scheduler.py`
 */
export function learningRate(schedule: Schedule, base: number, step: number): number {
  const { kind, warmup, total } = schedule;
  if (step < warmup) return (base * (step + 1)) / warmup;
  switch (kind) {
    case "const":
      return base;
    case "cosine":
      return base * 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / (total - warmup)));
    case "const-cooldown": {
      const start = total - schedule.cooldown;
      if (step < start) return base;
      const left = 1 - (step - start) / (total - start);
      return left ** schedule.cooldownPower * (base - schedule.cooldownEnd) + schedule.cooldownEnd;
    }
  }
}

/** @throws `usage` when the parts do not fit into the run */
export function checkSchedule(schedule: Schedule): Schedule {
  const { warmup, total } = schedule;
  const cooldown = schedule.kind === "const-cooldown" ? schedule.cooldown : 0;
  if (warmup + cooldown > total)
    throw new CliptError(
      "usage",
      `A warm-up of ${warmup} steps${cooldown > 0 ? ` and a cool-down of ${cooldown}` : ""} does not fit into a run of ${total} steps; shorten it or train longer.`,
    );
  return schedule;
}
