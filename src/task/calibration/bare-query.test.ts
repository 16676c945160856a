import assert from "node:assert/strict";
import { test } from "node:test";
import { bareQuery, colouredThing } from "./bare-query.js";

test("words that only say that it is a picture are left out", () => {
  for (const [query, bare] of [
    ["a dog", "dog"],
    ["a photo of a dog", "dog"],
    ["A black and white picture of the Eiffel tower.", "Eiffel tower"],
    ["a picture where you can see two cats", "two cats"],
    ["someone took a picture of this fish", "fish"],
    ["there is a red car", "red car"],
    ["a dog in this photo", "dog"],
    ["фото: собака.", "собака"],
    ["на снимке собака", "собака"],
    ["чёрно-белая фотография, на которой виден дом", "дом"],
    ["изображение, на котором виден объект «замок».", "замок"],
    ["кошка крупным планом", "кошка"],
    ["фотография машины", "машины"],
  ] as const)
    assert.equal(bareQuery(query), bare, query);
});

test("what is looked for stays, also where it is a picture", () => {
  for (const query of [
    "photo",
    "a picture",
    "фото",
    "photo album",
    "a man with a camera",
    "собака на снегу",
    "sunset",
    "",
  ])
    assert.equal(bareQuery(query), query.replace(/^an? /, ""));
});

test("a colour is told from its thing", () => {
  assert.equal(colouredThing("red car"), "car");
  assert.equal(colouredThing("красная гоночная машина"), "гоночная машина");
  for (const other of ["red", "redwood tree", "orange", "сервер на столе", "red car on a snowy road"])
    assert.equal(colouredThing(other), undefined, other);
});
