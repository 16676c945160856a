import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ZipFile, zip } from "../../test/torch-files.js";
import { CliptError } from "../tensor/index.js";
import { bytesSource } from "./source.js";
import { readZip, unpackEntry } from "./zip.js";

const [one, two] = [Buffer.from("one"), Buffer.alloc(500, "two")];
const files: ZipFile[] = [
  { name: "a/one", data: one },
  { name: "a/two", data: two, deflate: true },
];

function unpack(bytes: Uint8Array): Map<string, Buffer> {
  const source = bytesSource(bytes);
  return new Map(
    [...readZip(source)].map(([name, entry]) => {
      const packed = source.read(entry.begin, entry.end);
      return [name, Buffer.from(unpackEntry(packed, name, entry))];
    }),
  );
}

for (const wide of [false, true])
  test(`stored and deflated entries, ${wide ? "64" : "32"}-bit records`, () => {
    assert.deepEqual(unpack(zip(files, wide)), new Map(Object.entries({ "a/one": one, "a/two": two })));
  });

describe("archives that deceive are refused", () => {
  const named = (name: string): ZipFile => ({ name, data: one });
  const cases: [string, Buffer, RegExp][] = [
    ["no archive", Buffer.from("PK\x03\x04 and nothing more that helps"), /no end record/],
    ["a name that climbs out", zip([named("a/../../b")]), /not a name inside an archive/],
    ["an absolute name", zip([named("/etc/passwd")]), /not a name/],
    ["a drive", zip([named("C:evil")]), /not a name/],
    ["backslashes", zip([named("..\\b")]), /not a name/],
    ["a name with a zero byte", zip([named("a\0b")]), /not a name/],
    ["a name twice", zip([named("a"), named("a")]), /"a" twice/],
    ["two names for the same bytes", zip([named("a"), { ...named("b"), claim: { at: 0, localName: "b" } }]), /"b" does not begin where/],
    ["an entry inside another", zip([{ name: "a", data: zip([named("x")]) }, { name: "x", data: one, claim: { at: 31 } }]), /inside another entry/],
    ["another name in front of the data", zip([{ ...named("a"), claim: { localName: "b" } }]), /does not begin where/],
    ["an entry beyond the end", zip([{ ...named("a"), claim: { at: 5000 } }], true), /bytes 5000 to 5030/],
    ["a size beyond the end", zip([{ ...named("a"), claim: { size: 5000 } }]), /reaches into the directory/],
    ["a size of 2^60", zip([{ ...named("a"), claim: { size: 2 ** 60 } }], true), /size of 1152921504606846976 bytes/],
    ["a bomb that admits its size", zip([{ name: "a", data: Buffer.alloc(2 ** 27), deflate: true }]), /a trap/],
    ["a bomb that hides its size", zip([{ name: "a", data: Buffer.alloc(2 ** 20), deflate: true, claim: { size: 10 } }]), /does not unpack to its 10 bytes/],
    ["a size that is too large", zip([{ name: "a", data: two, deflate: true, claim: { size: 501 } }]), /unpacks to 500 bytes instead of 501/],
  ]; // prettier-ignore
  for (const [name, bytes, message] of cases)
    test(name, () => assert.throws(() => unpack(bytes), { name: "CliptError", code: "format", message }));

  /** The archive with one of its records changed. */
  function changed(bytes: Buffer, signature: string, at: number, value: number): Buffer {
    const copy = Buffer.from(bytes);
    copy[copy.lastIndexOf(signature, undefined, "latin1") + at] = value;
    return copy;
  }
  const whole = zip(files);
  test("encryption", () =>
    assert.throws(() => unpack(changed(whole, "PK\x01\x02", 8, 1)), {
      code: "unsupported",
      message: /encrypted/,
    }));
  test("rare compression", () =>
    assert.throws(() => unpack(changed(whole, "PK\x01\x02", 10, 14)), {
      code: "unsupported",
      message: /method 14/,
    }));
  test("a wrong check sum", () =>
    assert.throws(() => unpack(changed(whole, "PK\x01\x02", 16, 0)), /check sum/));
  test("more entries than records", () =>
    assert.throws(() => unpack(changed(whole, "PK\x05\x06", 10, 9)), /fit in/));
  test("fewer entries than records", () =>
    assert.throws(() => unpack(changed(whole, "PK\x05\x06", 10, 1)), /fill/));
  test("end records that contradict each other", () =>
    assert.throws(
      () => unpack(changed(changed(zip(files, true), "PK\x05\x06", 10, 1), "PK\x05\x06", 11, 0)),
      /contradict/,
    ));
  test("bytes behind the end", () =>
    assert.throws(() => unpack(Buffer.concat([whole, one])), /no end record/));
});

test("an archive cut anywhere is refused", () => {
  for (const wide of [false, true]) {
    const whole = zip(files, wide);
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => unpack(whole.subarray(0, length)), CliptError);
  }
});
