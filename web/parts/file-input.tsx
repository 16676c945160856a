import type { RefObject } from "preact";
import { searchByFile } from "./take-picture.js";

/** Chooses a picture of the user's. Buttons that can be seen open it by its `input`. */
export const FileInput = ({ input }: { readonly input: RefObject<HTMLInputElement | null> }) => (
  <input
    ref={input}
    class="hidden-file"
    type="file"
    accept="image/*"
    aria-hidden="true"
    tabIndex={-1}
    onChange={(event) => {
      const [chosen] = event.currentTarget.files ?? [];
      if (chosen !== undefined) searchByFile(chosen);
      // The same file may be chosen again.
      event.currentTarget.value = "";
    }}
  />
);
