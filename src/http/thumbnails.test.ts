import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import sharp from "sharp";
import { startServer } from "../../test/http-server.js";
import { temporaryFolder, writeFiles } from "../../test/made-data.js";
import { writeSmallModel } from "../../test/small-model.js";
import { packageRoot } from "../package-root.js";

const [width, height] = [60, 40];
const [red, green, blue, yellow] = [
  [250, 30, 30],
  [30, 200, 60],
  [40, 60, 220],
  [240, 220, 40],
] as const;
/** Red beside green above blue beside yellow. */
const shown = (x: number, y: number): readonly number[] =>
  y < height / 2 ? (x < width / 2 ? red : green) : x < width / 2 ? blue : yellow;

/**
 * Where a stored pixel is shown: by Exif 2.3, 4.6.4, Orientation, which says what the stored row 0 and column 0 are.
 * @param [u, v] stored column and row
 */
const places: Readonly<Record<number, (u: number, v: number) => [x: number, y: number]>> = {
  1: (u, v) => [u, v],
  2: (u, v) => [width - 1 - u, v],
  3: (u, v) => [width - 1 - u, height - 1 - v],
  4: (u, v) => [u, height - 1 - v],
  5: (u, v) => [v, u],
  6: (u, v) => [width - 1 - v, u],
  7: (u, v) => [width - 1 - v, height - 1 - u],
  8: (u, v) => [v, height - 1 - u],
};

function stored(orientation: number, format: "jpeg" | "png" | "webp" | "tiff" | "avif"): Promise<Buffer> {
  const [w, h] = orientation < 5 ? [width, height] : [height, width];
  const pixels = Array.from({ length: w * h }, (_, i) =>
    shown(...places[orientation]!(i % w, Math.floor(i / w))),
  );
  return sharp(Uint8Array.from(pixels.flat()), { raw: { width: w, height: h, channels: 3 } })
    .withMetadata({ orientation })
    .toFormat(format, { quality: 95 })
    .toBuffer();
}

/** By the middles of its quarters. */
async function quarters(bytes: Buffer): Promise<{ size: number[]; colours: number[][] }> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => {
    const from = info.channels * (Math.floor(y * info.height) * info.width + Math.floor(x * info.width));
    return [...data.subarray(from, from + 3)];
  };
  return {
    size: [info.width, info.height],
    colours: [at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)],
  };
}

const root = temporaryFolder({ after });

test("thumbnails stand upright, whichever way a picture is stored", async () => {
  await writeSmallModel(join(root, "model"));
  const files: Record<string, Uint8Array> = {
    "turned.heic": readFileSync(join(packageRoot, "test/fixtures/pictures/turned.heic")),
  };
  for (const orientation of Object.keys(places))
    files[`${orientation}.jpg`] = await stored(Number(orientation), "jpeg");
  for (const format of ["png", "webp", "tiff", "avif"] as const)
    files[`six.${format}`] = await stored(6, format);
  writeFiles(join(root, "photos"), files);
  const server = await startServer({
    folders: [join(root, "photos")],
    db: join(root, "db"),
    model: join(root, "model"),
  });
  try {
    await server.settled();
    for (const name of Object.keys(files)) {
      const id = new URLSearchParams({ id: join(root, "photos", name) }).toString();
      const { status, body } = await server.json<{ fields: Record<string, unknown> }>(`/api/picture?${id}`);
      assert.equal(status, 200, name);
      const heic = name === "turned.heic";
      // HEIC: stored 48×32, red, green above blue, yellow; its own boxes turn it right by a quarter.
      const [size, wanted] = heic
        ? [
            [32, 48],
            [blue, red, yellow, green],
          ]
        : [
            [width, height],
            [red, green, blue, yellow],
          ];
      assert.deepEqual([body.fields["width"], body.fields["height"]], size, name);
      const thumbnail = await quarters(
        Buffer.from(await (await server.get(`/api/thumbnail?${id}&size=64`)).arrayBuffer()),
      );
      assert.deepEqual(thumbnail.size, size, name);
      for (const [i, colour] of thumbnail.colours.entries())
        for (const [c, value] of colour.entries())
          assert.ok(Math.abs(value - wanted[i]![c]!) < 16, `${name}: ${JSON.stringify(thumbnail.colours)}`);
      const file = await server.get(`/api/file?${id}`);
      assert.match(file.headers.get("content-type") ?? "", heic ? /^image\/heic$/ : /^image\/\w+$/);
      assert.equal((await file.arrayBuffer()).byteLength, files[name]!.length);
    }
  } finally {
    await server.close();
  }
});
