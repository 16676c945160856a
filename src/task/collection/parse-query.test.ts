import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyString } from "../../../test/any-string.js";
import { parseQuery, printQuery } from "./parse-query.js";
import type { QueryPart } from "./query-part.js";

const namesPicture = (part: string): boolean => part.endsWith(".jpg");
/** `+` and `-` with texts; pictures and items as they are. */
const brief = (query: string): string =>
  parseQuery(query, namesPicture)
    .map(({ text, picture, item, weight }) => {
      const size = Math.abs(weight) === 1 ? "" : `×${Math.abs(weight)}`;
      const name = text ?? (item === undefined ? `<${String(picture)}>` : `[${item}]`);
      return `${weight < 0 ? "-" : "+"}${name}${size}`;
    })
    .join(" ");

const queries: readonly (readonly [string, string])[] = [
  ["a dog in the snow", "+a dog in the snow"],
  ['"beach" + dog.jpg - "people"', "+beach +<dog.jpg> -people"],
  ["beach -people", "+beach -people"],
  ['beach −"people"', "+beach -people"],
  ['"beach"^2 - item:"/a/b c.jpg"^0.5', "+beach×2 -[/a/b c.jpg]×0.5"],
  ["item:/photos/a.jpg - cars", "+[/photos/a.jpg] -cars"],
  ['"my dog.jpg"', "+<my dog.jpg>"],
  ['"my - dog.jpg" + sea', "+<my - dog.jpg> +sea"],
  ["my dog.jpg", "+<my dog.jpg>"],
  ["a black-and-white t-shirt", "+a black-and-white t-shirt"],
  ["at -5 degrees", "+at -5 degrees"],
  ["C++ on a screen", "+C++ on a screen"],
  ["закат — море", "+закат — море"],
  ['a sign "STOP" in a street', '+a sign "STOP" in a street'],
  ['"STOP" sign', '+"STOP" sign'],
  ['a 5" screen - people', '+a 5" screen -people'],
  ['"say \\"hi\\""', '+say "hi"'],
  ['"C:\\photos\\dog.jpg"', "+<C:\\photos\\dog.jpg>"],
  ["beach - ", "+beach"],
  ["- people", "-people"],
  ["-", "+-"],
  ['""', '+""'],
  [" ", ""],
  ["beach without people", "+beach -people"],
  ["Beach Without People", "+Beach -People"],
  ["a beach without any people or dogs at sunset", "+a beach at sunset -people -dogs"],
  ["street with no cars, people", "+street -cars -people"],
  ["a dog but not a puppy", "+a dog -a puppy"],
  ["without people", "-people"],
  ["rebel without", "+rebel without"],
  ["without-a-cause", "+without-a-cause"],
  ['"doctors without borders"', "+doctors without borders"],
  ["beach without people - dogs", "+beach -people -dogs"],
  ["пляж без людей", "+пляж -людей"],
  ["Пляж без людей и собак на закате", "+Пляж на закате -людей -собак"],
  ["безлюдный пляж", "+безлюдный пляж"],
  ["Strand ohne Menschen", "+Strand -Menschen"],
  ["Hund ohne Leine im Park", "+Hund im Park -Leine"],
  ["plage sans personnes", "+plage -personnes"],
  ["une affiche sans serif", "+une affiche sans serif"],
  ["没有人的海滩", "+海滩 -人"],
  ["海滩没有人和狗", "+海滩 -人 -狗"],
  ["公园里不带狗的孩子", "+公园里孩子 -狗"],
];

for (const [query, expected] of queries)
  test(`${query} means ${expected}`, () => assert.equal(brief(query), expected));

test("no picture is named by default", () => {
  assert.deepEqual(parseQuery("dog.jpg"), [{ text: "dog.jpg", weight: 1 }]);
});

const name = anyString.filter((text) => text.trim() !== "");
const part: fc.Arbitrary<QueryPart> = fc
  .tuple(
    fc.constantFrom("text", "item"),
    name,
    fc.oneof(
      fc.constantFrom(1, -1),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((weight) => weight !== 0),
    ),
  )
  .map(([kind, name, weight]) => {
    if (kind === "item") return { item: name, weight };
    return namesPicture(name) ? { picture: name, weight } : { text: name, weight };
  });

test("a printed query reads as the same parts", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), (parts) => {
      assert.deepEqual(parseQuery(printQuery(parts), namesPicture), parts);
    }),
  );
});

const syntax = fc.array(
  fc.oneof(
    fc.constantFrom('"', "\\", "+", "-", " ", "item:", "^2", "without", "без", "没有", "的", ",", "at", "or"),
    anyString,
  ),
);

test("any text is read, and one that is not blank has parts", () => {
  fc.assert(
    fc.property(syntax, (pieces) => {
      const text = pieces.join("");
      const parts = parseQuery(text, namesPicture);
      assert.equal(parts.length === 0, text.trim() === "");
      for (const { weight } of parts) assert.ok(Number.isFinite(weight) && weight !== 0);
    }),
  );
});
