/**
 * Writes the browser files minified into a folder: `node tools/minify.mjs FOLDER`.
 *
 * They are served as they are, readable; who counts bytes may serve these instead. The style sheet
 * inside the bell is minified as what it is.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { minify } from "terser";

const STYLE = /(const STYLE = )`([^`]*)`/;
const folder = process.argv[2];
const source = new URL("../static/realtime/", import.meta.url);

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(source).filter((name) => name.endsWith(".js"))) {
  const code = readFileSync(new URL(name, source), "utf8").replace(STYLE, (_, start, style) => {
    const { code: css } = transformSync(style, { loader: "css", minify: true });
    return `${start}\`${css.trim()}\``;
  });
  const minified = await minify(code, { module: true, ecma: 2022, compress: { passes: 3 } });
  writeFileSync(`${folder}/${name}`, minified.code);
}
