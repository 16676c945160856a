import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { f32 } from "../tensor/index.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import { replaceFile, saveSafetensors } from "./save.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clipt-save-"));
});
after(() => rm(folder, { recursive: true }));

test("a saved file is the written file, and nothing lies beside it", async () => {
  const path = join(folder, "w.safetensors");
  const tensors = [["w", f32([2], [1, 2])]] as const;
  await saveSafetensors(path, tensors, { format: "pt" });
  await saveSafetensors(path, tensors, { format: "pt" });
  const bytes = await readFile(path);
  assert.deepEqual(new Uint8Array(bytes), writeSafetensors(tensors, { format: "pt" }));
  assert.deepEqual(readSafetensors(bytes).tensors.get("w"), tensors[0][1]);
  assert.deepEqual(await readdir(folder), ["w.safetensors"]);
});

describe("when the machine refuses, the old file is kept and nothing is left behind", () => {
  test("disk full in the middle", async () => {
    const path = join(folder, "kept.bin");
    await writeFile(path, "old");
    function* fills() {
      yield new Uint8Array(1000);
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    }
    await assert.rejects(replaceFile(path, fills()), { code: "io", message: `Cannot write ${path}: the disk is full.` });
    assert.equal(await readFile(path, "utf8"), "old");
    assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith(".tmp")), []);
  }); // prettier-ignore

  const shells = process.platform === "win32" ? "needs a shell with ulimit" : false;
  test("a limit that the system sets in the middle of a write", { skip: shells }, async () => {
    const path = join(folder, "limited.safetensors");
    await writeFile(path, "old");
    const script = `
      import { saveSafetensors } from ${JSON.stringify(new URL("save.js", import.meta.url).href)};
      const data = new Float32Array(1e6);
      await saveSafetensors(${JSON.stringify(path)}, [["w", { dtype: "float32", shape: [1e6], data }]]).catch((error) =>
        console.log(error.code, error.message));`;
    const said = execFileSync("sh", ["-c", 'ulimit -f 100; exec "$0" --input-type=module -e "$1"', process.execPath, script]);
    assert.equal(said.toString().trim(), `io Cannot write ${path}: the file would be larger than allowed.`);
    assert.equal(await readFile(path, "utf8"), "old");
    assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith(".tmp")), []);
  }); // prettier-ignore

  test("no such folder", () =>
    assert.rejects(saveSafetensors(join(folder, "no/w.safetensors"), []), {
      code: "io",
      message: /its folder does not exist/,
    }));

  const root = process.getuid?.() === 0 || process.platform === "win32";
  test("no permission", { skip: root ? "this user may write anywhere" : false }, () =>
    assert.rejects(saveSafetensors("/w.safetensors", []), { code: "io", message: /permission is denied/ }),
  );
});
