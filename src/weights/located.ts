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

function readLocation({ path, offset, length }: Location): Uint8Array {
  const bytes = new Uint8Array(length);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    for (let done = 0; done < length;) {
      // One call of the system reads at most 2 GiB.
      const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (count === 0) throw new CliptError("io", `${path} became shorter after it was opened.`);
      done += count;
    }
    return bytes;
  } catch (cause) {
    throw cause instanceof CliptError ? cause : readError(path, cause);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
