import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/package-root.js";

/** A path under the reference data that lies beside the project, or undefined in a clone without it. */
export function sharedPath(...parts: string[]): string | undefined {
  const path = join(packageRoot, "..", "shared", ...parts);
  return existsSync(path) ? path : undefined;
}

/** Options for a test that needs that data: skipped, with the reason, where it is absent. */
export const needsShared = (...parts: string[]): { skip: string | false } => ({
  skip:
    sharedPath(...parts) === undefined
      ? `needs ../shared/${parts.join("/")}, which a user's clone does not have`
      : false,
});
