import { main } from "../src/cli/main.js";

/** What a command said and how it ended. */
export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, its cache in the given folder. @param more variables of the environment */
export async function clipt(
  words: readonly string[],
  cache = "/nonexistent",
  more: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const texts = { out: "", err: "" };
  const sink = (name: keyof typeof texts) => ({
    write: (text: string) => {
      texts[name] += text;
      return true;
    },
  });
  const env = { XDG_CACHE_HOME: cache, HOME: cache, ...more };
  const status = await main(words, { stdout: sink("out"), stderr: sink("err"), env });
  return { status, ...texts };
}
