import { CliptError } from "../../tensor/index.js";

/** Letters of all strings together: five times those of a vocabulary of 250,000 pieces. */
const most = 2 ** 23;

/**
 * Strings by prefix. All edges stand in one hash table of typed arrays: some hundred thousand pieces are built in a
 * fraction of the time and memory that objects or prefix strings take.
 */
export class Trie {
  private readonly mask: number;
  // An edge: the node it leaves, its UTF-16 unit, and the node it leads to; 0 marks a free slot, since none leads to the root.
  private readonly parents: Int32Array;
  private readonly units: Uint16Array;
  private readonly children: Int32Array;
  private readonly values: number[] = [-1];

  /** @param entries with values of 0 and above; of equal strings the last counts */
  constructor(entries: readonly (readonly [text: string, value: number])[]) {
    const edges = entries.reduce((sum, [text]) => sum + text.length, 0);
    if (edges > most)
      throw new CliptError(
        "format",
        `A vocabulary of ${edges} letters is larger than any; at most ${most} are read.`,
      );
    const slots = 2 ** Math.ceil(Math.log2(edges * 1.3 + 2));
    this.mask = slots - 1;
    this.parents = new Int32Array(slots);
    this.units = new Uint16Array(slots);
    this.children = new Int32Array(slots);
    for (const [text, value] of entries) {
      let node = 0;
      for (let i = 0; i < text.length; i++) node = this.grow(node, text.charCodeAt(i));
      this.values[node] = value;
    }
  }

  /** The node after one more UTF-16 unit, or 0 where no string goes on like that; the root is 0. */
  step(node: number, unit: number): number {
    return this.children[this.slot(node, unit)]!;
  }

  /** The value of the string that ends at a node, or -1. */
  value(node: number): number {
    return this.values[node]!;
  }

  private grow(node: number, unit: number): number {
    const slot = this.slot(node, unit);
    if (this.children[slot] !== 0) return this.children[slot]!;
    this.parents[slot] = node;
    this.units[slot] = unit;
    return (this.children[slot] = this.values.push(-1) - 1);
  }

  private slot(node: number, unit: number): number {
    const { parents, units, children, mask } = this;
    const hash = Math.imul(node ^ Math.imul(unit, 0x85ebca6b), 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (children[slot] !== 0 && (parents[slot] !== node || units[slot] !== unit)) slot = (slot + 1) & mask;
    return slot;
  }
}
