import type { View } from "./screen.js";

/** Results that have a look of their own, by task; all others are shown as records. */
const own: Readonly<Record<string, () => Promise<View>>> = {
  search: async () => (await import("./search.js")).searchView,
  similar: async () => (await import("./search.js")).searchView,
  classify: async () => (await import("./classify.js")).classifyView,
  duplicates: async () => (await import("./duplicates.js")).duplicatesView,
  "models list": async () => (await import("./models-list.js")).modelsListView,
  "doctor dtypes": async () => (await import("./doctor-dtypes.js")).doctorDtypesView,
  "doctor model": async () => (await import("./doctor-model.js")).doctorModelView,
};

/** Tasks whose view can draw pictures (`--show`). */
export const drawing: ReadonlySet<string> = new Set(["search", "similar"]);

export async function viewOf(task: string): Promise<View> {
  return own[task]?.() ?? (await import("./record.js")).recordView;
}
