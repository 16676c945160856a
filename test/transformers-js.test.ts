import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  AutoTokenizer,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  env,
  pipeline,
  SiglipTextModel,
  SiglipVisionModel,
  Tensor as TheirTensor,
} from "@huggingface/transformers";
import sharp from "sharp";
import type { PreprocessConfig } from "../src/input/index.js";
import type { Encoder } from "../src/model/index.js";
import { bundledModel, classify, exportModel, openServices, type Services } from "../src/task/index.js";
import { f32, random, type Tensor } from "../src/tensor/index.js";
import { needsShared, sharedPath } from "./shared.js";
import { writeSmallModel } from "./small-model.js";

/** A client from outside: what its own classes make of an exported folder, without a network. */
describe("transformers.js", () => {
  const root = mkdtempSync(join(tmpdir(), "clipt-transformers-js-"));
  let services: Services;
  before(() => {
    env.allowRemoteModels = false;
    env.localModelPath = root;
    services = openServices();
  });
  after(async () => {
    await services.close();
    rmSync(root, { recursive: true, force: true });
  });

  const texts = [
    "a photo of a cat",
    "a",
    "Two dogs, running in SNOW!",
    "a long text that no small model reads to its end ".repeat(6),
  ];
  const labels = ["cat", "dog", "red car", "boat"];

  const models = [
    {
      name: "a model of clipt's own",
      from: () => writeSmallModel(join(root, "small")),
      path: join(root, "small"),
      options: {},
    },
    { name: "the bundled model", path: bundledModel(), options: {} },
    ...["hf-clip-tiny", "hf-siglip-tiny", "hf-siglip2-tiny", "openclip-siglip-tiny"].map((name) => ({
      name,
      path: sharedPath("reference", name) ?? "",
      options: needsShared("reference", name),
    })),
  ];

  for (const { name, path, options, from } of models as ((typeof models)[number] & {
    from?: () => Promise<void>;
  })[])
    describe(name, options, () => {
      const id = name.replaceAll(/\W/g, "-");
      let encoder: Encoder;
      before(async () => {
        await from?.();
        await exportModel({ model: path, to: "onnx", out: join(root, id) });
        encoder = await services.encoder({ model: path });
      });

      test("makes the same features of the same pixels", async () => {
        const { config, preprocess } = encoder.model;
        const shape = [3, 3, ...sidesOf(preprocess)];
        const rng = random(id);
        const pixels = f32(
          shape,
          Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()),
        );
        const tower = config.score === "sigmoid" ? SiglipVisionModel : CLIPVisionModelWithProjection;
        const model = await tower.from_pretrained(id, { dtype: "fp32" });
        const output = await call(model, { pixel_values: new TheirTensor("float32", pixels.data, shape) });
        sameRows(await encoder.images(pixels), output["image_embeds"] ?? output["pooler_output"]!);
        await model.dispose();
      });

      test("makes the same features of the same texts, however they are padded", async () => {
        const sigmoid = encoder.model.config.score === "sigmoid";
        const tower = sigmoid ? SiglipTextModel : CLIPTextModelWithProjection;
        const [model, tokenizer] = await Promise.all([
          tower.from_pretrained(id, { dtype: "fp32" }),
          AutoTokenizer.from_pretrained(id),
        ]);
        const { features } = await encoder.texts(texts);
        // SigLIP reads its padding: rows of another length are other rows.
        for (const padding of sigmoid ? (["max_length"] as const) : ([true, "max_length"] as const)) {
          const output = await call(model, tokenizer(texts, { padding, truncation: true }));
          sameRows(features, output["text_embeds"] ?? output["pooler_output"]!);
        }
        await model.dispose();
      });

      test("classifies as clipt does where no picture has to be resized", async () => {
        const [height, width] = sidesOf(encoder.model.preprocess);
        const rng = random([id, "picture"]);
        const raw = Buffer.from(Uint8Array.from({ length: height * width * 3 }, () => rng.int(256)));
        const picture = join(root, `${id}.png`);
        await sharp(raw, { raw: { width, height, channels: 3 } })
          .png()
          .toFile(picture);
        const templates = join(root, "templates.txt");
        writeFileSync(templates, "a photo of a {c}\n");
        const classifier = await pipeline("zero-shot-image-classification", id, { dtype: "fp32" });
        const theirs = await classifier(picture, labels, { hypothesis_template: "a photo of a {}" });
        const [ours] = await classify(
          { pictures: [picture], labels, templates, model: path, exact: true },
          { services },
        );
        assert.deepEqual(
          theirs.map(({ label }) => label),
          ours!.labels.map(({ label }) => label),
        );
        theirs.forEach(({ score }, i) =>
          assert.ok(Math.abs(score - ours!.labels[i]!.score) < 1e-4, `${labels[i]}: ${score}`),
        );
        await classifier.dispose();
      });
    });

  test("opens the lighter files of the same folder", async () => {
    const [model, id] = [bundledModel(), "the-bundled-model"];
    const { features } = await (await services.encoder({ model })).texts(labels);
    const tokenizer = await AutoTokenizer.from_pretrained(id);
    for (const [dtype, least] of [
      ["fp16", 0.9999],
      ["q8", 0.99],
    ] as const) {
      await exportModel({ model, to: "onnx", out: join(root, id), dtype, split: true });
      const tower = await CLIPTextModelWithProjection.from_pretrained(id, { dtype });
      const output = await call(tower, tokenizer(labels, { padding: true }));
      sameRows(features, output["text_embeds"]!, least);
      await tower.dispose();
    }
  });

  test("classifies a photo as the bundled model does", async () => {
    const classifier = await pipeline("zero-shot-image-classification", "the-bundled-model", {
      dtype: "fp32",
    });
    const [best] = await classifier("examples/pictures/horse.jpg", ["horse", "cat", "rocket", "coins"]);
    assert.equal(best!.label, "horse");
    await classifier.dispose();
  });
});

const sidesOf = ({ size }: PreprocessConfig): readonly [number, number] =>
  typeof size === "number" ? [size, size] : size;

/** Their classes are functions at run time, which their types do not say. */
const call = (model: unknown, inputs: unknown): Promise<Record<string, TheirTensor>> =>
  (model as (inputs: unknown) => Promise<Record<string, TheirTensor>>)(inputs);

/** Every row points where ours does. */
function sameRows(ours: Tensor<"float32">, theirs: TheirTensor, least = 0.9999): void {
  assert.deepEqual(theirs.dims, ours.shape);
  const [rows = 0, dim = 0] = ours.shape;
  const numbers = theirs.data as Float32Array;
  for (let row = 0; row < rows; row++) {
    const [a, b] = [ours.data, numbers].map((data) => data.subarray(row * dim, (row + 1) * dim));
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    const cosine = dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!));
    assert.ok(cosine >= least, `row ${row}: cosine ${cosine}`);
  }
}
