/** Everything, read or not: asked for when it is opened, and kept current after that. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Tab, message, position, ref, settled } from "./harness.mjs";

const DEBOUNCE = 500;
const READ = { read_at: "2026-01-02T04:00:00Z" };

/** A live tab whose archive is open; negative numbers are read. */
async function opened(...numbers) {
  const tab = new Tab();
  tab.read = numbers.filter((number) => number < 0).map((number) => message(-number, READ));
  await tab.live(...numbers.filter((number) => number > 0));
  tab.client.all.open();
  await settled();
  return tab;
}

describe("opening", () => {
  test("costs nothing until then, and one request then", async () => {
    const tab = await new Tab().live(2);
    tab.read = [message(1, READ)];
    tab.arrive(3);
    tab.sync();
    await tab.clock.pass(60_000);
    assert.equal(tab.archiveLists.length, 0);
    assert.equal(tab.client.all.loaded, false);
    assert.deepEqual(tab.client.all.items, []);
    const { changes } = tab;
    tab.client.all.open();
    await settled();
    assert.deepEqual(tab.shownOfAll, [3, 2, -1]);
    assert.equal(tab.client.all.loaded, true);
    assert.equal(tab.changes, changes + 1);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.archiveLists.length, 1);
  });

  test("before the first list it waits for whose inbox it is", async () => {
    const tab = new Tab();
    tab.hold = "lists";
    tab.inbox = [message(1)];
    tab.client.start();
    tab.client.all.open();
    await settled();
    assert.equal(tab.archiveLists.length, 0);
    await tab.release();
    await tab.release();
    assert.deepEqual(tab.shownOfAll, [1]);
  });

  test("again, it shows what it had and asks anew", async () => {
    const tab = await opened(2, -1);
    tab.client.all.close();
    tab.dismiss(1); // and no frame tells
    tab.hold = "lists";
    tab.client.all.open();
    assert.deepEqual(tab.shownOfAll, [2, -1]);
    await settled();
    await tab.release();
    assert.deepEqual(tab.shownOfAll, [2]);
  });

  test("further pages", async () => {
    const tab = await opened(5, -4, 3, -2, 1);
    assert.deepEqual(tab.shownOfAll, [5, -4, 3]);
    assert.equal(tab.client.all.hasMore, true);
    assert.equal(await tab.client.all.loadMore(), true);
    assert.deepEqual(tab.shownOfAll, [5, -4, 3, -2, 1]);
    assert.equal(tab.client.all.hasMore, false);
    assert.equal(await tab.client.all.loadMore(), false);
    assert.equal(new URL(tab.archiveLists[1].url).searchParams.get("cursor"), position(3));
    tab.client.all.open();
    await settled();
    assert.equal(new URL(tab.archiveLists[2].url).searchParams.get("limit"), "5");
  });
});

describe("frames", () => {
  test("keep it current", async () => {
    const tab = await opened(3, 2, -1);
    tab.arrive(4);
    assert.deepEqual(tab.shownOfAll, [4, 3, 2, -1]);
    tab.frame({ type: "read", messages: tab.leave(3) });
    assert.deepEqual(tab.shownOfAll, [4, -3, 2, -1]);
    tab.frame({ type: "unread", messages: [ref(message(1))] });
    assert.deepEqual(tab.shownOfAll, [4, -3, 2, 1]);
    tab.frame({ type: "gone", messages: tab.dismiss(3) });
    assert.deepEqual(tab.shownOfAll, [4, 2, 1]);
    tab.frame({ type: "read_all", up_to: position(2) });
    assert.deepEqual(tab.shownOfAll, [4, -2, -1]);
    tab.arrive(1, { position: position(9), stamp: 7 });
    assert.deepEqual(tab.shownOfAll, [1, 4, -2]);
  });

  test("of an earlier arrival change nothing", async () => {
    const tab = await opened(2);
    tab.arrive(2, { position: position(9), stamp: 7 });
    tab.frame({ type: "gone", messages: [ref(message(2))] });
    assert.deepEqual(tab.shownOfAll, [2]);
  });

  test("below the loaded part are left to the next page", async () => {
    const tab = await opened(5, 4, 3, -2);
    tab.frame({ type: "stored", message: message(1) });
    assert.deepEqual(tab.shownOfAll, [5, 4, 3]);
  });

  test("during a request are applied to what it brings", async () => {
    const tab = await opened(4, 3, -2, -1);
    tab.hold = "lists";
    const more = tab.client.all.loadMore();
    await settled();
    tab.frame({ type: "gone", messages: [ref(message(1))] });
    tab.arrive(5);
    await tab.release();
    assert.equal(await more, true);
    assert.deepEqual(tab.shownOfAll, [5, 4, 3, -2]);
  });
});

describe("what frames did not tell", () => {
  test("of the unread is noticed when the inbox is right again", async () => {
    const tab = await opened(3, 2, 1);
    tab.leave(2);
    tab.arrive(4, { tell: false });
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shownOfAll, [4, 3, -2]);
    assert.equal(tab.archiveLists.length, 2);
    for (let beat = 0; beat < 3; beat++) {
      tab.sync();
      await tab.clock.pass(DEBOUNCE);
    }
    assert.equal(tab.archiveLists.length, 2);
  });

  test("of the read is asked for when the line was lost", async () => {
    const tab = await opened(2, -1);
    tab.socket.end(1006);
    tab.dismiss(1);
    await tab.clock.pass(501);
    tab.sync();
    await settled();
    assert.deepEqual(tab.shownOfAll, [2]);
    assert.equal(tab.lists.length, 1);
  });

  test("what has expired in the inbox only is not asked for again and again", async () => {
    const tab = await opened(3, 2);
    tab.inbox = [message(3)];
    tab.read = [message(2)]; // unread, and not in the inbox any more
    for (let beat = 0; beat < 5; beat++) {
      tab.sync();
      await tab.clock.pass(DEBOUNCE);
    }
    assert.deepEqual(tab.shownOfAll, [3, 2]);
    assert.equal(tab.archiveLists.length, 2);
  });
});

describe("actions", () => {
  test("are shown at once, and taken back", async () => {
    const tab = await opened(3, 2, -1);
    tab.hold = "posts";
    const done = tab.client.markAllRead(["3", "2"]);
    assert.deepEqual(tab.shownOfAll, [-3, -2, -1]);
    await tab.release({ ok: false, status: 500, statusText: "", url: "", headers: new Headers() });
    assert.equal(await done, false);
    assert.deepEqual(tab.shownOfAll, [3, 2, -1]);
    const unread = tab.client.markUnread("1");
    assert.deepEqual(tab.shownOfAll, [3, 2, 1]);
    await tab.release();
    await unread;
    assert.deepEqual(tab.shownOfAll, [3, 2, 1]);
  });

  test("on a message that is not in the loaded part of the inbox", async () => {
    const tab = await new Tab({ pageSize: 2 }).live(9, 8, 7);
    tab.client.all.open();
    await tab.client.all.loadMore();
    tab.hold = "posts";
    tab.client.markRead("7");
    assert.deepEqual(tab.shownOfAll, [9, 8, -7]);
    assert.equal(tab.client.unread, 2);
  });

  test("marking read what is read is done already", async () => {
    const tab = await opened(-1);
    assert.equal(await tab.client.markRead("1"), true);
    assert.equal(tab.posts.length, 0);
  });
});

describe("failures", () => {
  test("are told, and healed by asking again", async () => {
    const tab = await new Tab().live(1);
    tab.isDown = true;
    tab.client.all.open();
    await settled();
    assert.equal(tab.client.all.error, tab.errors[0].error);
    assert.equal(tab.errors[0].action, null);
    tab.isDown = false;
    await tab.client.refresh();
    await settled();
    assert.equal(tab.client.all.error, null);
    assert.deepEqual(tab.shownOfAll, [1]);
  });

  test("another user's answer is dropped, and everything forgotten", async () => {
    const tab = await opened(2, -1);
    tab.user = "bob";
    tab.inbox = [message(7)];
    tab.read = [];
    tab.client.all.open();
    await settled();
    assert.equal(tab.client.user, "bob");
    assert.deepEqual(tab.shown, [7]);
    assert.deepEqual(tab.shownOfAll, [7]);
  });

  test("who waits for a request when the user changes does not wait for ever", async () => {
    const tab = await opened(4, 3, -2, -1);
    tab.hold = "lists";
    tab.client.all.open();
    const more = tab.client.all.loadMore();
    await settled();
    tab.user = "bob";
    tab.sync();
    assert.equal(await more, false);
  });

  test("signed out, nothing is left", async () => {
    const tab = await opened(2, -1);
    tab.listStatus = 403;
    tab.client.all.open();
    await settled();
    assert.equal(tab.client.status, "signed-out");
    assert.deepEqual(tab.shownOfAll, []);
    assert.equal(tab.client.all.loaded, false);
  });

  test("an answer after the page was left is no failure", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "lists";
    tab.client.all.open();
    await settled();
    tab.hidePage();
    await settled();
    assert.equal(tab.client.all.error, null);
    assert.deepEqual(tab.errors, []);
    tab.hold = false;
    tab.restorePage();
    await settled();
    assert.deepEqual(tab.shownOfAll, [1]);
  });
});
