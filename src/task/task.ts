import { z } from "zod";
import { CliptError } from "../tensor/index.js";
import type { TaskEvent } from "./event.js";
import { openServices, type Services } from "./services.js";

export type { TaskEvent };

/** What surrounds a task: chosen by the edge that calls it. */
export interface Context {
  readonly services: Services;
  /** Ends the task soon, with the error `cancelled`; what was finished so far is kept. */
  readonly signal: AbortSignal;
  readonly emit: (event: TaskEvent) => void;
}

export interface Example<I> {
  readonly title: string;
  readonly input: I;
}

/** One thing that people do. The function, the flags and `--help` derive from it. */
export interface Description<I extends z.ZodObject, O extends z.ZodType> {
  /** The words of its command: "eval zeroshot". */
  readonly name: string;
  /** More than the summary can say; paragraphs. */
  readonly details?: string;
  readonly input: I;
  readonly output: O;
  /** Fields of the input that are given by their place, in this order; a list takes all the rest. */
  readonly positional?: readonly (keyof z.output<I> & string)[];
  readonly examples: readonly Example<z.input<I>>[];
  /** False when a check ran and its result is negative; absent for tasks that check nothing. */
  passed?(output: z.output<O>): boolean;
  /** @param given the input before defaults were filled in */
  run(input: z.output<I>, context: Context, given: z.input<I>): Promise<z.output<O>>;
}

export interface Task<I extends z.ZodObject = z.ZodObject, O extends z.ZodType = z.ZodType> {
  /**
   * Runs the task. Without services, the default ones are opened and closed again.
   *
   * @throws `usage` when the input breaks its schema, `cancelled` after the signal, and what the task itself throws
   */
  (input: z.input<I>, context?: Partial<Context>): Promise<z.output<O>>;
  readonly description: Description<I, O>;
}

/** Any task, for code that treats all of them alike; the schema checks what such code gives it. */
export interface AnyTask {
  (input: never, context?: Partial<Context>): Promise<unknown>;
  readonly description: AnyDescription;
}

export interface AnyDescription {
  readonly name: string;
  readonly details?: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodType;
  readonly positional?: readonly string[];
  readonly examples: readonly Example<Readonly<Record<string, unknown>>>[];
  passed?(output: unknown): boolean;
}

export function defineTask<I extends z.ZodObject, O extends z.ZodType>(
  description: Description<I, O>,
): Task<I, O> {
  const call = async (input: z.input<I>, context: Partial<Context> = {}): Promise<z.output<O>> => {
    const parsed = description.input.safeParse(input, { error: sayIssue });
    if (!parsed.success) throw new InputError(parsed.error.issues, description.positional);
    const services = context.services ?? openServices();
    const signal = context.signal ?? new AbortController().signal;
    try {
      signal.throwIfAborted();
      return await description.run(
        parsed.data,
        { services, signal, emit: context.emit ?? (() => {}) },
        input,
      );
    } catch (error) {
      const told = error instanceof CliptError && error.code === "cancelled";
      if (signal.aborted && !told) throw new CliptError("cancelled", "Stopped on request.", { cause: error });
      throw error;
    } finally {
      if (context.services === undefined) await services.close();
    }
  };
  return Object.assign(call, { description });
}

/** What people meet most often, in words that follow the field's name; undefined leaves it to the schema. */
export function sayIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return "is required";
  if (issue.code === "too_small" && issue.origin !== "string" && typeof issue.input === "number")
    return `must be ${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}, not ${issue.input}`;
  if (issue.code === "too_big" && typeof issue.input === "number")
    return `must be ${issue.inclusive === true ? "at most" : "less than"} ${issue.maximum}, not ${issue.input}`;
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.join(", ")}, not ${JSON.stringify(issue.input)}`;
  return undefined;
}

/** An input that breaks its task's schema. The edge may name its flags in its own way: `--labels-file`. */
export class InputError extends CliptError {
  /** @param positional fields that are given by their place and go by their plain names everywhere */
  constructor(
    readonly issues: readonly z.core.$ZodIssue[],
    readonly positional: readonly string[] = [],
  ) {
    super(
      "usage",
      describeIssues(issues, (field) => field),
    );
  }

  /** The message with the edge's names of the flags. */
  describe(nameOf: (field: string) => string): string {
    return describeIssues(this.issues, (field) => (this.positional.includes(field) ? field : nameOf(field)));
  }
}

const describeIssues = (issues: readonly z.core.$ZodIssue[], nameOf: (field: string) => string): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? message : `${nameOf(String(path[0]))}: ${message}`))
    .join("\n");
