import type { Truth } from "../../score/index.js";
import type { Signs, Word } from "./words.js";

/** A picture as its data set describes it: by the name of its class, or by captions. */
export interface Described {
  readonly className: string | undefined;
  /** In English. */
  readonly captions: readonly string[];
}

/** Where an everyday word is seen. */
export function truthOfWord({ shown, open }: Word, pictures: readonly Described[]): Truth {
  const [says, leavesOpen] = [saying(shown.captions), saying(open.captions)];
  return Int8Array.from(pictures, ({ className, captions }) => {
    if (className !== undefined)
      return shown.classes.has(className) ? 1 : open.allClasses || open.classes.has(className) ? -1 : 0;
    if (captions.some(says)) return 1;
    return open.allCaptions || captions.some(leavesOpen) ? -1 : 0;
  });
}

/**
 * Where a class is seen. Photographs whose captions name it show it; those of a word for it ("dog" for "Chihuahua") leave it open.
 *
 * @param names  synonyms, the best first
 * @param words  the everyday words that it is of
 * @param unsaid whether captions say nothing sure of it
 */
export function truthOfClass(
  names: readonly string[],
  words: readonly Word[],
  unsaid: boolean,
  pictures: readonly Described[],
): Truth {
  const named = saying(new Set(names));
  const open = words.map(({ own }) => saying(own));
  return Int8Array.from(pictures, ({ className, captions }) => {
    if (className !== undefined) return Number(className === names[0]);
    if (unsaid) return -1;
    if (captions.some(named)) return 1;
    return open.some((says) => captions.some(says)) ? -1 : 0;
  });
}

/** The everyday words that a class is of. */
export const wordsOfClass = (name: string, words: readonly Word[]): Word[] =>
  words.filter(({ shown }) => shown.classes.has(name));

/** Of a caption's words, this share in another photograph's captions makes it a likely match as well. */
const alike = 0.5;

/** Where a caption is true: of its own picture, perhaps of those whose captions share half of its words, of no other. */
export function truthsOfCaptions(
  pictures: readonly Described[],
): (own: number, captions: readonly string[]) => Truth {
  const all = pictures.map(({ captions }) => new Set(captions.flatMap(stemsOf)));
  return (own, captions) => {
    const stems = captions.map((caption) => [...new Set(stemsOf(caption))]);
    return Int8Array.from(pictures, ({ className }, i) => {
      if (i === own) return 1;
      if (className !== undefined) return 0;
      return stems.some((list) => list.filter((stem) => all[i]!.has(stem)).length >= alike * list.length)
        ? -1
        : 0;
    });
  };
}

const stemLength = 5;
/** Words that say nothing of what is seen. */
const empty = new Set(
  "a an the is are in on of with and to at his her their its it he she they that this as by for from up down out over into through while two three one some another other near next front has have being who there him them or off around behind along".split(
    " ",
  ),
);

const stemsOf = (caption: string): string[] =>
  (caption.toLowerCase().match(/[a-z]+/g) ?? [])
    .filter((word) => !empty.has(word))
    .map((word) => word.slice(0, stemLength));

/** Whether a text holds any of the words, in the singular or the plural. */
function saying(words: Signs["captions"]): (text: string) => boolean {
  if (words.size === 0) return () => false;
  const alternatives = [...words].map((word) => word.toLowerCase().replace(/[^\p{L}\p{N} ]/gu, "."));
  const pattern = new RegExp(`\\b(?:${alternatives.join("|")})(?:e?s)?\\b`);
  return (text) => pattern.test(text.toLowerCase());
}
