/** What is shipped: how much a page loads, and what TypeScript is told of it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url).pathname;
const MODULES = ["inbox-client.js", "notification-bell.js"];
const KIB = 1024;

let directory;

before(() => {
  const isInstalled = existsSync(join(ROOT, "node_modules/typescript/package.json"));
  assert.ok(isInstalled, "npm packages are missing: run `make node_modules/.installed`");
  directory = mkdtempSync(join(tmpdir(), "shipped-"));
});

after(() => directory && rmSync(directory, { recursive: true }));

/** What travels for both modules, each compressed alone, without the texts: languages do not count. */
function sizeOf(folder, texts) {
  const codes = MODULES.map((name) => readFileSync(join(folder, name), "utf8"));
  assert.match(codes[1], texts);
  const sizes = codes.map((code) => gzipSync(code.replace(texts, ""), { level: 9 }).length);
  return sizes[0] + sizes[1];
}

test("the modules as they are weigh at most 24 KiB", () => {
  const size = sizeOf(join(ROOT, "static/realtime"), /const ENGLISH = \{[^]*?\n\};/);
  assert.ok(size <= 24 * KIB, `${(size / KIB).toFixed(2)} KiB`);
});

test("minified they weigh at most 15 KiB", () => {
  execFileSync("node", [join(ROOT, "tools/minify.mjs"), directory]);
  const size = sizeOf(directory, /\{notifications:"[^]*?empty_all_hint:"[^"]*"\}/);
  assert.ok(size <= 15 * KIB, `${(size / KIB).toFixed(2)} KiB`);
});

test("minified they still run", async () => {
  execFileSync("node", [join(ROOT, "tools/minify.mjs"), directory]);
  const modules = await Promise.all(MODULES.map((name) => import(join(directory, name))));
  assert.deepEqual(modules.flatMap(Object.keys), ["InboxClient", "NotificationBell"]);
});

test("minified they call what is the browser's by its names", () => {
  execFileSync("node", [join(ROOT, "tools/minify.mjs"), directory]);
  const code = readFileSync(join(directory, "notification-desktop.js"), "utf8");
  for (const name of ["tag", "body", "silent", "renotify"]) {
    assert.match(code, new RegExp(`[{,]${name}[:}]`), name);
  }
});

function check(code) {
  const file = join(directory, "page.ts");
  const declarations = join(ROOT, "static/realtime");
  writeFileSync(file, code.replaceAll("DECLARATIONS", declarations));
  const options = ["--noEmit", "--skipLibCheck", "false", "--strict", "--target", "es2022", "--module", "nodenext"];
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  try {
    execFileSync("node", [tsc, ...options, "--lib", "es2022,dom,dom.iterable", file]);
    return "";
  } catch (error) {
    return String(error.stdout);
  }
}

const PAGE = `
import type { InboxMessage } from "DECLARATIONS/inbox-client.js";
import type { NotificationBell } from "DECLARATIONS/notification-bell.js";

const bell: NotificationBell = document.querySelector("notification-bell")!;
bell.open = true;
bell.renderItem = ({ text, data }: InboxMessage) => data.title ?? document.createTextNode(text);
bell.renderItem = () => undefined;
bell.renderItem = null;
const unread: number | undefined = bell.client?.unread;
document.addEventListener("inbox:count", ({ detail }) => console.log(detail.unread + (unread ?? 0)));
bell.addEventListener("inbox:before-follow", (event) => {
  event.preventDefault();
  history.pushState(null, "", event.detail.messages[0].url);
});
bell.addEventListener("inbox:error", ({ detail }) => console.log(detail.error.message, detail.action));
bell.client?.dismiss("1", { delay: 1000 }).then((isDone: boolean) => console.log(isDone));
bell.client?.all.items.map(({ read_at }) => read_at?.length);
`;

test("TypeScript understands a page that uses everything", () => assert.equal(check(PAGE), ""));

test("and finds what is wrong with one", () => {
  const wrong = `${PAGE}
bell.client = null;
bell.renderItem = () => 3;
document.addEventListener("inbox:count", ({ detail }) => detail.nothing);
`;
  const lines = check(wrong).split("\n").filter((line) => line.includes("error TS"));
  assert.equal(lines.length, 3, lines.join("\n"));
});
