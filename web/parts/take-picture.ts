import { signal } from "@preact/signals";
import { address, go } from "../state/address.js";
import { addUpload } from "../state/uploads.js";
import { say } from "../state/notices.js";
import { words } from "../words/words.js";

/** Whether a picture hangs over the page. */
export const hovering = signal(false);

/** Searches by a picture of the user's; in the view with labels, it is the one that they are tried on. */
export function searchByFile(file: File): void {
  // Browsers do not know every format that the server reads, and then say nothing.
  if (file.type !== "" && !file.type.startsWith("image/")) return say(words.value.search.notPicture);
  const upload = addUpload(file);
  if (address.value.view === "labels") go({ pictures: [upload] });
  else go({ view: "search", query: "", pictures: [upload], open: undefined });
  scrollTo({ top: 0 });
}

const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;

/** Takes pictures that are dropped on the page or pasted into it. */
export function takePictures(): void {
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hovering.value = true;
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) hovering.value = false;
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hovering.value = false;
    const [file] = event.dataTransfer?.files ?? [];
    if (file !== undefined) searchByFile(file);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file === undefined) return;
    event.preventDefault();
    searchByFile(file);
  });
}
