/** A queue that gives back its least item first, by the order it is made with. */
export class Heap<T> {
  private readonly items: T[] = [];

  constructor(private readonly before: (a: T, b: T) => boolean) {}

  push(item: T): void {
    const { items, before } = this;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const { items, before } = this;
    const top = items[0];
    const item = items.pop();
    if (item === undefined || items.length === 0) return top;
    for (let at = 0; ;) {
      let child = 2 * at + 1;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (child >= items.length || !before(items[child]!, item)) {
        items[at] = item;
        return top;
      }
      items[at] = items[child]!;
      at = child;
    }
  }
}
