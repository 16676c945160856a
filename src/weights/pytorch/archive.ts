import { CliptError, type Tensor } from "../../tensor/index.js";
import { head } from "../bytes.js";
import { bytesSource, type Source } from "../source.js";
import { decodeStored, type Stored } from "../stored.js";
import { readZip } from "../zip.js";
import { isLegacy, openLegacy } from "./legacy.js";
import { broken, unpickle } from "./pickle.js";
import { mapPlain, type Plain } from "./plain.js";
import { type PlaceStorage, torchWorld } from "./world.js";

/** Size of all copied tensors of a file, in sizes of the file; tied weights need two. */
const copyLimit = 4;

/**
 * A PyTorch file (`torch.save` of any version, TorchScript archive) as plain data. Nothing in it is executed:
 * a file that asks for more than tensors and containers is refused by the name of what it asks for.
 *
 * @returns tensors that are views of `bytes` where they are dense there
 * @throws  `format` when the file is damaged or hostile, `unsupported` for kinds of tensors that clipt has no use for
 */
export const readPyTorch = (bytes: Uint8Array): { root: Plain<Tensor> } => {
  const source = bytesSource(bytes);
  return { root: loadPyTorch(source, openPyTorch(source)) };
};

/** A part of what a file holds, with its tensors read. @throws `format` as `readPyTorch` does */
export function loadPyTorch(source: Source, part: Plain<Stored>): Plain<Tensor> {
  // Many views of one storage could otherwise fill the memory with copies.
  let budget = copyLimit * source.size;
  return mapPlain(part, (stored: Stored): Tensor => {
    const tensor = decodeStored(stored, source.read(stored.begin, stored.end));
    budget -= tensor.data.byteLength;
    if (budget < 0) throw broken(`its tensors repeat its numbers more than ${copyLimit} times`);
    return tensor;
  });
}

/** The same file with its tensors left where they are. */
export function openPyTorch(source: Source): Plain<Stored> {
  return isLegacy(source) ? openLegacy(source) : openArchive(source);
}

/** A zip archive: one folder with `data.pkl` and the storages `data/0`, `data/1` … */
function openArchive(source: Source): Plain<Stored> {
  const entries = readZip(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1)
    throw broken(`the archive has ${pickles.length} files FOLDER/data.pkl instead of one`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const read = (name: string): Uint8Array => {
    const { begin, end } = storedEntry(name);
    return source.read(begin, end);
  };
  const storedEntry = (name: string) => {
    const entry = entries.get(name);
    if (entry === undefined) throw broken(`"${head(name)}" is missing in the archive`);
    if (!entry.stored) throw broken(`"${head(name)}" is compressed, which PyTorch does not do`);
    return entry;
  };
  const order = entries.has(`${folder}byteorder`)
    ? new TextDecoder().decode(read(`${folder}byteorder`))
    : "little";
  if (order !== "little")
    throw new CliptError(
      "unsupported",
      `The PyTorch file was saved in ${head(order)}-endian order; only little is read.`,
    );
  const place: PlaceStorage = (key, count, width) => {
    const { begin, end } = storedEntry(`${folder}data/${key}`);
    const bytes = count * width;
    if (end - begin < bytes)
      throw broken(`the storage ${head(key)} needs ${bytes} bytes and has ${end - begin}`);
    return { begin, bytes };
  };
  return mapPlain(unpickle(read(pickle), torchWorld(place)).value, (stored: Stored) => stored);
}
