import { CliptError } from "../../tensor/index.js";
import type { TimmProjection } from "../layers/timm-head.js";
import type { FastVitConfig } from "../towers/fastvit.js";
import type { ImageTowerConfig } from "../towers/index.js";
import type { TimmVitConfig } from "../towers/timm-vit.js";

/** Sizes beside a name; timm's registry has those of its own names. */
export interface TimmSizes {
  /** Blocks; a list has those of each stage. */
  readonly layers: number | readonly number[];
  /** Of the first stage. */
  readonly width: number;
  readonly heads: number;
  readonly patchSize: number;
  readonly mlpRatio: number;
}

/** What OpenCLIP says of a tower of timm's. */
export interface TimmTower {
  readonly name: string;
  readonly pool: string;
  readonly imageSize: readonly [number, number];
  readonly projection: TimmProjection;
  readonly given?: TimmSizes | undefined;
  /** Whether branches of convolutions were folded before the weights were saved. */
  readonly folded: boolean;
}

type VitSizes = Pick<TimmVitConfig, "width" | "layers" | "heads" | "mlpWidth">;

/** Source: timm `vision_transformer.py`. */
const vitSizes: Readonly<Record<string, VitSizes>> = {
  base: { width: 768, layers: 12, heads: 12, mlpWidth: 3072 },
  large: { width: 1024, layers: 24, heads: 16, mlpWidth: 4096 },
  so400m: { width: 1152, layers: 27, heads: 16, mlpWidth: 4304 },
  giantopt: { width: 1536, layers: 40, heads: 16, mlpWidth: 6144 },
};

/** Source: timm `fastvit.py`. */
const fastVitSizes: Readonly<Record<string, Pick<TimmSizes, "width" | "mlpRatio"> & { layers: number[] }>> = {
  fastvit_mci0: { layers: [2, 6, 10, 2], width: 64, mlpRatio: 3 },
  fastvit_mci1: { layers: [4, 12, 20, 4], width: 64, mlpRatio: 3 },
  fastvit_mci2: { layers: [4, 12, 24, 4], width: 80, mlpRatio: 3 },
  fastvit_mci3: { layers: [2, 12, 24, 4, 2], width: 96, mlpRatio: 4 },
  fastvit_mci4: { layers: [2, 12, 24, 4, 4], width: 128, mlpRatio: 4 },
};

/** SigLIP towers that were trained with the approximate GELU; all others have the exact one. */
const tanhNames =
  /^vit_(base_patch32_siglip_256|large_patch16_siglip_512|so400m_patch16_siglip_(256|384|512)|giantopt_patch16_siglip_(256|384))$/;

/** Kinds of names, the pooling that they are used with, and the tower; undefined where a name's sizes are unknown. */
const kinds: readonly {
  readonly names: RegExp;
  readonly pool: string;
  /** Whether all other names are of this kind, too, where sizes stand beside them. */
  readonly others?: boolean;
  readonly read: (tower: TimmTower) => ImageTowerConfig | undefined;
}[] = [
  {
    names: /^vit_([a-z0-9]+)_patch(\d+)_siglip_\d+$/,
    pool: "map",
    others: true,
    read: (tower) => vit(tower, { activation: tanhNames.test(tower.name) ? "gelu_tanh" : "gelu", eps: 1e-6 }),
  },
  {
    names: /^vit_([a-z0-9]+)_mci_\d+$/,
    pool: "token",
    read: (tower) => {
      const own = { classToken: "unplaced", convStem: [4, 2, 2], patchSize: 16 } as const;
      return vit(tower, { activation: "gelu", eps: 1e-6, ...own });
    },
  },
  {
    names: /^vit_([a-z0-9]+)_patch(\d+)_clip_\d+$/,
    pool: "token",
    read: (tower) => vit(tower, { activation: "gelu", eps: 1e-5, classToken: "placed", normPre: true }),
  },
  { names: /^fastvit_\w+$/, pool: "avg", read: fastVit },
];

/**
 * A tower by timm's name for it.
 *
 * @param where what it is called in messages
 * @throws      `unsupported` for a name that is neither known nor described, or pooled in another way
 */
export function readTimm(tower: TimmTower, where: string): ImageTowerConfig {
  // What follows the point names weights, not the tower.
  const name = tower.name.split(".")[0]!;
  const kind =
    kinds.find(({ names }) => names.test(name)) ??
    kinds.find(({ pool, others }) => others && pool === tower.pool && tower.given !== undefined);
  if (kind !== undefined && kind.pool !== tower.pool)
    throw new CliptError(
      "unsupported",
      `${where}: ${tower.name} is supported with timm_pool "${kind.pool}", not "${tower.pool}".`,
    );
  const found = kind?.read({ ...tower, name });
  if (found !== undefined) return found;
  throw new CliptError(
    "unsupported",
    `${where}: timm's tower "${tower.name}" is not supported yet; SigLIP's and MobileCLIP's are.`,
  );
}

/** Names in timm's registry of towers that are known here; the last number of a ViT's is the side of its pictures. */
const registered: readonly string[] = [
  ...[224, 256, 384, 512].map((side) => `vit_base_patch16_siglip_${side}`),
  "vit_base_patch32_siglip_256",
  ...[256, 384, 512].map((side) => `vit_large_patch16_siglip_${side}`),
  ...[224, 378, 384].map((side) => `vit_so400m_patch14_siglip_${side}`),
  ...[256, 384, 512].map((side) => `vit_so400m_patch16_siglip_${side}`),
  ...[256, 384].map((side) => `vit_giantopt_patch16_siglip_${side}`),
  "vit_base_mci_224",
  ...[224, 384].map((side) => `vit_base_patch16_clip_${side}`),
  ...[224, 256, 384, 448].map((side) => `vit_base_patch32_clip_${side}`),
  ...[224, 336].map((side) => `vit_large_patch14_clip_${side}`),
  ...Object.keys(fastVitSizes),
];

/**
 * timm's name for a tower, and how OpenCLIP is to pool it; undefined where timm has none. A SigLIP tower may go by a name
 * whose activation is the other one: OpenCLIP itself publishes such weights.
 */
export function timmNameOf(tower: TimmVitConfig | FastVitConfig): { name: string; pool: string } | undefined {
  const { imageSize, projection } = tower;
  const same = registered.flatMap((name) => {
    const { pool, read } = kinds.find(({ names }) => names.test(name))!;
    const built = read({ name, pool, imageSize, projection, folded: false });
    const side = /^vit_.*_(\d+)$/.exec(name)?.[1];
    const sized = side === undefined || imageSize.every((length) => length === Number(side));
    return built === undefined || !sized ? [] : [{ name, pool, other: differences(built, tower) }];
  });
  return (
    same.find(({ other }) => other.length === 0) ??
    same.find(({ other }) => other.join() === "activation" && tower.kind === "timm-vit")
  );
}

/** Names of the fields in which two configurations differ; what is absent is undefined. */
export const differences = (a: object, b: object): string[] =>
  Object.keys({ ...a, ...b }).filter(
    (key) => JSON.stringify(a[key as never]) !== JSON.stringify(b[key as never]),
  );

function vit(
  { name, imageSize, projection, given }: TimmTower,
  own: Pick<TimmVitConfig, "activation" | "eps" | "classToken" | "convStem" | "normPre"> & {
    patchSize?: number;
  },
): TimmVitConfig | undefined {
  const [, size = "", patch] = /^vit_([a-z0-9]+)(?:_patch(\d+))?_[a-z]+_\d+$/.exec(name) ?? [];
  const common = { kind: "timm-vit", imageSize, projection } as const;
  const known = vitSizes[size];
  if (known !== undefined) return { ...common, patchSize: Number(patch), ...known, ...own };
  if (given === undefined || typeof given.layers !== "number") return undefined;
  const { layers, width, heads, patchSize, mlpRatio } = given;
  return { ...common, layers, width, heads, patchSize, mlpWidth: Math.trunc(width * mlpRatio), ...own };
}

/** MobileCLIP's towers have four stages, the large ones of MobileCLIP2 five: the rest follows from that. */
function fastVit({ name, imageSize, projection, given, folded }: TimmTower): FastVitConfig | undefined {
  const { layers, width: first, mlpRatio } = fastVitSizes[name] ?? given ?? {};
  if (typeof layers !== "object" || first === undefined || mlpRatio === undefined) return undefined;
  const large = layers.length > 4;
  return {
    kind: "fastvit",
    imageSize,
    stages: layers.map((blocks, i) => {
      const width = first * 2 ** i;
      return {
        width,
        blocks,
        mlpWidth: Math.trunc(width * mlpRatio),
        mixer: i < 3 ? "repmixer" : "attention",
        squeeze: large || i < 2 ? undefined : eights(width / 4),
      };
    }),
    stemScale: !large,
    norm: large ? "layer" : "batch",
    folded,
    projection,
  };
}

/** The nearest multiple of 8, at least 8. Source: timm `make_divisible`. */
const eights = (count: number): number => Math.max(8, Math.floor((count + 4) / 8) * 8);
