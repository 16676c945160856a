import type { Screen } from "./screen.js";
import { showNumber, table } from "./table.js";

interface Compared {
  readonly checkpoint: string;
  readonly name: string;
  readonly maxAbs: number | null;
  readonly allowed: number;
  readonly ok: boolean;
  readonly error?: string;
}

/** Each checkpoint with the tensor that comes nearest to its limit, then everything that is beyond it. */
export function doctorModelView(output: unknown, screen: Screen): string {
  const { tensors } = output as { readonly tensors: readonly Compared[] };
  const checkpoints = [...new Set(tensors.map(({ checkpoint }) => checkpoint))];
  const compared = checkpoints
    .map((checkpoint) => tensors.filter((tensor) => tensor.checkpoint === checkpoint && tensor.name !== ""))
    .filter((its) => its.length > 0);
  const summary = compared.map((its) => {
    const worst = its.reduce((a, b) => (strain(b) > strain(a) ? b : a));
    return [worst.checkpoint, its.length, worst.name, difference(worst), showNumber(worst.allowed)];
  });
  const failed = tensors.filter(({ ok }) => !ok);
  const failures = failed.map((tensor) =>
    screen.colors.red(
      `${tensor.checkpoint}${tensor.name === "" ? "" : `, ${tensor.name}`}: ` +
        (tensor.error ?? `differs by ${difference(tensor)}, ${showNumber(tensor.allowed)} is allowed`),
    ),
  );
  return [
    ...(summary.length === 0
      ? []
      : [table(["checkpoint", "tensors", "nearest to its limit", "differs by", "allowed"], summary, screen)]),
    ...(failed.length === 0 ? [screen.colors.green(`All ${tensors.length} tensors agree.`)] : failures),
  ].join("\n");
}

/** How much of what is allowed a tensor's difference takes. */
const strain = ({ maxAbs, allowed }: Compared): number => (maxAbs === null ? Infinity : maxAbs / allowed);

const difference = ({ maxAbs }: Compared): string => (maxAbs === null ? "–" : showNumber(maxAbs));
