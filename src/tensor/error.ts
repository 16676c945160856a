/** What went wrong, by kind. The kind alone decides the exit status of the command line and the HTTP status. */
export type Code =
  | "usage" // the call itself is wrong: an unknown flag, a value out of range
  | "input" // what was given to work on cannot be used: a broken picture, an empty label
  | "missing" // something named does not exist: a file, a folder, a model
  | "format" // a file of weights, a model or a data set breaks its format's rules
  | "unsupported" // valid, but not something that clipt can do
  | "io" // the machine or the network refused: disk full, no permission, no connection
  | "shape" // values that do not fit together in a graph
  | "cancelled" // stopped on request
  | "failed"; // a check ran and its result is negative

/** Exit status of the command line for each kind of error; documented in docs/exit-codes.md. */
export const exitCode: Readonly<Record<Code, number>> = {
  failed: 1,
  usage: 2,
  input: 3,
  missing: 4,
  format: 5,
  unsupported: 6,
  io: 7,
  shape: 70,
  cancelled: 130,
};

/** Status of a server's answer for each kind of error; documented in docs/server.md. */
export const httpStatus: Readonly<Record<Code, number>> = {
  usage: 400,
  input: 400,
  missing: 404,
  format: 422,
  unsupported: 422,
  failed: 500,
  shape: 500,
  io: 503,
  cancelled: 503,
};

/**
 * The only error that clipt throws on purpose.
 * Its message says where, what arrived, what was expected and what to do.
 */
export class CliptError extends Error {
  override readonly name = "CliptError";
  constructor(
    readonly code: Code,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What a failed read of a file or folder means: `missing` or `io`; what clipt threw itself stays as it is. */
export function readError(path: string, cause: unknown): CliptError {
  if (cause instanceof CliptError) return cause;
  const { code } = cause as { code?: unknown };
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CliptError("missing", `${path} does not exist.`, { cause });
  return new CliptError("io", `${path} cannot be read: ${reasonOf(cause)}`, { cause });
}

/** "EACCES: permission denied, open '/a/b'" → "permission denied." */
function reasonOf(cause: unknown): string {
  const message = messageOf(cause);
  const [, reason] = /^E[A-Z0-9]+: ([^,]+)/.exec(message) ?? [];
  return reason === undefined ? message : `${reason}.`;
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
