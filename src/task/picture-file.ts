/** A picture's file. Equal size and time mean an unchanged file. */
export interface PictureFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}
