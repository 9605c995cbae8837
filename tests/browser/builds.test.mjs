/**
 * A readable and a minified build in the tabs of one browser, as on the day of a deployment: what
 * tabs tell each other has the same names in both.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Browser, Clock, InboxClient, Tab, message, ref } from "./harness.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const KEYS = ["InboxClient", "InboxTabs"].map((name) => Symbol.for(`stored_messages.${name}`));

const builds = { readable: InboxClient };
let directory;

/** The minified modules find nothing of the readable ones, as in a page of their own. */
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "builds-"));
  execFileSync("node", [join(ROOT, "tools/minify.mjs"), directory]);
  const readable = KEYS.map((key) => globalThis[key]);
  for (const key of KEYS) delete globalThis[key];
  await import(join(directory, "inbox-client.js"));
  ({ InboxClient: builds.minified } = await import(join(directory, "inbox-tabs.js")));
  KEYS.forEach((key, index) => (globalThis[key] = readable[index]));
});

after(() => directory && rmSync(directory, { recursive: true }));

for (const order of [
  ["readable", "minified"],
  ["minified", "readable"],
]) {
  describe(`a ${order[0]} build has the socket, a ${order[1]} one stands by`, () => {
    /** Both are live with these messages; the second without a socket. */
    async function open(...numbers) {
      const clock = new Clock();
      const browser = new Browser(clock);
      const tabs = [];
      for (const build of order) {
        const tab = new Tab({ clock, browser, isSharing: true, Client: builds[build] });
        tab.inbox = numbers.map((number) => message(number));
        tabs.push(tab);
        tab.client.start();
        await clock.pass(10);
        tabs[0].sync();
        await clock.pass(10);
      }
      assert.deepEqual(tabs.map(({ client }) => client.status), ["live", "live"]);
      assert.deepEqual(tabs.map(({ sockets }) => sockets.length), [1, 0]);
      return tabs;
    }

    /** Neither lists nor actions nor sockets work. */
    function cutOff(tabs) {
      for (const tab of tabs) {
        tab.isDown = true;
        tab.socketsWork = false;
      }
      tabs[0].socket.end(1006);
    }

    test("it hears what the other hears", async () => {
      const [first, second] = await open(2, 1);
      second.arrive(3, { tell: false });
      first.arrive(3);
      await first.clock.pass(10);
      assert.deepEqual(second.shown, [3, 2, 1]);
      second.leave(2);
      first.frame({ type: "read", messages: first.leave(2).map((one) => ref(one)) });
      first.frame({ type: "read_all", up_to: message(1).position });
      await first.clock.pass(10);
      assert.deepEqual([first.shown, second.shown], [[3], [3]]);
      assert.equal(second.lists.length, 1);
    });

    test("when the socket is lost it asks no more often than the other", async () => {
      const [first, second] = await open(2, 1);
      cutOff([first, second]);
      await first.clock.pass(30_000);
      assert.deepEqual([first.client.status, second.client.status], ["offline", "offline"]);
      first.hidePage(); // now the second one tries, with the failures that the first has told of
      await first.clock.pass(6000);
      assert.ok(second.sockets.length < 4, `${second.sockets.length} attempts`);
      assert.equal(second.client.status, "offline");
    });

    test("when the session ends it hides everything at once, too", async () => {
      const [first, second] = await open(2, 1);
      first.socket.end(4401);
      await first.clock.pass(10);
      assert.deepEqual([first.shown, second.shown], [[], []]);
    });

    test("it is told what is read without a network", async () => {
      const [first, second] = await open(3, 2, 1);
      cutOff([first, second]);
      await first.clock.pass(1000);
      first.client.markRead("3");
      second.client.markRead("1");
      await first.clock.pass(2000);
      assert.deepEqual([first.shown, second.shown], [[2], [2]]);
    });

    test("what the one does without a socket the other asks for", async () => {
      const [first, second] = await open(2, 1);
      for (const tab of [first, second]) tab.socketsWork = false;
      first.socket.end(1006);
      await first.clock.pass(30_000);
      first.leave(2);
      await second.client.markRead("2");
      await first.clock.pass(10);
      assert.deepEqual([first.shown, second.shown], [[1], [1]]);
    });
  });
}
