/** One thing that is looked for: exactly one of text, picture and item. */
export interface QueryPart {
  readonly text?: string | undefined;
  /** Bytes, or the path of a file: never take a path from somebody who may not read this machine's files. */
  readonly picture?: Uint8Array | string | undefined;
  /** Id of a picture in the index. */
  readonly item?: string | undefined;
  /** How much it counts; a negative part is not wanted. */
  readonly weight: number;
}
