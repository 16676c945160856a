import { open } from "node:fs/promises";
import { join } from "node:path";
import { PbfWriter } from "pbf";
import { crc32c } from "./crc32c.js";

/** One number of a run at a step. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

/** Writes scalars as TensorBoard reads them. */
export interface EventFile {
  readonly path: string;
  /** @param wallTime seconds since 1970 */
  write(step: number, scalars: readonly Scalar[], wallTime: number): Promise<void>;
  close(): Promise<void>;
}

/** A new event file in a folder. TensorBoard reads all of a folder's files as one run. */
export async function openEventFile(folder: string, wallTime: number): Promise<EventFile> {
  const path = join(folder, `events.out.tfevents.${wallTime.toFixed(3)}.clipt`);
  const file = await open(path, "a");
  await file.write(record(event(wallTime, (out) => out.writeStringField(3, "brain.Event:2"))));
  return {
    path,
    async write(step, scalars, time) {
      await file.write(record(scalarEvent(step, scalars, time)));
    },
    close: () => file.close(),
  };
}

/** tensorflow.Event with a summary of scalars. Field numbers: tensorflow/core/util/event.proto, summary.proto. */
export const scalarEvent = (step: number, scalars: readonly Scalar[], wallTime: number): Uint8Array =>
  event(wallTime, (out) => {
    out.writeVarintField(2, step);
    out.writeMessage(
      5,
      (values: readonly Scalar[], summary) => {
        for (const value of values) summary.writeMessage(1, writeScalar, value);
      },
      scalars,
    );
  });

function writeScalar({ tag, value }: Scalar, out: PbfWriter): void {
  out.writeStringField(1, tag);
  out.writeFloatField(2, value);
}

function event(wallTime: number, write: (out: PbfWriter) => void): Uint8Array {
  const out = new PbfWriter();
  out.writeDoubleField(1, wallTime);
  write(out);
  return out.finish();
}

/** A TFRecord: length, its checksum, data, its checksum. Source: tensorflow/core/lib/io/record_writer.cc. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return bytes;
}

/** A checksum of data that may hold checksums itself: rotated and shifted. */
const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
