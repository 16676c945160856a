/**
 * Weights are plain records: objects and lists with leaves of one kind. The path to a leaf, joined by dots,
 * is its name in a state dict ("visual.transformer.resblocks.0.ln_1.weight").
 */
export type Tree<T> = T | { readonly [key: string]: Tree<T> } | readonly Tree<T>[];

/** A record with every leaf of type `A` replaced by `B`: the same model over tensors, specs or values. */
export type Mapped<R, A, B> = R extends A ? B : R extends object ? { [K in keyof R]: Mapped<R[K], A, B> } : R;

/** Leaves by dotted path, in the record's own order. `undefined` branches are left out. */
export function flatten<T>(tree: unknown, isLeaf: (node: unknown) => node is T, prefix = ""): Map<string, T> {
  const result = new Map<string, T>();
  const walk = (node: unknown, path: string): void => {
    if (node === undefined) return;
    if (isLeaf(node)) result.set(path, node);
    else
      for (const [key, child] of Object.entries(node as object))
        walk(child, path === "" ? key : `${path}.${key}`);
  };
  walk(tree, prefix);
  return result;
}

/** The same record with each leaf replaced by what `make` returns for it and its path. */
export function mapTree<R, A, B>(
  tree: R,
  isLeaf: (node: unknown) => node is A,
  make: (leaf: A, path: string) => B,
): Mapped<R, A, B> {
  const walk = (node: unknown, path: string): unknown => {
    if (node === undefined) return undefined;
    if (isLeaf(node)) return make(node, path);
    const at = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
    if (Array.isArray(node)) return node.map((child, i) => walk(child, at(i)));
    return Object.fromEntries(
      Object.entries(node as object).map(([key, child]) => [key, walk(child, at(key))]),
    );
  };
  return walk(tree, "") as Mapped<R, A, B>;
}
