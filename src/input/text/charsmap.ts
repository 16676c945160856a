import { CliptError } from "../../tensor/index.js";

const decoder = new TextDecoder();

/**
 * SentencePiece's compiled normalisation rules: a trie over UTF-8 bytes (a darts-clone double array) whose values point
 * into one string of replacements that end in zeros.
 *
 * @source google/sentencepiece `normalizer.cc`; Aoe 1989 for double arrays
 */
export class Charsmap {
  private readonly units: Uint32Array;
  private readonly replacements: Uint8Array;
  private readonly read = new Map<number, string>();

  /** @throws `format` when the bytes cannot hold what their first word announces */
  constructor(readonly blob: Uint8Array) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const size = blob.length >= 4 ? view.getUint32(0, true) : 0;
    if (size < 4 || size % 4 !== 0 || size + 4 > blob.length)
      throw new CliptError(
        "format",
        `Normalisation rules of ${blob.length} bytes announce a table of ${size}; the file is cut or not SentencePiece's.`,
      );
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + i * 4, true));
    this.replacements = blob.subarray(4 + size);
  }

  /** Calls back with the length and value of each rule that matches at `at`, shortest first. */
  match(bytes: Uint8Array, at: number, found: (length: number, value: number) => void): void {
    const { units } = this;
    let node = offset(units[0]!);
    for (let i = at; i < bytes.length; i++) {
      const byte = bytes[i]!;
      node ^= byte;
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return;
      node ^= offset(unit);
      if ((unit & 0x100) !== 0) found(i - at + 1, units[node]! & 0x7fffffff);
    }
  }

  /** The replacement that a value stands for. */
  replacement(value: number): string {
    let text = this.read.get(value);
    if (text === undefined) {
      const end = this.replacements.indexOf(0, value);
      text = decoder.decode(this.replacements.subarray(value, end === -1 ? undefined : end));
      this.read.set(value, text);
    }
    return text;
  }
}

const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
