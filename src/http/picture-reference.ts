import { CliptError } from "../tensor/index.js";
import type { Body, Upload } from "./body.js";
import type { Serving } from "./serving.js";

/** How a field of JSON names an upload of the same request. */
export const uploadPrefix = "upload:";

/** The picture that a client means by a text. @throws `usage` for what is no picture's name or content */
export async function resolvePicture(
  reference: string,
  uploads: Body["uploads"],
  { fetchPicture }: Pick<Serving, "fetchPicture">,
  signal: AbortSignal,
): Promise<Upload> {
  if (reference.startsWith(uploadPrefix)) {
    const [name = "", place = "0"] = reference.slice(uploadPrefix.length).split("#");
    const upload = uploads.get(name)?.[Number(place)];
    if (upload === undefined) throw new CliptError("usage", `The request has no file in the field ${name}.`);
    return upload;
  }
  if (/^https?:\/\//i.test(reference)) {
    if (fetchPicture === undefined)
      throw new CliptError(
        "usage",
        "This server does not download pictures (it was not started with --fetch-urls); send the picture itself.",
      );
    return { name: reference, bytes: await fetchPicture(reference, signal) };
  }
  const [, data = reference] = /^data:[^,]*;base64,(.*)$/s.exec(reference) ?? [];
  if (data === "" || !/^[\w+/-]+={0,2}$/.test(data))
    throw new CliptError(
      "usage",
      "A picture is given as base64, as a data: URL, as a file of a form or as an http(s) address.",
    );
  return { bytes: new Uint8Array(Buffer.from(data, "base64")) };
}
