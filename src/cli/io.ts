/** Where a command writes its words. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** The surroundings of a command; tests bring their own. */
export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const processIo = (): Io => ({ stdout: process.stdout, stderr: process.stderr, env: process.env });

/** Colours belong on a terminal; NO_COLOR (no-color.org) and a dumb terminal turn them off. */
export const wantsColor = (sink: Sink, env: Io["env"]): boolean =>
  sink.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
