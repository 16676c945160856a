import { printable } from "../printable.js";
import type { View } from "./screen.js";

type Output = readonly { readonly kind: "exact" | "same" | "lookalike"; readonly paths: readonly string[] }[];

const words = { exact: "equal files", same: "the same picture", lookalike: "lookalikes" };

/** A paragraph for each group, the picture to keep first. */
export const duplicatesView: View = (output, { colors }) => {
  const groups = output as Output;
  if (groups.length === 0) return "No copies.";
  return groups
    .map(({ kind, paths: [first = "", ...others] }) =>
      [
        `${printable(first)}  ${colors.dim(words[kind])}`,
        ...others.map((path) => `  ${printable(path)}`),
      ].join("\n"),
    )
    .join("\n\n");
};
