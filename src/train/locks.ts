import type { ParameterRule } from "./optimiser/parameters.js";

/** What of a tower is frozen, in open_clip's terms. */
export interface Lock {
  /** Last groups of layers that are trained all the same. */
  readonly unlockedGroups: number;
}

export interface Locks {
  readonly image?: Lock | undefined;
  readonly text?: Lock | undefined;
}

/**
 * Rules that freeze towers. The head over a foreign trunk is never part of the lock, as in open_clip.
 *
 * @source open_clip `lock_image_tower`, `lock_text_tower`, `HFTextEncoder.lock`
 */
export function lockRules(names: readonly string[], { image, text }: Locks): ParameterRule[] {
  const rules = (tower: readonly string[], lock: Lock | undefined): ParameterRule[] => {
    if (lock === undefined) return [];
    const trunk = tower.filter((name) => trunks.test(name));
    return frozen(trunk.length > 0 ? trunk : tower, lock).map((match) => ({ match, rate: 0 }));
  };
  const ofText = (name: string) => !/^(visual\.|logit_|label_|distillation_)/.test(name);
  return [
    ...rules(
      names.filter((name) => name.startsWith("visual.")),
      image,
    ),
    ...rules(names.filter(ofText), text),
  ];
}

/** What was trained before a head was put on it: a foreign trunk; an encoder of transformers'. */
const trunks = /(^|\.)trunk\.|(^|\.)transformer\.(embeddings|encoder|pooler)\./;

function frozen(names: readonly string[], { unlockedGroups }: Lock): string[] {
  const numbers = names.flatMap((name) => blockOf(name) ?? []);
  const last = Math.max(0, ...numbers);
  const depth = (name: string): number => {
    const block = blockOf(name);
    if (block !== undefined) return block;
    if (first.test(name)) return 0;
    // The norm after the last block is unlocked with it, a projection before both.
    return /\b(ln_post|ln_final)\b/.test(name) ? last : last + 1;
  };
  const depths = [...new Set(names.map(depth))].sort((a, b) => a - b);
  const open = new Set(unlockedGroups === 0 ? [] : depths.slice(-unlockedGroups));
  return names.filter((name) => !open.has(depth(name)));
}

/** What stands before the first block: embeddings, stems and their norms. */
const first =
  /\b(class_embedding|positional_embedding|token_embedding|embeddings?|pos_embed|patch_embed|ln_pre|conv_stem|stem)\b|^visual\.(conv|bn)\d\b|\btrunk\.bn1\b/;

/** Blocks of one stage follow those of the one before; what leads into a stage belongs to its first. */
const stageLength = 1000;

function blockOf(name: string): number | undefined {
  const staged = /\bstages\.(\d+)\.(?:blocks\.(\d+)|downsample|pos_emb)\./.exec(name);
  if (staged !== null) return Number(staged[1]) * stageLength + Number(staged[2] ?? 0) + 1;
  const match = /\b(?:resblocks|blocks|branches|layer)\.(\d+)\./.exec(name) ?? /\blayer(\d)\./.exec(name);
  return match === null ? undefined : Number(match[1]) + 1;
}
