import { CliptError } from "../../tensor/index.js";
import type { Repository } from "./names.js";
import { nearest } from "./nearest.js";
import { pretrained } from "./pretrained.js";
import { published } from "./published.js";
import type { HubSettings } from "./settings.js";

/** What the hub's refusal means and what to do about it. */
export async function refusal(
  response: Response,
  url: URL,
  { name, revision }: Repository,
  { endpoint, token }: HubSettings,
): Promise<CliptError> {
  const kind = response.headers.get("x-error-code") ?? "";
  const said = await wordsOf(response);
  const page = `${endpoint}/${name}`;
  const status = `${url.origin} answered ${response.status}${said === "" ? "" : ` (${said})`}`;
  if (kind === "GatedRepo")
    return new CliptError(
      "io",
      `${name} is gated: accept its terms on ${page}, then set HF_TOKEN to a token of that account ` +
        `(${endpoint}/settings/tokens). ${status}.`,
    );
  if (response.status === 401 || response.status === 403)
    return new CliptError(
      "io",
      token === undefined
        ? `${name} is private, gated or not there: ${status} without a token. Check the name on ${page}${suggestion(name)}; ` +
            `if it is right, set HF_TOKEN to a token that may read it (${endpoint}/settings/tokens).`
        : `${name} may not be read with this token: ${status}. Set HF_TOKEN to a token of an account that may read ${page} ` +
            `(${endpoint}/settings/tokens); a gated model's terms must be accepted there first.`,
    );
  if (kind === "RevisionNotFound")
    return new CliptError(
      "missing",
      `${name} has no revision "${revision}"; its branches and tags are on ${page}.`,
    );
  if (response.status === 404)
    return new CliptError(
      "missing",
      `There is no repository ${name} with a revision "${revision}" on ${endpoint}, and no such file or folder here` +
        `${suggestion(name)}. \`clipt models list\` shows models that are worth choosing from.`,
    );
  return new CliptError("io", `${name} cannot be downloaded: ${status}. Try again later.`);
}

function suggestion(name: string): string {
  const names = new Set([
    ...Object.values(pretrained).flatMap((tags) => Object.values(tags)),
    ...published.map((model) => model.name),
  ]);
  const close = nearest(
    name,
    [...names].filter((other) => other !== name),
  );
  return close.length === 0 ? "" : `; did you mean ${close.join(" or ")}?`;
}

/** The hub's own words, at most a line of them. */
async function wordsOf(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? oneLine(error) : "";
  } catch {
    return response.headers.get("content-type")?.includes("text/plain") === true ? oneLine(text) : "";
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, 200);
