import { closeSync, openSync, readSync } from "node:fs";
import { CliptError, readError, type Tensor } from "../tensor/index.js";
import { tensorFromBytes, type TensorInfo } from "./bytes.js";
import type { Location } from "./weights-file.js";

/**
 * A tensor whose numbers stay in their file: they are read when somebody asks for them, and go when nobody holds them.
 *
 * @throws on use `io` when the file is gone or became shorter
 */
export function locatedTensor({ dtype, shape }: TensorInfo, location: Location): Tensor {
  // Held weakly: reading one number after the other reads the file once.
  let held: WeakRef<Tensor["data"]> | undefined;
  return {
    dtype,
    shape,
    get data() {
      const known = held?.deref();
      if (known !== undefined) return known;
      const { data } = tensorFromBytes(dtype, shape, readLocation(location));
      held = new WeakRef(data);
      return data;
    },
  };
}

function readLocation(location: Location): Uint8Array {
  const bytes = new Uint8Array(location.length);
  let done = 0;
  for (const part of locatedBytes(location)) {
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/** Bytes that are read at once. */
const partSize = 1 << 22;

/**
 * A part of a file, piece by piece.
 *
 * @returns views of one buffer: a piece is there until the next is asked for
 * @throws  `io` when the file cannot be read or is too short
 */
export function* locatedBytes({ path, offset, length }: Location): Generator<Uint8Array> {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const buffer = new Uint8Array(Math.min(length, partSize));
    for (let done = 0; done < length;) {
      const count = readSync(file, buffer, 0, Math.min(length - done, partSize), offset + done);
      if (count === 0) throw new CliptError("io", `${path} became shorter after it was opened.`);
      yield buffer.subarray(0, count);
      done += count;
    }
  } catch (cause) {
    throw cause instanceof CliptError ? cause : readError(path, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
