/**
 * Writes the browser files minified into a folder: `node tools/minify.mjs FOLDER`.
 *
 * They are served as they are, readable; who counts bytes may serve these instead. The style sheet
 * inside the bell is minified as what it is.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { minify } from "terser";

// Names that only these files use among themselves. What is public keeps its name, and so does what
// one tab tells another, which may have the files of another day.
const INTERNAL = [
  "ago answer answered below confirmation copy day done due dueBelow element etag event events",
  "foot foresee full holders isAbout isAttentive isCurrent isOpen isSignedOut isUnchanged",
  "know losses newer number plural pollInterval records refs relative rest retryAfter rows seen sent",
  "settled shows summary sync tail take texts time token touch under wording",
];
const regex = new RegExp(`^(_[a-z].*|${INTERNAL.join(" ").replaceAll(" ", "|")})$`);
const properties = { regex, builtins: true }; // some are names of the browser's too, not used here
const nameCache = {}; // properties have the same new names in all files
const STYLE = /(const STYLE = )`([^`]*)`/;
const folder = process.argv[2];
const source = new URL("../static/realtime/", import.meta.url);

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(source).filter((name) => name.endsWith(".js"))) {
  const code = readFileSync(new URL(name, source), "utf8").replace(STYLE, (_, start, style) => {
    const { code: css } = transformSync(style, { loader: "css", minify: true });
    return `${start}\`${css.trim().replace(/([:,]) /g, "$1")}\``;
  }).replace(/--_(\w\w)\w*/g, "--$1"); // the bell's own custom properties
  const compress = { passes: 3, pure_getters: true, hoist_funs: true, unsafe_arrows: true, unsafe_methods: true };
  const options = { module: true, ecma: 2022, compress, mangle: { properties }, nameCache };
  const minified = await minify(code, options);
  delete nameCache.vars; // a variable of one file may be a global of the next
  writeFileSync(`${folder}/${name}`, minified.code);
}
