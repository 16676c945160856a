import { CliptError, isTensor, stridesOf, type Tensor } from "../../tensor/index.js";
import { bytesOf } from "../bytes.js";
import { storedZip } from "../stored-zip.js";
import { storageNames } from "./world.js";

/** What `torch.save` can be told here: plain data with tensors in it. */
export type Savable =
  Tensor | null | boolean | number | string | readonly Savable[] | ReadonlyMap<string | number, Savable>;

/**
 * A PyTorch file as `torch.save` writes it and `torch.load(weights_only=True)` reads it, in pieces that are views of the
 * tensors. Arrays become lists, maps dictionaries; whole numbers are ints, all others floats.
 *
 * @throws `unsupported` for a type of numbers that PyTorch has no storage for
 * @source PyTorch `torch/serialization.py`; CPython Lib/pickletools.py, protocol 2
 */
export function pyTorchChunks(root: Savable): Uint8Array[] {
  const storages: Uint8Array[] = [];
  const pickle = pickled(root, ({ dtype, data, shape }, out) => {
    const type = storageNames.get(dtype);
    if (type === undefined)
      throw new CliptError("unsupported", `PyTorch has no storage of ${dtype} numbers.`);
    out.global("torch._utils", "_rebuild_tensor_v2").mark().mark();
    out.text("storage").global("torch", type).text(String(storages.length)).text("cpu").number(data.length);
    out.op("t", "Q").number(0).numbers(shape).numbers(stridesOf(shape));
    out.op("\x89").global("collections", "OrderedDict").op(")", "R", "t", "R");
    storages.push(bytesOf({ dtype, shape, data } as Tensor));
  });
  const file = (name: string, data: Uint8Array) => ({ name: `archive/${name}`, data: [data] });
  const ascii = (text: string) => new TextEncoder().encode(text);
  return storedZip([
    file("data.pkl", pickle),
    file("byteorder", ascii("little")),
    ...storages.map((bytes, key) => file(`data/${key}`, bytes)),
    file("version", ascii("3\n")),
  ]);
}

function pickled(root: Savable, writeTensor: (tensor: Tensor, out: Pickle) => void): Uint8Array {
  const out = new Pickle();
  const write = (value: Savable): void => {
    if (value === null) out.op("N");
    else if (typeof value === "boolean") out.op(value ? "\x88" : "\x89");
    else if (typeof value === "number") out.number(value);
    else if (typeof value === "string") out.text(value);
    else if (isTensor(value)) writeTensor(value, out);
    else if (value instanceof Map) {
      out.op("}").mark();
      for (const [key, item] of value as ReadonlyMap<string | number, Savable>) {
        write(key);
        write(item);
      }
      out.op("u");
    } else {
      out.op("]").mark();
      for (const item of value as readonly Savable[]) write(item);
      out.op("e");
    }
  };
  write(root);
  return out.end();
}

/** Opcodes of pickle, protocol 2. */
class Pickle {
  readonly #parts: Buffer[] = [Buffer.from("\x80\x02", "latin1")];

  op(...codes: string[]): this {
    this.#parts.push(Buffer.from(codes.join(""), "latin1"));
    return this;
  }

  mark(): this {
    return this.op("(");
  }

  global(module: string, name: string): this {
    return this.op(`c${module}\n${name}\n`);
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    const head = Buffer.from("X\0\0\0\0", "latin1");
    head.writeUInt32LE(bytes.length, 1);
    this.#parts.push(head, bytes);
    return this;
  }

  number(value: number): this {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0);
    const bytes = Buffer.alloc(10);
    if (whole && value === (value | 0)) {
      bytes.write("J", "latin1");
      this.#parts.push(bytes.subarray(0, bytes.writeInt32LE(value, 1)));
    } else if (whole) {
      bytes.write("\x8a\x08", "latin1");
      this.#parts.push(bytes.subarray(0, bytes.writeBigInt64LE(BigInt(value), 2)));
    } else {
      bytes.write("G", "latin1");
      this.#parts.push(bytes.subarray(0, bytes.writeDoubleBE(value, 1)));
    }
    return this;
  }

  /** A tuple. */
  numbers(values: readonly number[]): this {
    this.mark();
    for (const value of values) this.number(value);
    return this.op("t");
  }

  end(): Uint8Array {
    return Buffer.concat([...this.#parts, Buffer.from(".")]);
  }
}
