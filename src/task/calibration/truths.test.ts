import assert from "node:assert/strict";
import { test } from "node:test";
import { CliptError } from "../../tensor/index.js";
import { everydayWords } from "./reference-texts.js";
import { truthOfClass, truthOfWord, truthsOfCaptions, wordsOfClass, type Described } from "./truths.js";
import { readWords } from "./words.js";

const { words, unsaid } = readWords([
  "# a comment",
  "?: sock",
  "dog | собака | beagle | dog, puppy, puppies | | animal",
  "animal | животное | @dog, lion | @dog, horse | *, teddy bear | ",
  "puppy | щенок | | puppy, puppies | @dog | @dog",
]);
const of = (name: string) => words.find(({ names }) => names.en[0] === name)!;
const classed = (className: string): Described => ({ className, captions: [] });
const photograph = (...captions: string[]): Described => ({ className: undefined, captions });

test("a word is seen where a class or a caption says so, and unknown where they leave it open", () => {
  const pictures = [
    classed("beagle"),
    classed("lion"),
    classed("sofa"),
    photograph("Two dogs run.", "A race"),
    photograph("A horse jumps"),
    photograph("An animal sleeps"),
    photograph("A dogma"),
  ];
  assert.deepEqual([...truthOfWord(of("dog"), pictures)], [1, 0, 0, 1, 0, -1, 0]);
  assert.deepEqual([...truthOfWord(of("animal"), pictures)], [1, 1, -1, 1, 1, 0, 0]);
  // Any dog may be a puppy.
  assert.deepEqual([...truthOfWord(of("puppy"), pictures)], [-1, 0, 0, -1, 0, -1, 0]);
});

test("captions name a class, or leave it open by a word for it", () => {
  const pictures = [
    classed("beagle"),
    classed("lion"),
    photograph("A beagle"),
    photograph("The puppy is wet."),
    photograph("A red wall"),
  ];
  const own = wordsOfClass("beagle", words);
  assert.deepEqual([...truthOfClass(["beagle"], own, false, pictures)], [1, 0, 1, -1, 0]);
  assert.deepEqual([...truthOfClass(["sock"], [], unsaid.has("sock"), pictures)], [0, 0, -1, -1, -1]);
});

test("a caption is true of its own picture, perhaps of alike ones", () => {
  const pictures = [
    photograph("A dog runs over green grass"),
    photograph("A brown dog runs"),
    photograph("A woman reads"),
    classed("beagle"),
  ];
  assert.deepEqual([...truthsOfCaptions(pictures)(0, pictures[0]!.captions)], [1, -1, 0, 0]);
});

test("a line that says too little is refused", () => {
  assert.throws(
    () => readWords(["dog"]),
    (error) => error instanceof CliptError && /English or Russian/.test(error.message),
  );
  assert.throws(() => readWords(["dog | собака | @wolf"]), /@wolf/);
});

test("the shipped words can be read", async () => {
  const shipped = await everydayWords();
  assert.ok(shipped.words.length > 100);
  assert.ok(shipped.words.find(({ names }) => names.ru.includes("машина")));
});
