import { signal } from "@preact/signals";

const prefix = "upload:";

export interface Upload {
  readonly file: Blob;
  /** Of this document, for `<img>`. */
  readonly url: string;
}

/** Pictures that were dropped, pasted or chosen during this visit. They are nowhere else. */
export const uploads = signal<ReadonlyMap<string, Upload>>(new Map());

export const isUpload = (picture: string): boolean => picture.startsWith(prefix);

/** @returns the name by which an address knows it */
export function addUpload(file: Blob): string {
  const name = `${prefix}${Date.now().toString(36)}`;
  uploads.value = new Map(uploads.value).set(name, { file, url: URL.createObjectURL(file) });
  return name;
}
