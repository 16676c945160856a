/**
 * What a query looks for, without the words around it that only say that it is a picture: "a blurry photo of a dog" and
 * "на снимке собака" look for "dog" and "собака". The article goes, too.
 */
export function bareQuery(query: string): string {
  let text = query.trim().replace(/[.!?]+$/, "");
  for (const [pattern, kept] of around) text = text.replace(pattern, kept).trim();
  const bare = text
    .replace(/^["«“](.*)["»”]$/, "$1")
    .replace(article, "")
    .trim();
  return bare === "" ? query.trim() : bare;
}

/** What has the colour in "red car" and "красная машина"; undefined where no colour is named, or more than a thing. */
export const colouredThing = (bare: string): string | undefined => coloured.exec(bare)?.[1];

const coloured =
  /^(?:red|blue|yellow|green|black|white|brown|gr[ae]y|orange|pink|purple|(?:красн|син|голуб|ж[её]лт|зел[её]н|ч[её]рн|бел|коричнев|сер|оранжев|розов|фиолетов)(?:ый|ий|ая|яя|ое|ее|ые|ие))\s+(\S+(?:\s+\S+)?)$/iu;

const article = /^(?:an?|the|this|these|some|several|my)\s+(?=\S)/i;

const around: readonly (readonly [RegExp, string])[] = [
  [/^(?:here|this|that|it|there)(?:'s| is| are)\s+(?=\S)/i, ""],
  [/^(?:show me|find me|find|an everyday scene with)\s+(?=\S)/i, ""],
  [
    /^(?:someone took )?(?:[\w-]+,?\s+){0,4}?(?:photo(?:graph)?|picture|image|snapshot|shot|pic|close-up)s?\s+(?:of|with|showing|that shows?|where you can see|in which you can see)\s+(?=\S)/i,
    "",
  ],
  [
    /\s+(?:seen )?(?:from far away|in the distance|in close-up|close up|in the middle|together|in (?:a|the|this) (?:photo|picture|image))$/i,
    "",
  ],
  // "фото: собака", "a photo: dog"
  [/^[^:]{1,40}:\s+(?=\S)/, ""],
  [/^(?:вот|это|покажи|найди)\s+(?=\S)/i, ""],
  [
    /^(?:[\p{L}-]+,?\s+){0,4}?(?:фото|фотк[аиу]|фотографи[июяей]+|сним(?:ок|ка|ке|ки)|картинк[аеиу]|изображени[еяию]|кадре?)(?!\p{L}),?\s+(?=\S)/iu,
    "",
  ],
  [
    /^(?:(?:на (?:ней|нём|нем|котор\p{L}+)|где|видн[аоы]|виден|изображён|изображен[аоы]?|объект|есть|с)(?!\p{L})\s+)+(?=\S)/iu,
    "",
  ],
  [
    /\s+(?:крупным планом|вдалеке|вдали|в центре(?: кадра)?|в кадре|на фото|на фотографии|на снимке|на картинке)$/iu,
    "",
  ],
];
