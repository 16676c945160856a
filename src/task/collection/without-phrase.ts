/** How a language says that something is not there. */
interface Negation {
  /** Between what is wanted and what is not. */
  readonly without: RegExp;
  /** Where what is not wanted ends, after its first word: "without people at sunset". */
  readonly end: RegExp;
  /** Between several things that are not wanted. */
  readonly or: RegExp;
}

/** Words with nothing that belongs to a word beside them; \b knows Latin letters only. */
const words = (list: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}_-])(?:${list})(?![\\p{L}\\p{N}_-])`, "giu");

const negations: readonly Negation[] = [
  {
    without: words(
      "(?:but )?without(?: any)?|w/o|with no|but (?:with )?no|but not|except(?: for)?|excluding",
    ),
    end: words("at|in|on|by|near|under|during|along|with|behind|beside|beneath|over|next to|while"),
    or: words("or|and|nor"),
  },
  {
    without: words("(?:но )?без|но не|кроме"),
    end: words("на|в|во|у|при|под|около|возле|над|с|со|за|среди|рядом"),
    or: words("или|и|либо"),
  },
  {
    without: words("(?:aber )?ohne|aber (?:kein(?:e|en|er|em)?|nicht)|außer"),
    end: words("am|an|auf|im|in|bei|unter|mit|vor|hinter|neben|über"),
    or: words("oder|und"),
  },
  {
    without: words("(?:mais )?sans(?! serif)|mais pas (?:de|d')?"),
    end: words("à|au|aux|dans|sur|près|avec|sous|devant|derrière|en"),
    or: words("ou|et|ni"),
  },
];

/**
 * "A without B or C at D" as what is wanted, "A at D", and what is not, "B" and "C". A text that says nothing of the kind is
 * wanted as it is.
 */
export function withoutPhrase(text: string): { wanted: string; unwanted: string[] } {
  for (const negation of negations) {
    const [before = "", ...after] = text.split(negation.without);
    const found = after.map((part) => split(part, negation));
    // "A rebel without" takes nothing away.
    if (found.length === 0 || found.some(({ unwanted }) => unwanted.length === 0)) continue;
    return {
      wanted: tidy([before, ...found.map(({ rest }) => rest)].map(tidy).join(" ")),
      unwanted: found.flatMap(({ unwanted }) => unwanted),
    };
  }
  return chinese(text) ?? { wanted: text, unwanted: [] };
}

/** What follows the negation: the things that are not wanted, and what belongs to the wanted again. */
function split(text: string, { end, or }: Negation): { unwanted: string[]; rest: string } {
  const part = tidy(text);
  const ends = Array.from(part.matchAll(end), ({ index }) => index).find((index) => index > 0) ?? part.length;
  return { unwanted: several(part.slice(0, ends), or), rest: part.slice(ends) };
}

/** 没有人的海滩 ("a beach that has no people") and 海滩没有人 ("a beach, no people"). */
function chinese(text: string): { wanted: string; unwanted: string[] } | undefined {
  const match = /^(.*?)(?:没有|沒有|不带|不帶|不含)([^的]+)(?:的(.*))?$/su.exec(text);
  if (match === null) return undefined;
  const [, before = "", without = "", after = ""] = match;
  const unwanted = several(without, /[、和或与與]/gu);
  return unwanted.length === 0 ? undefined : { wanted: tidy(tidy(before) + tidy(after)), unwanted };
}

const several = (text: string, or: RegExp): string[] =>
  text
    .split(or)
    .flatMap((part) => part.split(/[,，]/))
    .map(tidy)
    .filter((part) => part !== "");

/** Without spaces and commas around it. */
function tidy(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && /[\s,，]/u.test(text[from]!)) from++;
  while (to > from && /[\s,，.。]/u.test(text[to - 1]!)) to--;
  return text.slice(from, to);
}
