import { InputError } from "../task/task.js";
import { CliptError, httpStatus, type Code } from "../tensor/index.js";
import { Refusal, retryLater } from "./refusal.js";

/** An error as a client sees it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: { readonly code: string; readonly message: string } };
}

/** Faults of the machine or of clipt: what they say may name paths and hosts, so that only the log tells it. */
const ownFault: Readonly<Partial<Record<Code, string>>> = {
  io: "The server could not read or write something that it needs; its log says what.",
  shape: "The server failed at this request; its log says why.",
  failed: "The server failed at this request; its log says why.",
};

/** @param log is told the whole of what the client is not told */
export function answerError(error: unknown, log: (error: unknown) => void): ErrorAnswer {
  if (error instanceof Refusal) return answer(error.status, error.code, error.message, error.headers);
  if (!(error instanceof CliptError)) {
    log(error);
    return answer(500, "internal", "The server failed at this request; its log says why.");
  }
  const { code } = error;
  const hidden = ownFault[code];
  if (hidden !== undefined) log(error);
  const message = hidden ?? (error instanceof InputError ? error.describe((field) => field) : error.message);
  return answer(httpStatus[code], code, message, httpStatus[code] === 503 ? retryLater : {});
}

const answer = (
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ErrorAnswer => ({ status, headers, body: { error: { code, message } } });
