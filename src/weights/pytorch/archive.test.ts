import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { needsShared, sharedPath } from "../../../test/shared.js";
import * as t from "../../../test/torch-files.js";
import { CliptError, f32, type Tensor } from "../../tensor/index.js";
import { Module, readPyTorch, stateDict } from "./index.js";

const four = { 0: t.floats(1, 2, 3, 4) };
const source = t.storage("FloatStorage", "0", 4);
const scalar = (value: number) => ({
  storages: { 0: t.floats(value) },
  op: t.strided(t.storage("FloatStorage", "0", 1), 0, [], []),
});
const read = (data: Buffer, storages: Record<string, Buffer> = {}) =>
  readPyTorch(t.torchFile(data, storages)).root;
const refused = (bytes: Uint8Array, message: RegExp, code = "format") =>
  assert.throws(() => readPyTorch(bytes), { name: "CliptError", code, message });

describe("plain data comes as it is", () => {
  test("containers, numbers and texts", () => {
    const root = read(
      t.pickle(
        t.dict(
          [t.text("epoch"), t.int(-3)],
          [t.text("name"), t.text("ViT-B-32 ёж")],
          [t.int(0), t.list("N", "\x88", "\x89", "K\x07", "M\x01\x02")],
          [t.text("rate"), "G\x3f\xe0\x00\x00\x00\x00\x00\x00"],
          [t.text("big"), "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7f"],
          [t.text("minus"), "\x8a\x01\xff"],
          [t.text("type"), t.global("torch", "float16")],
          [t.text("size"), t.call(t.global("torch", "Size"), t.tuple(t.int(2), t.int(3)))],
        ),
      ),
    );
    assert.deepEqual(
      root,
      new Map<unknown, unknown>([
        ["epoch", -3],
        ["name", "ViT-B-32 ёж"],
        [0, [null, true, false, 7, 513]],
        ["rate", 0.5],
        ["big", 2n ** 71n - 1n],
        ["minus", -1],
        ["type", "torch.float16"],
        ["size", [2, 3]],
      ]),
    );
  });

  test("protocol 4 with frames, memo and named classes on the stack", () => {
    const framed = Buffer.concat([
      Buffer.from("\x80\x04\x95\0\0\0\0\0\0\0\0\x8c\x0bcollections\x8c\x0bOrderedDict\x93\x94)R\x94h\x01\x8c\x01a\x4b\x01s.", "latin1"),
    ]); // prettier-ignore
    assert.deepEqual(read(framed), new Map([["a", 1]]));
  });

  test("tensors of shared, strided and offset storages", () => {
    const root = read(
      t.pickle(
        t.dict(
          [t.text("all"), t.strided(source, 0, [2, 2], [2, 1])],
          [t.text("transposed"), t.strided(source, 0, [2, 2], [1, 2])],
          [t.text("row"), t.strided(source, 2, [2], [1])],
          [t.text("column"), t.call(t.global("torch._utils", "_rebuild_parameter"), t.strided(source, 1, [2], [2]), "\x88", t.orderedDict())],
          [t.text("empty"), t.strided(source, 0, [0, 5], [5, 1])],
          [t.text("number"), t.strided(source, 3, [], [])],
        ),
      ),
      four,
    ) as Map<string, Tensor>; // prettier-ignore
    assert.deepEqual([...root], [
      ["all", f32([2, 2], [1, 2, 3, 4])],
      ["transposed", f32([2, 2], [1, 3, 2, 4])],
      ["row", f32([2], [3, 4])],
      ["column", f32([2], [2, 4])],
      ["empty", f32([0, 5], [])],
      ["number", f32([], [4])],
    ]); // prettier-ignore
    assert.equal(root.get("all")?.data.buffer, root.get("row")?.data.buffer, "views share the file's bytes");
  });

  test("any strided view equals indexing by hand", () => {
    const axis = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(axis, { maxLength: 3 }), fc.integer({ min: 0, max: 5 }), (axes, offset) => {
        const [shape, strides] = [axes.map(([length]) => length), axes.map(([, stride]) => stride)];
        const numbers = Array.from({ length: 60 }, (_, i) => i);
        const expected = axes.reduce<number[]>(
          (places, [length, stride]) =>
            places.flatMap((at) => Array.from({ length }, (_, i) => at + i * stride)),
          [offset],
        );
        const view = t.strided(t.storage("FloatStorage", "0", 60), offset, shape, strides);
        assert.deepEqual(read(t.pickle(view), { 0: t.floats(...numbers) }), f32(shape, expected));
      }),
    );
  });

  test("a file from before PyTorch 1.6", () => {
    const views = t.dict(
      [t.text("b"), t.strided(t.storage("FloatStorage", "8", 1), 0, [1], [1])],
      [t.text("a"), t.strided(t.storage("FloatStorage", "7", 2), 1, [1], [1])],
    );
    const bytes = t.legacyTorchFile(t.pickle(views), {
      7: { count: 2, numbers: t.floats(1, 2) },
      8: { count: 1, numbers: t.floats(3) },
    });
    assert.deepEqual(readPyTorch(bytes).root, new Map([["b", f32([1], [3])], ["a", f32([1], [2])]])); // prettier-ignore
  });

  test("the optimizer's state of a training checkpoint", needsShared("reference"), () => {
    const { root } = readPyTorch(
      readFileSync(sharedPath("reference", "vit-tiny/vit-tiny.train.pt") as string),
    );
    assert.ok(root instanceof Map);
    const optimizer = root.get("optimizer");
    assert.ok(optimizer instanceof Map);
    const state = optimizer.get("state");
    assert.ok(state instanceof Map);
    assert.equal(state.size, 16);
    const first = state.get(0);
    assert.ok(first instanceof Map);
    assert.deepEqual(first.get("step"), f32([], [3]));
  });
});

describe("the state dict is found", () => {
  const { op, storages } = scalar(5);
  const five = new Map([["w", f32([], [5])]]);
  const weights = t.dict([t.text("w"), op], [t.text("steps"), t.int(3)]);
  const cases: Record<string, Buffer> = {
    "at the root": t.pickle(weights),
    "under state_dict": t.pickle(t.dict([t.text("epoch"), t.int(1)], [t.text("state_dict"), weights])),
    "beside tensors of its own": t.pickle(t.dict([t.text("step"), op], [t.text("state_dict"), weights])),
    "under any name when it is the only one": t.pickle(t.dict([t.text("net"), weights])),
    "under module. and _orig_mod.": t.pickle(t.dict([t.text("module._orig_mod.w"), op])),
  };
  for (const [name, data] of Object.entries(cases))
    test(name, () => assert.deepEqual(stateDict(read(data, storages)), five));

  test("in the modules of a TorchScript archive", () => {
    const root = read(
      t.pickle(
        t.scriptModule("CLIP", [
          t.text("visual"),
          t.scriptModule("ViT", [t.text("proj"), op], [t.text("training"), "\x89"], [t.text("none"), "N"]),
        ]),
      ),
      storages,
    );
    assert.ok(root instanceof Module);
    assert.deepEqual(stateDict(root), new Map([["visual.proj", f32([], [5])]]));
  });

  test("unless there is none, or several", () => {
    assert.throws(() => stateDict(read(t.pickle(t.dict()))), { code: "format", message: /no state dict/ });
    const several = t.pickle(t.dict([t.text("student"), weights], [t.text("teacher"), weights]));
    assert.throws(() => stateDict(read(several, storages)), { code: "format", message: /student, teacher/ });
  });
});

describe("nothing but tensors and containers", () => {
  const asks: readonly [string, string][] = [
    ["posix", "system"],
    ["os", "system"],
    ["builtins", "eval"],
    ["__builtin__", "exec"],
    ["subprocess", "Popen"],
    ["torch.storage", "_load_from_bytes"],
    ["torch.nn.modules.linear", "Linear"],
    ["torch.hub", "load"],
    ["collections", "OrderedDict.__init__"],
    ["constructor", "prototype"],
  ];
  for (const [module, name] of asks)
    test(`${module}.${name}`, () =>
      refused(
        t.torchFile(t.pickle(t.call(t.global(module, name), t.text("touch owned")))),
        new RegExp(`asks for ${module}\\.${name}, which a weights file has no use for`),
      ));

  const view = (...args: Parameters<typeof t.strided>) => t.pickle(t.strided(...args));
  const dict = t.global("collections", "OrderedDict");
  const cases: readonly [string, Buffer, RegExp][] = [
    ["a name hidden on the stack", t.pickle(t.text("posix"), t.text("system"), "\x93"), /asks for posix\.system/],
    ["a call inside of a call's arguments", t.pickle(t.call(dict, t.call(t.global("os", "system"), t.text("x")))), /os\.system/],
    ["a call of a value", t.pickle(t.text("x"), ")R"), /not a function/],
    ["a call of a type", t.pickle(t.global("torch", "FloatStorage"), ")R"), /FloatStorage, which is not a function/],
    ["an opcode of old protocols", t.pickle("S'x'\n"), /opcode 0x53/],
    ["an extension registry", t.pickle("\x82\x01"), /opcode 0x82/],
    ["an unpickled object's own class", t.pickle(t.text("a"), "}\x92"), /opcode 0x92/],
    ["a copied argument", t.pickle(t.call(dict, t.list())), /OrderedDict out of another value/],
    ["an unhashable key", t.pickle(t.dict([t.list(), "N"])), /key that is not a plain value/],
    ["a key without value", t.pickle("}(", t.text("a"), "u"), /key without a value/],
    ["a list that contains itself", t.pickle("]q\x00h\x00a"), /contains itself/],
    ["a dictionary that contains itself", t.pickle("}q\x00", t.text("a"), "h\x00s"), /contains itself/],
    ["100,000 nested lists", t.pickle("]".repeat(1e5), "a".repeat(1e5 - 1)), /nested more than/],
    ["100,000 marks", t.pickle("(".repeat(1e5)), /no(?:t|ne| value)|where there is none/],
    ["an empty stack", t.pickle("0"), /never opened/],
    ["a memory that was never kept", t.pickle("h\x05"), /never kept/],
    ["a text longer than the file", t.pickle("X\xff\xff\xff\xff"), /cut off/],
    ["bytes of 2^63", t.pickle("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"), /cut off/],
    ["a storage alone", t.pickle(source), /storage outside of a tensor/],
    ["a missing storage", view(t.storage("FloatStorage", "../0", 4), 0, [1], [1]), /missing in the archive/],
    ["a storage that is too short", view(t.storage("FloatStorage", "0", 5), 0, [1], [1]), /needs 20 bytes and has 16/],
    ["a view beyond its storage", view(source, 1, [4], [1]), /does not fit/],
    ["strides beyond the storage", view(source, 0, [2, 2], [3, 1]), /does not fit/],
    ["negative strides", view(source, 3, [4], [-1]), /no possible shape/],
    ["stride 0 that repeats without end", view(source, 0, [1_000_000, 1000], [0, 0]), /does not fit/],
    ["a shape beyond all numbers", view(source, 0, [2 ** 30, 2 ** 30, 2 ** 30], [0, 0, 0]), /larger than any file/],
    ["65 axes", view(source, 0, Array<number>(65).fill(1), Array<number>(65).fill(1)), /no possible shape/],
    ["a storage of nothing known", t.pickle(t.tuple(t.text("storage"), t.text("FloatStorage"), t.text("0"), t.text("cpu"), t.int(1)), "Q"), /other than a storage/],
    ["a tensor out of a text", t.pickle(t.strided(t.text("0"), 0, [1], [1])), /builds a tensor out of something/],
  ]; // prettier-ignore
  for (const [name, data, message] of cases) test(name, () => refused(t.torchFile(data, four), message));

  test("views that together are larger than the file", () => {
    const numbers = t.floats(...Array.from({ length: 4096 }, (_, i) => i));
    const transposed = t.strided(t.storage("FloatStorage", "0", 4096), 0, [64, 64], [1, 64]);
    refused(t.torchFile(t.pickle(t.list(...Array<Buffer>(99).fill(transposed))), { 0: numbers }), /repeat its numbers/);
  }); // prettier-ignore

  test("what many names share is read once", () => {
    const key = (i: number) => t.text(`k${i}`);
    const many = Array.from({ length: 20_000 }, (_, i) => [key(i), "N"] as const);
    const shared = Buffer.concat([t.dict(...many), Buffer.from("q\x00")]);
    const again = Array.from({ length: 20_000 }, (_, i) => [key(i), "h\x00"] as const);
    assert.throws(() => stateDict(read(t.pickle(t.dict([t.text("a"), shared], ...again)))), /no state dict/);
    // An object whose attributes are the dictionary in the memo, 20,000 times.
    const object = `${t.global("__torch__", "M")})\x81h\x00b`;
    const objects = Array<string>(20_000).fill(object);
    assert.throws(() => stateDict(read(t.pickle(t.list(shared, ...objects)))), /no state dict/);
  });

  test("a shape out of lists that double 60 times", () => {
    const doubling = Array.from({ length: 60 }, (_, i) => `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}0`);
    const shape = t.tuple("h\x3c");
    const tensor = t.call(t.global("torch._utils", "_rebuild_tensor_v2"), source, t.int(0), shape, shape);
    refused(t.torchFile(t.pickle("]q\x000", ...doubling, tensor), four), /no possible shape/);
  }); // prettier-ignore

  test("modules that share modules name things without end, and are stopped", () => {
    // Each level holds the one below twice: 2^40 names out of 2 KB.
    let inner: Buffer = t.scriptModule("M", [t.text("w"), scalar(1).op]);
    for (let i = 0; i < 40; i++)
      inner = t.scriptModule("M", [t.text("a"), Buffer.concat([inner, Buffer.from(`q${String.fromCharCode(i)}`, "latin1")])], [t.text("b"), `h${String.fromCharCode(i)}`]);
    assert.throws(() => stateDict(read(t.pickle(inner), scalar(1).storages)), { code: "format", message: /more than 100000 things/ });
  }); // prettier-ignore

  test("an archive without data, with several, in the wrong order of bytes, or packed", () => {
    const data = t.pickle("N");
    refused(t.zip([{ name: "a/version", data }]), /0 files FOLDER\/data\.pkl/);
    refused(t.zip([{ name: "a/data.pkl", data }, { name: "b/data.pkl", data }]), /2 files/);
    refused(t.zip([{ name: "a/data.pkl", data, deflate: true }]), /compressed, which PyTorch does not do/);
    const big = [{ name: "a/data.pkl", data }, { name: "a/byteorder", data: Buffer.from("big") }];
    refused(t.zip(big), /big-endian/, "unsupported");
  }); // prettier-ignore
});

test("a file cut or changed at any of 200 places is refused, or harmless, and ends", () => {
  const archive = t.torchFile(t.pickle(t.dict([t.text("w"), t.strided(source, 0, [2, 2], [2, 1])])), four);
  const legacy = t.legacyTorchFile(t.pickle(t.dict([t.text("w"), t.strided(source, 0, [4], [1])])), {
    0: { count: 4, numbers: t.floats(1, 2, 3, 4) },
  });
  for (const whole of [archive, legacy])
    for (let i = 0; i < 200; i++) {
      const at = Math.floor((i * whole.length) / 200);
      assert.throws(() => readPyTorch(whole.subarray(0, at)), CliptError);
      const changed = Buffer.from(whole);
      changed[at] = 255 - (changed[at] ?? 0);
      try {
        readPyTorch(changed);
      } catch (error) {
        assert.ok(error instanceof CliptError, String(error));
      }
    }
});
