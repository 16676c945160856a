import { effect, signal } from "@preact/signals";

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];
export const languages = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof languages;

const kept = (name: string): string | null => localStorage.getItem(`clipt.${name}`);

const preferred = (): Language =>
  navigator.languages.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => tag in languages) ?? "en";

const chosen = kept("language");
export const language = signal<Language>(chosen === "en" || chosen === "ru" ? chosen : preferred());
export const theme = signal<Theme>(themes.find((name) => name === kept("theme")) ?? "auto");

export function choose(setting: "language" | "theme", value: string): void {
  localStorage.setItem(`clipt.${setting}`, value);
  if (setting === "language") language.value = value as Language;
  else theme.value = value as Theme;
}

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset["theme"] = theme.value;
});
