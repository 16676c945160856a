const places = 2 ** 32;

/** A queue of (rank, place), lowest rank first, then lowest place. Ranks stay under 2^20, places under 2^32. */
export class PairHeap {
  // Both numbers in one double, so that one comparison orders them.
  private readonly keys: number[] = [];

  push(rank: number, place: number): void {
    const { keys } = this;
    const key = rank * places + place;
    let at = keys.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): readonly [rank: number, place: number] | undefined {
    const { keys } = this;
    const top = keys[0];
    const key = keys.pop();
    if (top === undefined || key === undefined) return undefined;
    if (keys.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child++;
        if (child >= keys.length || keys[child]! >= key) break;
        keys[at] = keys[child]!;
        at = child;
      }
      keys[at] = key;
    }
    return [Math.floor(top / places), top % places];
  }
}
