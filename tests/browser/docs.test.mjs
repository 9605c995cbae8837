/** `docs/inbox-client.md` says what there is, and its first example works. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { InboxClient, Tab, message, settled } from "./harness.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/inbox-client.md");
const declarations = read("static/realtime/inbox-client.d.ts");

/** The names in the first column of the tables below a heading. */
function namesBelow(heading) {
  const start = page.indexOf(`\n${heading}\n`);
  assert.notEqual(start, -1, heading);
  const [section] = page.slice(start + heading.length + 2).split(/\n##+ /);
  const cells = section.split("\n").filter((line) => line.startsWith("| `"));
  return cells.flatMap((line) =>
    [...line.split(" | ")[0].matchAll(/`(\w+)/g)].map(([, name]) => name),
  );
}

/** The members that an interface or class declares. */
function declared(name) {
  const [, body] = declarations.split(new RegExp(`\\b${name}\\b[^{]*\\{`)).slice(0, 2);
  const [members] = body.split("\n}");
  return [...members.matchAll(/^ {2}(?:readonly )?(\w+)[?(<:]/gm)].map(([, member]) => member);
}

test("every option, property, method and event is documented, and no other", () => {
  const isOwn = (name) =>
    !["constructor", "addEventListener", "removeEventListener"].includes(name);
  const sorted = (names) => [...new Set(names)].sort();
  assert.deepEqual(
    sorted(namesBelow("### Options")),
    sorted(declared("interface InboxClientOptions")),
  );
  assert.deepEqual(
    sorted(namesBelow("## What it tells")),
    sorted(declared("interface InboxEventMap")),
  );
  const members = [...namesBelow("## What it knows"), ...namesBelow("## What it does")];
  assert.deepEqual(
    sorted(members),
    sorted(declared("class InboxClient extends EventTarget").filter(isOwn)),
  );
  const archive = namesBelow("## Everything, read or not");
  assert.deepEqual(sorted(archive), sorted(declared("interface InboxArchive")));
});

test("what is documented is there", () => {
  const { client } = new Tab();
  for (const name of [...namesBelow("## What it knows"), ...namesBelow("## What it does")]) {
    assert.ok(name in client, name);
  }
  for (const name of namesBelow("## Everything, read or not")) assert.ok(name in client.all, name);
});

test("the first example shows the inbox, and reads what is clicked", async () => {
  const [, code] = /```js\n\/\/ my-inbox\.js\n(.*?)```/s.exec(page);
  const tab = new Tab();
  const list = { rows: [], replaceChildren: (...rows) => (list.rows = rows) };
  const document = {
    querySelector: () => list,
    createElement: () => Object.assign(new EventTarget(), { textContent: "" }),
  };
  class Client extends InboxClient {
    constructor(options) {
      super({ ...options, inbox: `http://site.test${options.inbox}`, platform: tab.platform });
    }
  }
  const symbol = Symbol.for("stored_messages.InboxClient");
  globalThis[symbol] = Client;
  try {
    tab.inbox = [message(2), message(1)];
    new Function("document", code)(document);
    await settled();
    assert.deepEqual(
      list.rows.map((row) => row.textContent),
      ["text 2", "text 1"],
    );
    assert.equal(document.title, "(2) Inbox");
    list.rows[0].dispatchEvent(new Event("click"));
    await settled();
    assert.deepEqual(
      list.rows.map((row) => row.textContent),
      ["text 1"],
    );
    assert.equal(tab.posts[0].path, "/messages/inbox/2/read/");
  } finally {
    globalThis[symbol] = InboxClient;
  }
});
