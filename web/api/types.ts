/** What the server answers; /docs describes it in full. */

export type Fields = Readonly<Record<string, string | number | boolean>>;

export interface Picture {
  readonly id: string;
  readonly fields: Fields;
}

export interface Result extends Picture {
  /** Cosine. */
  readonly score: number;
  /** That this picture matches. */
  readonly probability?: number;
}

export interface Match {
  /** That anything here matches. */
  readonly probability: number;
  readonly verdict: "matches" | "unsure" | "nothing";
}

export interface Answer {
  readonly results: readonly Result[];
  readonly match?: Match;
  /** Texts whose end the model did not read. */
  readonly truncated?: readonly string[];
}

export interface Listing {
  readonly results: readonly Picture[];
  readonly total: number;
}

export type Sort = "score" | "newest" | "oldest";

export interface Part {
  readonly text?: string;
  readonly item?: string;
  readonly picture?: string;
  readonly weight: number;
}

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly progress?: { readonly stage: string; readonly done: number; readonly total?: number };
  readonly skipped: number;
  readonly skippedItems: readonly { readonly item: string; readonly reason: string }[];
  readonly error?: string;
  readonly started: number;
  readonly ended?: number;
}

export interface Info {
  readonly version: string;
  readonly model: { readonly name: string; readonly identity: string };
  readonly pictures: number;
  readonly db: string;
  readonly folders: readonly string[];
  readonly jobs: readonly Job[];
}

/** What filters can be set to: the values that occur, the most frequent first. */
export type Facets = Readonly<
  Record<"camera" | "format" | "folder", readonly { readonly value: string; readonly count: number }[]>
>;

export type CopyKind = "exact" | "same" | "lookalike";

export interface Copies {
  readonly kind: CopyKind;
  readonly pictures: readonly Picture[];
}

export interface CopiesAnswer {
  readonly state: "ready" | "computing";
  /** 0…1 while they are looked for, where that is known. */
  readonly done?: number;
  /** Those of the last time, while they are looked for anew. */
  readonly groups?: readonly Copies[];
}

export interface MapAnswer {
  readonly state: "ready" | "computing";
  /** 0…1 while it is computed. */
  readonly done?: number;
  readonly ids?: readonly string[];
  /** Little-endian float32, base64: [ids, 2], 0…1. */
  readonly points?: string;
  readonly total?: number;
}

export interface Labelled {
  readonly label: string;
  /** Compared with the other labels. */
  readonly score: number;
  /** By itself, where the model is calibrated. */
  readonly probability?: number;
}

export interface Classified {
  readonly labels: readonly Labelled[];
  /** That none of the labels fits, where the model is calibrated. */
  readonly none?: number;
}
