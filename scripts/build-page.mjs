// The page: TypeScript → modules that browsers load as they are, in dist/web. Packages that it imports are copied beside it, and
// their names in imports become paths, so that the page needs neither a bundler nor an inline import map.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** `from "x"`, `import "x"`, also where they are minified. */
const imports = /(\b(?:from|import)\s*)(["'])([^"']+)\2/g;

/** @param root folder of the project */
export function buildPage(root) {
  const source = join(root, "web");
  const target = join(root, "dist/web");
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const options = ["--noCheck", "--sourceMap", "false"];
  execFileSync(process.execPath, [tsc, "-p", source, ...options], { stdio: "inherit" });
  const modules = readdirSync(target, { recursive: true })
    .filter((file) => file.endsWith(".js"))
    .map((file) => join(target, file));
  const vendored = new Set();
  const link = (file) => {
    const text = readFileSync(file, "utf8");
    const linked = text.replaceAll(imports, (whole, before, quote, name) => {
      if (name.startsWith(".")) return whole;
      return `${before}${quote}${urlFrom(dirname(file), vendor(name))}${quote}`;
    });
    writeFileSync(
      file,
      linked.replaceAll("process.env.NODE_ENV", '"production"').replace(/^\/\/# sourceMappingURL=.*$/m, ""),
    );
  };
  /** The copy of a package's module. */
  const vendor = (name) => copy(fileURLToPath(import.meta.resolve(name)));
  const copy = (module) => {
    const [, inside] = module.split(`${sep}node_modules${sep}`);
    const file = join(target, "vendor", inside);
    if (vendored.has(file)) return file;
    vendored.add(file);
    mkdirSync(dirname(file), { recursive: true });
    cpSync(module, file);
    for (const [, , , name] of readFileSync(module, "utf8").matchAll(imports))
      if (name.startsWith(".")) copy(join(dirname(module), name));
    copyLicense(module, join(target, "vendor"));
    link(file);
    return file;
  };
  for (const file of modules) link(file);
  for (const entry of readdirSync(source, { recursive: true }))
    if ([".css", ".svg"].includes(extname(entry))) {
      mkdirSync(dirname(join(target, entry)), { recursive: true });
      cpSync(join(source, entry), join(target, entry));
    }
  // All modules are asked for at once, not one after another as each is read.
  const preload = [...modules, ...vendored]
    .map((file) => `    <link rel="modulepreload" href="${urlFrom(target, file).slice(2)}" />\n`)
    .join("");
  const html = readFileSync(join(source, "index.html"), "utf8");
  writeFileSync(join(target, "index.html"), html.replace("  </head>", `${preload}  </head>`));
}

const urlFrom = (folder, file) => `./${relative(folder, file).split(sep).join("/")}`.replace("./../", "../");

/** A package's license lies beside the copy of its code. */
function copyLicense(module, vendor) {
  const [, name] = /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(module);
  const at = module.slice(0, module.indexOf(name) + name.length);
  const license = join(at, "LICENSE");
  if (existsSync(license)) cpSync(license, join(vendor, name, "LICENSE"));
}
