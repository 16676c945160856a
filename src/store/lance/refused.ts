import { CliptError, messageOf } from "../../tensor/index.js";
import { diskFull } from "../disk-full.js";

/** What LanceDB's errors of object storage mean, the first that fits. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/NoSuchBucket|ContainerNotFound|bucket does not exist/i, "there is no such bucket"],
  [/BadScheme/, "its server speaks no TLS; AWS_ALLOW_HTTP=true allows that"],
  [
    /AWS credentials|CredentialsNotLoaded/,
    "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
  ],
  [/TokenRequest/, "no credentials were found; GOOGLE_APPLICATION_CREDENTIALS names a file with them"],
  [
    /status: 40[13]\b|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch/,
    "access is refused with these credentials",
  ],
  [/kind: (Connect|Timeout)\b|ConnectError|dns error/, "its server cannot be reached"],
];

/** An error of LanceDB in words: its own name places in its source, requests and answers. */
function plainCause(cause: unknown): string {
  const message = messageOf(cause);
  const meaning = meanings.find(([pattern]) => pattern.test(message))?.[1];
  return meaning ?? message.replace(/,? location: Location \{.*$/s, "");
}

const isFull = (cause: unknown): boolean =>
  /ENOSPC|No space left|os error 28\b|disk quota|os error 122\b/i.test(messageOf(cause));

/** What a failed call at this place throws. @throws `io`, or what was a `CliptError` already */
export const refused =
  (url: string) =>
  (cause: unknown): never => {
    if (cause instanceof CliptError) throw cause;
    throw new CliptError(
      "io",
      isFull(cause) ? diskFull(url) : `The index at ${url} cannot be used: ${plainCause(cause)}`,
      {
        cause,
      },
    );
  };
