import { computed } from "@preact/signals";
import { language } from "../state/settings.js";
import { en, type Words } from "./en.js";
import { ru } from "./ru.js";

/** Everything that the page says, in the chosen language. */
export const words = computed<Words>(() => ({ en, ru })[language.value]);

export const showNumber = (value: number, digits = 0): string =>
  value.toLocaleString(words.value.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** "83 %"; "< 1 %" and "> 99 %" rather than what nobody knows. */
export function showPercent(share: number): string {
  const [least, most] = [0.01, 0.99];
  const text = new Intl.NumberFormat(words.value.locale, { style: "percent" }).format(
    Math.min(most, Math.max(least, share)),
  );
  return share < least ? `< ${text}` : share > most ? `> ${text}` : text;
}

/** @param zone "UTC" for what a camera wrote: its clock's face, without a zone */
export const showDate = (time: number, zone?: "UTC"): string =>
  new Date(time).toLocaleString(words.value.locale, {
    dateStyle: "long",
    timeStyle: "short",
    timeZone: zone,
  });

export const showBytes = (bytes: number): string => {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return new Intl.NumberFormat(words.value.locale, {
    style: "unit",
    unit: units[power]!,
    unitDisplay: power === 0 ? "long" : "short",
    maximumSignificantDigits: 3,
  }).format(bytes / 1000 ** power);
};
