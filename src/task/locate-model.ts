import { existsSync } from "node:fs";
import { basename } from "node:path";
import { CliptError } from "../tensor/index.js";
import type { HubSettings, Pulled, PullOptions, Repository } from "../weights/index.js";
import { bundledModel } from "./bundled-model.js";
import type { TaskEvent } from "./event.js";
import { showBytes } from "./show-bytes.js";

/** A model by its name. */
export interface ModelName {
  /** Folder, file, or a name of the hub; absent: the bundled model. */
  readonly model?: string | undefined;
  /** open_clip's tag of the weights, beside its name of the architecture. */
  readonly pretrained?: string | undefined;
}

export interface LocateOptions {
  readonly hub: HubSettings;
  readonly signal?: AbortSignal | undefined;
  readonly emit?: ((event: TaskEvent) => void) | undefined;
}

/**
 * The folder or file of a model. What lies here comes first; a name of the hub is looked up in the cache and downloaded
 * when it is not there. What was downloaded once is used without asking again: `models pull` asks.
 *
 * @throws as `repositoryOf` and `pull` do; `missing` for a path that does not exist
 */
export async function locateModel(name: ModelName, options: LocateOptions): Promise<string> {
  const { model } = name;
  if (model === undefined || model === basename(bundledModel())) {
    if (name.pretrained === undefined) return bundledModel();
    throw new CliptError(
      "usage",
      "--pretrained goes with a --model of open_clip: --model ViT-B-32 --pretrained openai.",
    );
  }
  if (name.pretrained === undefined && existsSync(model)) return model;
  const repository = await repositoryFor(model, name.pretrained);
  // Only the hub knows; a path that is not there is left to whoever opens it.
  if (repository === undefined) return model;
  const { findPulled } = await import("../weights/hub/index.js");
  const found = await findPulled(repository, options.hub);
  return (found ?? (await pullModel(repository, options))).folder;
}

/** @throws as `repositoryOf` does */
export async function repositoryFor(model: string, pretrained?: string): Promise<Repository | undefined> {
  const { repositoryOf } = await import("../weights/hub/index.js");
  return repositoryOf(model, pretrained);
}

/** Downloads a model and tells how far it is. @throws as `pull` does */
export async function pullModel(
  repository: Repository,
  { hub: settings, signal, emit = () => {}, format }: LocateOptions & Pick<PullOptions, "format">,
): Promise<Pulled> {
  const { pull } = await import("../weights/hub/index.js");
  return pull(repository, {
    settings,
    signal,
    format,
    onProgress: ({ done, total, bytesPerSecond }) =>
      emit({
        kind: "progress",
        stage: `downloading ${repository.name}`,
        done,
        total,
        unit: "bytes",
        note: `${showBytes(bytesPerSecond)}/s`,
      }),
    onWait: (file) =>
      emit({
        kind: "note",
        message: `Another process downloads ${file} of ${repository.name}: waiting for it.`,
      }),
  });
}
