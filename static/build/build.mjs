// Builds ../css, ../js, ../fonts and ../pdf/fonts from the packages in package.json. See README.md.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import * as sass from "sass";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
for (const folder of ["../css", "../js", "../fonts", "../pdf/fonts"]) mkdirSync(here(folder), { recursive: true });

const css = sass.compile(here("scss/main.scss"), {
  loadPaths: [here("node_modules")],
  style: "expanded",
  quietDeps: true,
});
const minified = buildSync({
  stdin: { contents: css.css, loader: "css", resolveDir: here("../css") },
  minify: true,
  write: false,
  bundle: true,
  external: ["*.woff2"],
  target: ["chrome109", "firefox115", "safari16"],
});
writeFileSync(here("../css/countersign.css"), minified.outputFiles[0].text);

// Each entry is a script of its own; a page loads what it needs.
for (const name of ["countersign", "passkey"]) {
  const script = buildSync({
    entryPoints: [here(`js/${name}.mjs`)],
    write: false,
    bundle: true,
    format: "esm",
    minify: true,
    target: ["es2020"],
    legalComments: "none",
  });
  // The library names its brand in what it throws; the console is part of our product too.
  writeFileSync(here(`../js/${name}.js`), script.outputFiles[0].text.replaceAll("GOV.UK Frontend", "The component library"));
}

copyFileSync(here("node_modules/htmx.org/dist/htmx.min.js"), here("../js/htmx.min.js"));
copyFileSync(here("node_modules/htmx.org/LICENSE"), here("../js/htmx.LICENSE.txt"));

const web = [["sans", 400], ["sans", 600], ["mono", 400]];
for (const [face, weight] of web) {
  for (const subset of ["latin", "latin-ext"]) {
    const file = `ibm-plex-${face}-${subset}-${weight}-normal.woff2`;
    copyFileSync(here(`node_modules/@fontsource/ibm-plex-${face}/files/${file}`), here(`../fonts/${file}`));
  }
}
copyFileSync(here("node_modules/@fontsource/ibm-plex-sans/LICENSE"), here("../fonts/OFL.txt"));

// Paper gets the complete faces: a name in Greek or Cyrillic must not become boxes in evidence.
// As TTF, so that no render spends time unpacking them.
const python = process.env.PYTHON ?? here("../../.venv/bin/python");
for (const [face, file] of [["sans", "IBMPlexSans-Regular"], ["sans", "IBMPlexSans-SemiBold"], ["sans", "IBMPlexSans-Italic"], ["mono", "IBMPlexMono-Regular"]]) {
  execFileSync(python, [
    "-m", "fontTools.ttLib.woff2", "decompress",
    "-o", here(`../pdf/fonts/${file}.ttf`),
    here(`node_modules/@ibm/plex-${face}/fonts/complete/woff2/${file}.woff2`),
  ]);
}
copyFileSync(here("node_modules/@ibm/plex-sans/fonts/complete/woff2/license.txt"), here("../pdf/fonts/OFL.txt"));

// What the output was built from, so that a test notices sources that were changed and not built.
const sources = ["build.mjs", "package.json", ...readdirSync(here("scss")).map((name) => `scss/${name}`), ...readdirSync(here("js")).map((name) => `js/${name}`)].sort();
const built = createHash("sha256");
for (const name of sources) built.update(`${name}\n`).update(readFileSync(here(name)));
writeFileSync(here("built-from.sha256"), `${built.digest("hex")}\n`);
