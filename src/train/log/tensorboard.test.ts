import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PbfReader } from "pbf";
import { crc32c } from "./crc32c.js";
import { openEventFile } from "./tensorboard.js";

test("CRC-32C gives the values of RFC 3720, B.4", () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

test("an event file holds records that a reader finds again", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "clipt-events-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = await openEventFile(folder, 1.5);
  await file.write(7, [{ tag: "loss", value: 0.25 }, { tag: "lr", value: -1 }], 2.5); // prettier-ignore
  await file.close();
  const [version, scalars] = records(await readFile(file.path)).map(readEvent);
  assert.deepEqual(version, { time: 1.5, step: 0, version: "brain.Event:2", scalars: [] });
  assert.deepEqual(scalars, { time: 2.5, step: 7, version: "", scalars: [["loss", 0.25], ["lr", -1]] }); // prettier-ignore
});

function records(bytes: Uint8Array): Uint8Array[] {
  const result: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    const unmasked = (view.getUint32(at + 12 + length, true) - 0xa282ead8) >>> 0;
    assert.equal(((unmasked >>> 17) | (unmasked << 15)) >>> 0, crc32c(data));
    result.push(data);
    at += length + 16;
  }
  return result;
}

function readEvent(bytes: Uint8Array) {
  const event = { time: 0, step: 0, version: "", scalars: [] as [string, number][] };
  return new PbfReader(bytes).readFields((tag, result, pbf) => {
    if (tag === 1) result.time = pbf.readDouble();
    if (tag === 2) result.step = pbf.readVarint();
    if (tag === 3) result.version = pbf.readString();
    if (tag === 5)
      pbf.readMessage((field, list, summary) => {
        if (field !== 1) return;
        const scalar: [string, number] = ["", 0];
        summary.readMessage((key, value, message) => {
          if (key === 1) value[0] = message.readString();
          if (key === 2) value[1] = message.readFloat();
        }, scalar);
        list.push(scalar);
      }, result.scalars);
  }, event);
}
