import { CliptError } from "../../tensor/index.js";
import { bpe, clipTokenizer } from "./bpe.js";
import { readClipVocabulary } from "./bpe-vocabulary.js";
import { cleanings, type Cleaning } from "./clean/clean.js";
import { isClipVocabulary, openTokenizer, type TokenizerFiles } from "./open-tokenizer.js";
import { sentencePiece } from "./sentencepiece.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";
import type { Tokenizer } from "./tokenizer.js";

export interface TokenizerDifference {
  readonly text: string;
  /** Which of the reference's fields it is, for example "ids" or "open_clip". */
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

export interface TokenizerComparison {
  readonly ok: boolean;
  /** Values compared: each text counts once for each field. */
  readonly compared: number;
  readonly differences: number;
  readonly different: readonly TokenizerDifference[];
  /** Values compared, by field. */
  readonly fields: Readonly<Record<string, number>>;
}

interface Row {
  readonly text: string;
  readonly [field: string]: unknown;
}

/** A published tokenizer's results: texts, each with the ids and forms that it got. */
export interface TokenizerReference {
  readonly context?: number | Readonly<Record<string, number>>;
  readonly texts: readonly Row[];
}

/** What ours makes of a text, for one field of the reference. */
type Field = (row: Row) => unknown;

const listed = 20;

/** Fields that a reference leaves out where they equal another one. */
const sameAs: Readonly<Record<string, string>> = {
  open_clip_ids: "ids",
  open_clip_decoded: "decoded",
  siglip_fast: "siglip_slow",
};

/**
 * Compares a tokenizer with published results, text by text.
 *
 * @param files a vocabulary file or the files of a model folder, by name
 * @param reference `clip_bpe.json` or `siglip_tokens.json`, or another of the same form
 * @throws `missing` when the files and the reference have nothing in common
 */
export function compareTokenizer(files: TokenizerFiles, reference: TokenizerReference): TokenizerComparison {
  const fields = fieldsOf(files, reference);
  const counts: Record<string, number> = {};
  const different: TokenizerDifference[] = [];
  let differences = 0;
  for (const row of reference.texts)
    for (const [what, field] of Object.entries(fields)) {
      const expected = row[what] ?? row[sameAs[what] ?? what];
      if (expected === undefined) continue;
      counts[what] = (counts[what] ?? 0) + 1;
      const got = field(row);
      if (JSON.stringify(got) === JSON.stringify(expected)) continue;
      differences++;
      if (different.length < listed) different.push({ text: row.text, what, expected, got });
    }
  const compared = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (compared === 0)
    throw new CliptError("missing", "The reference holds no results for this kind of tokenizer.");
  return { ok: differences === 0, compared, differences, different, fields: counts };
}

function fieldsOf(files: TokenizerFiles, reference: TokenizerReference): Readonly<Record<string, Field>> {
  const published = Object.entries(files).find(([name, bytes]) => isClipVocabulary(name, bytes));
  if (published !== undefined) return clipFields(new TextDecoder().decode(published[1]), reference);
  const { context } = reference;
  return folderFields(files, (field) => (typeof context === "object" ? context[field] : context));
}

/** The fields of `clip_bpe.json`. */
function clipFields(
  vocabulary: string,
  { context = 77 }: TokenizerReference,
): Readonly<Record<string, Field>> {
  const frame = { context: typeof context === "number" ? context : 77 };
  const [theirs, openclips] = [
    readClipVocabulary(vocabulary),
    readClipVocabulary(vocabulary, { spelling: "openclip" }),
  ];
  const [openai, openclip] = [clipTokenizer(theirs, frame), clipTokenizer(openclips, frame)];
  const [model, openclipModel] = [bpe(theirs), bpe(openclips)];
  const content = frame.context - 2;
  return {
    ids: ({ text }) => openai.encode(text).ids,
    length: ({ text }) => openai.encode(text, Infinity).ids.length,
    clean: ({ text }) => cleanings.clip(text),
    decoded: ({ text }) => model.decode(model.encode(cleanings.clip(text)).slice(0, content)),
    too_long_error_without_truncate: ({ text }) => openai.encode(text).truncatedFrom !== undefined,
    open_clip_ids: ({ text }) => openclip.encode(text).ids,
    open_clip_decoded: ({ text }) =>
      openclipModel.decode(openclipModel.encode(cleanings.lower(text)).slice(0, content)),
    open_clip_ids_context_16: ({ text }) => openclip.encode(text, 16).ids,
  };
}

/** What the reference calls the `tokenizer.json` of a class. */
const fastNames: readonly (readonly [kind: RegExp, name: string])[] = [
  [/^$|^Siglip|^T5/, "siglip"],
  [/^Gemma/, "siglip2"],
  [/^CLIP/, "hf_clip"],
];

/** The fields of `siglip_tokens.json` that a folder has the files for. */
function folderFields(
  files: TokenizerFiles,
  contextOf: (field: string) => number | undefined,
): Readonly<Record<string, Field>> {
  const config = parse(files["tokenizer_config.json"]) as { tokenizer_class?: string };
  const openClip = parse(files["open_clip_config.json"]) as {
    model_cfg?: { text_cfg?: { context_length?: number; tokenizer_kwargs?: { clean?: Cleaning } } };
  };
  const fields: Record<string, Field> = {};
  const open = (chosen: TokenizerFiles, context: number | undefined, cleaning?: Cleaning): Tokenizer =>
    openTokenizer(chosen, {
      ...(cleaning === undefined ? {} : { cleaning }),
      ...(context === undefined ? {} : { frame: { context } }),
    });
  const without = (name: string | undefined): TokenizerFiles =>
    Object.fromEntries(Object.entries(files).filter(([other]) => other !== name));
  const compareRow =
    (tokenizer: Tokenizer): Field =>
    ({ text }) =>
      onePad(tokenizer, text);

  if (files["open_clip_config.json"] !== undefined) {
    const { context_length: context, tokenizer_kwargs: { clean = "whitespace" } = {} } =
      openClip.model_cfg?.text_cfg ?? {};
    fields.open_clip = compareRow(open(files, contextOf("open_clip") ?? context, clean));
    fields.canonical_open_clip = ({ text }) => cleanings.canonicalize(text);
    return fields;
  }
  const spiece = Object.keys(files).find((name) => name.endsWith(".model"));
  if (spiece !== undefined) {
    const { [spiece]: bytes } = files;
    const slow = open(without("tokenizer.json"), contextOf("siglip"));
    const model = readSentencePieceModel(bytes!);
    const raw = sentencePiece(model);
    const special = [model.unknown, model.start, model.end, model.pad];
    const spelled = (ids: readonly number[]) => ids.filter((id) => !special.includes(id));
    fields.siglip_slow = compareRow(slow);
    fields.canonical_transformers = ({ text }) => cleanings["siglip-transformers"](text);
    fields.sentencepiece_raw = (row) => raw.encode(String(row["canonical_open_clip"]));
    fields.siglip_decoded = ({ text }) => raw.decode(spelled(slow.encode(text).ids)).trim();
  }
  if (files["tokenizer.json"] === undefined) return fields;
  const name = fastNames.find(([kind]) => kind.test(config.tokenizer_class ?? ""))?.[1];
  if (name === undefined) return fields;
  fields[`${name}_fast`] = compareRow(open(without(spiece), contextOf(name)));
  return fields;
}

const parse = (bytes: Uint8Array | undefined): object =>
  bytes === undefined ? {} : (JSON.parse(new TextDecoder().decode(bytes)) as object);

/** A padded row with only the first of its padding, as the references write rows. */
function onePad(tokenizer: Tokenizer, text: string): number[] {
  const row = Array.from(tokenizer.batch([text], { padTo: "context" }).ids);
  const { pad } = tokenizer.identity().frame;
  while (row.length > 1 && row.at(-1) === pad && row.at(-2) === pad) row.pop();
  return row;
}
