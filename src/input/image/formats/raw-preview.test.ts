import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { halves, losslessJpeg, madeNef, MadeTiff } from "../../../../test/made-raw.js";
import { decodeImage } from "../decode.js";
import { describePicture } from "../describe.js";
import { rawPreview } from "./raw-preview.js";
import { sniff } from "./sniff.js";

const photo = await halves(900, 600);
const thumbnail = await halves(160, 120);

/** Canon: the preview as a strip of the first directory, the sensor's numbers as a JPEG without loss in another. */
function cr2(): Uint8Array {
  const tiff = new MadeTiff(true);
  tiff.put([...Buffer.from("CR"), 2, 0, 0, 0, 0, 0]);
  const sensor = tiff.directory([
    [0x103, 3, [6]],
    [0x111, 4, [tiff.put(losslessJpeg)]],
    [0x117, 4, [losslessJpeg.length]],
  ]);
  return tiff.file(
    tiff.directory(
      [
        [0x103, 3, [6]],
        [0x111, 4, [tiff.put(photo)]],
        [0x112, 3, [6]],
        [0x117, 4, [photo.length]],
      ],
      sensor,
    ),
  );
}

/** Adobe: the preview in a directory inside, the sensor's numbers there, too. */
function dng(): Uint8Array {
  const tiff = new MadeTiff(false);
  const strip = (jpeg: Uint8Array, photometric: number) =>
    tiff.directory([
      [0x103, 3, [7]],
      [0x106, 3, [photometric]],
      [0x111, 4, [tiff.put(jpeg)]],
      [0x117, 4, [jpeg.length]],
    ]);
  const inside = [strip(losslessJpeg, 32803), strip(photo, 6)];
  return tiff.file(
    tiff.directory([
      [0x112, 3, [6]],
      [0x14a, 4, inside],
      [0xc612, 1, [1, 4, 0, 0]],
    ]),
  );
}

/** Sony: the preview beside the first directory's other tags, a thumbnail in the second. */
function arw(): Uint8Array {
  const tiff = new MadeTiff(true);
  const jpeg = (bytes: Uint8Array): [number, number, number[]][] => [
    [0x201, 4, [tiff.put(bytes)]],
    [0x202, 4, [bytes.length]],
  ];
  const second = tiff.directory(jpeg(thumbnail));
  const sensor = tiff.directory([[0x106, 3, [32803]]]);
  return tiff.file(tiff.directory([[0x112, 3, [6]], [0x14a, 4, [sensor]], ...jpeg(photo)], second));
}

/** Panasonic: the preview is the value of a tag. */
function rw2(): Uint8Array {
  const tiff = new MadeTiff(true, [0x55, 0]);
  return tiff.file(
    tiff.directory([
      [0x2e, 7, [...photo]],
      [0x112, 3, [6]],
    ]),
  );
}

/** Olympus: a thumbnail in the second directory, the preview where only the maker's notes say. */
function orf(): Uint8Array {
  const tiff = new MadeTiff(true, [0x52, 0x4f]);
  tiff.put(photo);
  const second = tiff.directory([
    [0x201, 4, [tiff.put(thumbnail)]],
    [0x202, 4, [thumbnail.length]],
  ]);
  return tiff.file(tiff.directory([[0x112, 3, [6]]], second));
}

/** Fujifilm: the preview, with all that the camera wrote, behind a head of its own. */
async function raf(): Promise<Uint8Array> {
  const turned = await sharp(photo).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
  const head = Buffer.alloc(148);
  head.write("FUJIFILMCCD-RAW 0201FF383501");
  head.writeUInt32BE(head.length, 84);
  head.writeUInt32BE(turned.length, 88);
  return new Uint8Array(Buffer.concat([head, turned]));
}

/** Canon, since 2018: boxes as in films; the tags in one of them. */
function cr3(): Uint8Array {
  const tiff = new MadeTiff(true);
  const block = tiff.file(tiff.directory([[0x112, 3, [6]]]));
  const box = (kind: string, content: Uint8Array) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(content.length + 8);
    return Buffer.concat([size, Buffer.from(kind), content]);
  };
  const parts = [box("ftyp", Buffer.from("crx \0\0\0\x01crx isom")), box("CMT1", block), box("mdat", photo)];
  return new Uint8Array(Buffer.concat(parts));
}

for (const [name, file] of Object.entries({
  CR2: cr2(),
  CR3: cr3(),
  "NEF, little-endian": madeNef(photo),
  "NEF, big-endian": madeNef(photo, { little: false }),
  DNG: dng(),
  ARW: arw(),
  RW2: rw2(),
  ORF: orf(),
  RAF: await raf(),
}))
  test(`${name}: the preview, upright`, async () => {
    assert.equal(sniff(file), "raw");
    assert.deepEqual(await describePicture(file), { format: "raw", width: 600, height: 900 });
    const picture = await decodeImage(file);
    assert.deepEqual([picture.mode, picture.width, picture.height], ["RGB", 600, 900]);
    // Turned to the right by a quarter, the left half is above.
    const red = (y: number) => picture.data[3 * (y * 600 + 300)]!;
    assert.ok(red(100) > 240 && red(800) < 15, `${red(100)}, ${red(800)}`);
    const stored = await decodeImage(file, { orient: false });
    assert.deepEqual([stored.width, stored.height], [900, 600]);
  });

test("a large preview is reduced while it is decoded, and turned afterwards", async () => {
  const picture = await decodeImage(madeNef(photo, { orientation: 8 }), { shortest: 100 });
  assert.deepEqual([picture.width, picture.height], [200, 300]);
});

test("a raw file without a preview says so; an ordinary TIFF is none", async () => {
  const bare = new MadeTiff(true);
  await assert.rejects(decodeImage(bare.file(bare.directory([[0x106, 3, [32803]]]))), {
    code: "unsupported",
    message: /holds no preview/,
  });
  const tiff = await sharp(photo).tiff({ pyramid: true, tile: true }).toBuffer();
  assert.equal(sniff(new Uint8Array(tiff)), "tiff");
});

test("directories that lead in a circle, and places outside of the file, end", () => {
  const tiff = new MadeTiff(true);
  const first = tiff.directory(
    [
      [0x106, 3, [32803]],
      [0x201, 4, [4_000_000_000]],
      [0x202, 4, [4_000_000_000]],
      [0x14a, 4, [8, 8, 0, 4_294_967_295]],
    ],
    8,
  );
  assert.equal(rawPreview(tiff.file(first)), undefined);
  const whole = madeNef(photo);
  for (let end = 0; end < 60; end++) rawPreview(whole.slice(0, end));
});
