import { CliptError } from "../../tensor/index.js";
import { nearest } from "./nearest.js";
import { pretrained } from "./pretrained.js";

/** A repository of the hub at one revision. */
export interface Repository {
  /** "owner/name". */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** OpenAI's own names of its models that are not those of open_clip. */
const openAiNames: Readonly<Record<string, string>> = {
  "ViT-B/32": "ViT-B-32",
  "ViT-B/16": "ViT-B-16",
  "ViT-L/14": "ViT-L-14",
  "ViT-L/14@336px": "ViT-L-14-336",
};

/**
 * The repository that a model's name stands for; undefined for a name that can only be a path.
 *
 * Names are `owner/name[@revision]`, `hf-hub:owner/name[@revision]`, the address of its page, open_clip's architecture
 * with a tag beside it, and the two in one word: `ViT-B-32::openai` (clip-as-service), `ViT-B-32__openai` (immich).
 *
 * @param tag open_clip's `--pretrained`
 * @throws    `missing` for an architecture or a tag that is not in the table, `usage` for a tag that goes with nothing
 */
export function repositoryOf(model: string, tag?: string): Repository | undefined {
  const spelled = /^([\w./@-]+?)(?:::|__)([\w.-]+)$/.exec(model);
  const [, word = model, wordTag = tag] = spelled ?? [];
  const architecture = architectureOf(word);
  if (architecture !== undefined)
    return byTag(architecture, wordTag ?? (word in openAiNames ? "openai" : undefined));
  if (tag !== undefined || (spelled !== null && !word.includes("/"))) throw unknownArchitecture(word);
  return byAddress(model);
}

/** The table's spelling of an architecture. Activations are part of a repository's files, not of its name. */
function architectureOf(word: string): string | undefined {
  const wanted = (openAiNames[word] ?? word).replace(/-quickgelu$/i, "").toLowerCase();
  return Object.keys(pretrained).find((name) => name.toLowerCase() === wanted);
}

function byTag(architecture: string, tag: string | undefined): Repository {
  const tags = pretrained[architecture] ?? {};
  const [first = "", ...others] = Object.keys(tags);
  const chosen = tag ?? (others.length === 0 ? first : undefined);
  const name = chosen === undefined ? undefined : tags[chosen.toLowerCase()];
  if (name !== undefined) return { name, revision: "main" };
  const known = Object.keys(tags).join(", ");
  if (chosen === undefined)
    throw new CliptError(
      "usage",
      `${architecture} was trained on several data sets: choose by --pretrained or ${architecture}::TAG. Tags: ${known}.`,
    );
  throw new CliptError("missing", `${architecture} has no weights "${chosen}". Its tags: ${known}.`);
}

function unknownArchitecture(word: string): CliptError {
  const close = nearest(word, Object.keys(pretrained));
  return new CliptError(
    "missing",
    `"${word}" is none of open_clip's architectures that clipt knows` +
      (close.length === 0 ? "" : `; the nearest are ${close.join(", ")}`) +
      ". A repository of the hub is named owner/name, without a tag.",
  );
}

const part = "[A-Za-z0-9][\\w.-]*";
const address = new RegExp(
  `^(?:hf-hub:|hf://|https?://[\\w.-]+(?::\\d+)?/)?(${part}/${part})(?:(?:@|/tree/)([\\w][\\w./-]*))?/?$`,
);

function byAddress(model: string): Repository | undefined {
  const [, name, revision = "main"] = address.exec(model) ?? [];
  // A revision becomes the name of a file in the cache.
  if (name === undefined || revision.split("/").includes("..")) return undefined;
  return { name, revision };
}
