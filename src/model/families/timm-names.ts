import { CliptError } from "../../tensor/index.js";
import type { BlockConfig } from "../layers/block.js";

type Sizes = Pick<BlockConfig, "width" | "heads" | "mlpWidth"> & {
  readonly layers: number;
  readonly patchSize: number;
};

/** Sizes that timm's registry knows by name. Source: timm `vision_transformer.py`. */
const sizes: Readonly<Record<string, Omit<Sizes, "patchSize">>> = {
  base: { width: 768, layers: 12, heads: 12, mlpWidth: 3072 },
  large: { width: 1024, layers: 24, heads: 16, mlpWidth: 4096 },
  so400m: { width: 1152, layers: 27, heads: 16, mlpWidth: 4304 },
  giantopt: { width: 1536, layers: 40, heads: 16, mlpWidth: 6144 },
};

/** Towers that were trained with the approximate GELU; all others have the exact one. */
const tanhNames =
  /^vit_(base_patch32_siglip_256|large_patch16_siglip_512|so400m_patch16_siglip_(256|384|512)|giantopt_patch16_siglip_(256|384))$/;

/**
 * What timm knows of a SigLIP tower by its name alone.
 *
 * @param given sizes from beside a name that timm does not know
 * @throws      `unsupported` for a name that is neither known nor described
 */
export function timmSigLip(name: string, given?: Sizes): Sizes & BlockConfig {
  const base = name.split(".")[0]!;
  const [, size = "", patch = ""] = /^vit_([a-z0-9]+)_patch(\d+)_siglip_\d+$/.exec(base) ?? [];
  const known = sizes[size] && { ...sizes[size], patchSize: Number(patch) };
  const found = known ?? given;
  if (found === undefined)
    throw new CliptError("unsupported", `timm's tower "${name}" is not among the supported SigLIP towers.`);
  return { ...found, activation: tanhNames.test(base) ? "gelu_tanh" : "gelu", eps: 1e-6 };
}
