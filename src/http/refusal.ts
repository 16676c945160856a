/** Why a request is turned away before any work, where HTTP has a status of its own for it. */
const statuses = {
  unauthorized: 401,
  forbidden: 403,
  unknown: 404,
  method: 405,
  timeout: 408,
  large: 413,
  media: 415,
  headers: 431,
  busy: 429,
  overtime: 503,
  unavailable: 503,
} as const;

export type RefusalCode = keyof typeof statuses;

/** A request that HTTP itself has a word for. All other errors are `CliptError`s with the status of their code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = statuses[code];
  }
}

/** Seconds after which a client that was refused for want of room may come back. */
export const retryLater = { "Retry-After": "1" };
