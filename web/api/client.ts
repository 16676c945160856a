import type {
  Answer,
  Classified,
  CopiesAnswer,
  CopyKind,
  Facets,
  Info,
  Listing,
  MapAnswer,
  Part,
  Picture,
  Sort,
} from "./types.js";

/** What the server refused, in its own words. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {}

export interface Range {
  readonly where?: string | undefined;
  readonly sort: Sort;
  readonly k: number;
  readonly offset: number;
}

export interface Search extends Range {
  readonly parts: readonly Part[];
  readonly query?: string | undefined;
  readonly like: readonly string[];
  readonly dislike: readonly string[];
  /** Pictures that parts name as `upload:NAME`. */
  readonly uploads: ReadonlyMap<string, Blob>;
}

export const readInfo = (): Promise<Info> => get("info");
export const readFacets = (): Promise<Facets> => get("facets");
export const readPicture = (id: string): Promise<Picture> => get("picture", { id });
export const readMap = (): Promise<MapAnswer> => get("map");
export const readDuplicates = (kind: CopyKind): Promise<CopiesAnswer> => get("duplicates", { kind });
export const listPictures = ({ sort, ...range }: Range, signal: AbortSignal): Promise<Listing> =>
  get("pictures", { ...range, sort: sort === "oldest" ? "oldest" : "newest" }, signal);

export const search = ({ uploads, ...query }: Search, signal: AbortSignal): Promise<Answer> =>
  post("api/search", uploads.size === 0 ? query : form(query, uploads), signal);

export const suggest = (
  q: string,
  where: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly refinements: readonly string[] }> => get("suggest", { q, where }, signal);

/** Tells what of a query's answer was right, so that the collection's probabilities become truer. */
export const sendFeedback = (
  query: string,
  yes: readonly string[],
  no: readonly string[],
): Promise<unknown> => post("api/feedback", { query, yes, no });

export const startIndexing = (): Promise<unknown> => post("api/index", {});
export const logIn = (token: string): Promise<unknown> => post("api/login", { token });

export async function classify(
  picture: Blob,
  labels: readonly string[],
  signal: AbortSignal,
): Promise<Classified> {
  const [answer] = await post<readonly Classified[]>(
    "v1/tasks/classify",
    form({ labels }, new Map([["pictures", picture]])),
    signal,
  );
  return answer ?? { labels: [] };
}

/** Sides of thumbnails, px: few, so that they are found in caches. */
export const thumbnailUrl = (id: string, size: 160 | 320 | 640 | 1280): string =>
  `api/thumbnail?${new URLSearchParams({ id, size: String(size) })}`;
export const fileUrl = (id: string): string => `api/file?${new URLSearchParams({ id })}`;

const get = <T>(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
  signal?: AbortSignal,
): Promise<T> => {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return ask(`api/${path}?${new URLSearchParams(given)}`, { signal: signal ?? null });
};

const post = <T>(path: string, body: object, signal?: AbortSignal): Promise<T> =>
  ask(path, {
    method: "POST",
    signal: signal ?? null,
    ...(body instanceof FormData
      ? { body }
      : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });

function form(fields: object, files: ReadonlyMap<string, Blob>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields) as [string, unknown][])
    if (value !== undefined) form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  for (const [name, file] of files) form.append(name, file);
  return form;
}

async function ask<T>(url: string, options: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new Unreachable("unreachable", { cause: error });
  }
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  throw new ServerError(response.status, body?.error?.message ?? response.statusText);
}
