import type { Encoder } from "../../model/index.js";
import { joinPictures, type Known, type KnownQuery, type Pictures, type Truth } from "../../score/index.js";
import { CliptError } from "../../tensor/index.js";
import { readLabelSet } from "../../train/data/index.js";
import { stackVectors } from "../embeddings/embeddings.js";
import { encodeTexts } from "../encode-texts.js";
import { rowsOf } from "../embeddings/embeddings.js";
import { languageOf, templatesFor } from "../labels.js";
import type { Context } from "../task.js";
import type { EncodedSample } from "./encoded-data.js";
import { evidenceOf } from "./evidence.js";
import type { Judge } from "./judged-by.js";
import { everydayWords } from "./reference-texts.js";
import { truthOfClass, truthOfWord, truthsOfCaptions, wordsOfClass, type Described } from "./truths.js";

export interface KnownData {
  /** Pictures with the number of a class, and files with the names of the classes, one for each language. */
  readonly labelled?: { readonly samples: readonly EncodedSample[]; readonly classnames: readonly string[] };
  /** Photographs with captions, and the languages that count; all when absent. */
  readonly captioned?: {
    readonly samples: readonly EncodedSample[];
    readonly languages?: readonly string[] | undefined;
  };
  /** Which of the templates sentences are made of; all when absent. */
  readonly templates?: (index: number) => boolean;
}

interface Asked extends Pick<KnownQuery, "truth" | "thing" | "kind"> {
  readonly text: string;
}

/** Pictures and queries with known answers: for classes, everyday words and captions. */
export async function knownPictures(
  { labelled, captioned, templates = () => true }: KnownData,
  encoder: Encoder,
  judge: Judge,
  context: Context,
): Promise<Known> {
  const sets = await Promise.all(
    (labelled?.classnames ?? []).map((file) => readLabelSet({ classnames: file })),
  );
  const classed = labelled?.samples ?? [];
  if (classed.some(({ sample }) => sample.label === undefined))
    throw new CliptError("input", "Not every labelled picture has a class (KEY.cls).");
  const photographs = captioned?.samples ?? [];
  // Words of captions are looked for in English; so are the classes that the everyday words list.
  const english = sets.find(({ names }) => languageOf(names.map(([best = ""]) => best)) === "en")?.names;
  const described: Described[] = [
    ...classed.map(({ sample }) => ({
      className: english?.[sample.label!]?.[0] ?? `${sample.label}`,
      captions: [],
    })),
    ...photographs.map(({ sample }) => ({
      className: undefined,
      captions: sample.captions.filter(({ language = "en" }) => language === "en").map(({ text }) => text),
    })),
  ];
  const asked: Asked[] = [];
  const ask = async (names: readonly string[], kind: string, of: Pick<Asked, "truth" | "thing">) => {
    const language = languageOf(names);
    const sentences = (await templatesFor(names, undefined, encoder.model)).filter((_, i) => templates(i));
    for (const text of names) {
      asked.push({ text, kind: `${language} ${kind}s`, ...of });
      for (const sentence of sentences)
        asked.push({
          text: sentence.replaceAll("{c}", text),
          kind: `${language} ${kind === "name" ? "" : `${kind} `}sentences`,
          ...of,
        });
    }
  };

  const { words, unsaid } = await everydayWords();
  const truths: Truth[] = (english ?? sets[0]?.names ?? []).map((synonyms, c) =>
    english === undefined
      ? Int8Array.from(described, (_, i) =>
          i < classed.length ? Number(classed[i]!.sample.label === c) : -1,
        )
      : truthOfClass(
          synonyms,
          wordsOfClass(synonyms[0] ?? "", words),
          unsaid.has(synonyms[0] ?? ""),
          described,
        ),
  );
  for (const { names } of sets)
    for (const [thing, [best = ""]] of names.entries())
      await ask([best], "name", { truth: truths[thing]!, thing });
  if (english !== undefined || photographs.length > 0) {
    const languages = new Set([
      "en" as const,
      ...sets.map(({ names }) => languageOf(names.map(([n = ""]) => n))),
    ]);
    for (const [w, word] of words.entries()) {
      const of = { truth: truthOfWord(word, described), thing: firstWord + w };
      for (const language of languages) await ask(word.names[language], "word", of);
    }
  }
  const truthOf = truthsOfCaptions(described);
  for (const [p, { sample }] of photographs.entries()) {
    const own = classed.length + p;
    const other = truthOf(own, described[own]!.captions);
    for (const { text, language = languageOf([text]) } of sample.captions)
      if (captioned?.languages?.includes(language) ?? true)
        asked.push({
          text,
          kind: `${language} captions`,
          truth: language === "en" ? truthOf(own, [text]) : other,
          thing: firstCaption + p,
        });
  }
  if (captioned !== undefined && !asked.some(({ kind }) => kind.endsWith("captions")))
    throw new CliptError("input", "No picture has a caption in these languages.");
  return {
    pictures: picturesOf(classed, photographs, judge),
    queries: await encodeQueries(asked, encoder, judge, context),
  };
}

/** Things are counted on after the classes. */
const [firstWord, firstCaption] = [1_000_000, 2_000_000];

function picturesOf(
  classed: readonly EncodedSample[],
  photographs: readonly EncodedSample[],
  { explain }: Judge,
): Pictures {
  const read = (samples: readonly EncodedSample[]): Pictures => {
    const vectors = stackVectors(samples.map(({ vector }) => vector));
    return { vectors, rows: explain.read(vectors), classes: samples.map(({ sample }) => sample.label ?? -1) };
  };
  if (classed.length === 0) return read(photographs);
  return photographs.length === 0 ? read(classed) : joinPictures(read(classed), read(photographs));
}

async function encodeQueries(
  asked: readonly Asked[],
  encoder: Encoder,
  judge: Judge,
  context: Context,
): Promise<KnownQuery[]> {
  const texts = asked.map(({ text }) => text);
  const rows = rowsOf((await encodeTexts(texts, encoder, context)).features);
  const evidence = await evidenceOf(texts, encoder, judge, context);
  return asked.map(({ truth, thing, kind }, i) => ({
    search: rows[i]!,
    evidence: evidence[i]!.vector,
    traits: evidence[i]!.traits,
    truth,
    thing,
    kind,
  }));
}
