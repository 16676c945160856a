import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { packageRoot } from "../src/package-root.js";

/** The data's journey: a folder imports only itself and folders before it. */
const order = [
  "tensor",
  "graph",
  "runtime",
  "weights",
  "input",
  "model",
  "train",
  "score",
  "store",
  "task",
  "http",
  "cli",
];

/** Code that a browser will run as it is: nothing of Node in it. */
const neutral = [
  /^tensor\//,
  /^graph\//,
  /^score\//,
  /^input\/text\//,
  /^input\/image\/resize/,
  /^weights\/safetensors/,
];

/** Of `model/`, what computes; opening and saving folders is for Node. */
const neutralModel = [/^model\/layers\//, /^model\/towers\//, /^model\/(clip|config|context|spec)\.ts$/];

const src = join(packageRoot, "src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const product = files.filter((file) => !/(\.test|-suite|\.child)\.ts$/.test(file));

const imports = (file: string): string[] =>
  ts
    .preProcessFile(readFileSync(join(src, file), "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName);

const rank = (file: string): number => {
  const folder = file.includes("/") ? file.split("/")[0]! : "";
  return folder === "" ? -1 : order.indexOf(folder);
};

test("every folder of src/ has its place in the order", () => {
  const unknown = new Set(
    product.filter((file) => file.includes("/") && rank(file) < 0).map((file) => file.split("/")[0]),
  );
  assert.deepEqual([...unknown], []);
});

test("a folder imports only folders before it", () => {
  const wrong = product.flatMap((file) =>
    imports(file)
      .filter((to) => to.startsWith("."))
      .map((to) => relative(src, join(src, dirname(file), to)).replaceAll("\\", "/"))
      .filter((to) => file.includes("/") && rank(to) > rank(file))
      .map((to) => `${file} imports ${to}`),
  );
  assert.deepEqual(wrong, []);
});

test("what a browser will run imports nothing of Node", () => {
  const wrong = product
    .filter((file) => [...neutral, ...neutralModel].some((pattern) => pattern.test(file)))
    .flatMap((file) =>
      imports(file)
        .filter((to) => to.startsWith("node:") || to === "onnxruntime-node" || to === "sharp")
        .map((to) => `${file} imports ${to}`),
    );
  assert.deepEqual(wrong, []);
});

test("only runtime/ knows ONNX Runtime", () => {
  const wrong = product.filter(
    (file) => !file.startsWith("runtime/") && imports(file).some((to) => to.startsWith("onnxruntime")),
  );
  assert.deepEqual(wrong, []);
});

test("nothing imports in a circle", () => {
  const graph = new Map(
    product.map((file) => [
      file,
      imports(file)
        .filter((to) => to.startsWith("."))
        .map((to) =>
          relative(src, join(src, dirname(file), to))
            .replaceAll("\\", "/")
            .replace(/\.js$/, ".ts"),
        ),
    ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) {
      for (const to of graph.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    }
  };
  for (const file of product) visit(file, []);
  assert.deepEqual(circles, []);
});
