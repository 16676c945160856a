import { address, goBack } from "./address.js";

export function focusSearch(): void {
  const box = document.querySelector<HTMLInputElement>("#search");
  box?.focus();
  box?.select();
}

/** The picture that Tab would reach. */
export function enterResults(): void {
  document.querySelector<HTMLElement>('.grid .tile-picture[tabindex="0"]')?.focus();
}

/** Keys that work wherever one is. */
export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    const { target } = event;
    const typing = target instanceof HTMLElement && target.matches("input, textarea, select");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    // What lies over the page has keys of its own.
    if (document.querySelector("dialog[open], :popover-open") !== null) return;
    if (event.key === "Escape" && address.value.pictures.length > 0) goBack({ pictures: [] });
    else if (event.key === "/" || event.key === "Escape") focusSearch();
    else return;
    event.preventDefault();
  });
}
