import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the hub is, and where its files are kept on this machine. */
export interface HubSettings {
  /** Base address, without a slash at its end. */
  readonly endpoint: string;
  /** The folder of `models--owner--name` folders, shared with every other client of the hub. */
  readonly cache: string;
  readonly token: string | undefined;
  /** Nothing is asked of the hub; what the cache holds is used. */
  readonly offline: boolean;
}

export const publicHub = "https://huggingface.co";

/**
 * Settings by the variables that every client of the hub obeys.
 *
 * @source huggingface_hub, `constants.py` and `utils/_auth.py`
 */
export function hubSettings(env: Readonly<Record<string, string | undefined>>): HubSettings {
  const user = given(env.HOME) ?? homedir();
  const expand = (path: string): string => path.replace(/^~(?=$|\/)/, user);
  const caches = given(env.XDG_CACHE_HOME) ?? join(user, ".cache");
  const home = expand(given(env.HF_HOME) ?? join(caches, "huggingface"));
  return {
    endpoint: (given(env.HF_ENDPOINT) ?? publicHub).replace(/\/+$/, ""),
    cache: expand(given(env.HF_HUB_CACHE) ?? given(env.HUGGINGFACE_HUB_CACHE) ?? join(home, "hub")),
    token:
      given(env.HF_TOKEN) ??
      given(env.HUGGING_FACE_HUB_TOKEN) ??
      readToken(expand(given(env.HF_TOKEN_PATH) ?? join(home, "token"))),
    offline: isOn(env.HF_HUB_OFFLINE) || isOn(env.TRANSFORMERS_OFFLINE),
  };
}

const given = (value: string | undefined): string | undefined => {
  const trimmed = value?.trim();
  return trimmed === "" ? undefined : trimmed;
};

const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value?.trim() ?? "");

/** What `hf auth login` left; a file that cannot be read is no token. */
function readToken(path: string): string | undefined {
  try {
    return given(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
