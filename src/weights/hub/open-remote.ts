import { CliptError } from "../../tensor/index.js";
import type { OpenRemote } from "./download.js";
import type { Repository } from "./names.js";
import type { HubSettings } from "./settings.js";

/** Files by the hub's client. Plain requests, not its Xet protocol: those resume at any byte, and mirrors know them, too. */
export function openerOf(
  { name }: Repository,
  commit: string,
  { endpoint: hubUrl }: HubSettings,
  fetch: typeof globalThis.fetch,
): OpenRemote {
  return async ({ path, size, checksum }, from, onAnswer) => {
    const { downloadFile } = await import("@huggingface/hub");
    const url = `${hubUrl}/${name}/resolve/${encodeURIComponent(commit)}/${path}`;
    let refused: unknown;
    const observed: typeof fetch = async (input, init) => {
      try {
        const response = await fetch(input, init);
        if (response.body === null)
          throw new CliptError("format", `${name}: ${path} arrives without any bytes.`);
        onAnswer(response);
        return response;
      } catch (error) {
        refused = error;
        throw error;
      }
    };
    const blob = await downloadFile({
      repo: { type: "model", name },
      path,
      revision: commit,
      hubUrl,
      fetch: observed,
      xet: false,
      downloadInfo: { url, size, etag: checksum?.hex ?? "" },
    });
    const chunks = blob?.slice(from, size).stream() as AsyncIterable<Uint8Array> | undefined;
    return (async function* () {
      try {
        yield* chunks ?? [];
      } catch (error) {
        // The client's stream passes on an error's text alone.
        throw refused ?? error;
      }
    })();
  };
}
