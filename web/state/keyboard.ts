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
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing && document.querySelector("dialog[open]") === null) {
      event.preventDefault();
      focusSearch();
    } else if (event.key === "Escape" && !typing && address.value.pictures.length > 0)
      goBack({ pictures: [], open: undefined });
  });
}
