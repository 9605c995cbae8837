/**
 * What only a list can tell, because it is about what lies below the loaded part: the count takes
 * one step when somebody does it, and not one back while the list is awaited.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Tab, message, settled } from "./harness.mjs";

const DEBOUNCE = 500;
const READ = { read_at: "2026-01-02T04:00:00Z" };

/** Every count that is shown from now on. */
function countsOf({ client }) {
  const counts = [client.unread];
  client.addEventListener("change", () => {
    if (client.unread !== counts.at(-1)) counts.push(client.unread);
  });
  return counts;
}

/** The server does what it is asked for; it tells of it only if `tell`. */
function obey(tab, { tell = false } = {}) {
  tab.postStatus = ({ path, method, json }) => {
    const [id, name] = path.split("/").slice(3);
    let type = "read";
    let refs = [];
    if (json) {
      const isMeant = (item) => json.ids.includes(item.id) || item.position < json.before;
      tab.leave(...tab.inbox.filter(isMeant).map((item) => Number(item.id)));
    } else if (name === "unread") {
      type = name;
      refs = [tab.arrive(Number(id), { tell: false })];
      tab.read = tab.read.filter((item) => item.id !== id);
    } else if (method === "DELETE") {
      type = "gone";
      refs = tab.dismiss(Number(id));
    } else {
      refs = tab.leave(Number(id));
    }
    if (tell) tab.frame({ type, messages: refs });
    return 200;
  };
}

/** Nine unread messages of which three are loaded, and everything of the archive. */
async function deep({ tell } = {}) {
  const tab = new Tab();
  tab.read = [message(1, READ)];
  await tab.live(10, 9, 8, 7, 6, 5, 4, 3, 2);
  tab.client.all.open();
  await settled();
  while (tab.client.all.hasMore) await tab.client.all.loadMore();
  obey(tab, { tell });
  return tab;
}

const settle = (tab) => tab.clock.pass(DEBOUNCE);

for (const tell of [false, true]) {
  describe(`below the loaded part, ${tell ? "with" : "without"} a frame that tells of it`, () => {
    for (const [action, id, count] of [
      ["markRead", "4", 8],
      ["dismiss", "4", 8],
      ["dismiss", "1", 9],
      ["markUnread", "1", 10],
    ]) {
      test(`${action} of ${id}: ${count} at once and to stay`, async () => {
        const tab = await deep({ tell });
        const counts = countsOf(tab);
        assert.equal(await tab.client[action](id), true);
        assert.equal(tab.client.unread, count);
        await settle(tab);
        assert.equal(tab.lists.length, 2);
        assert.deepEqual(counts, count === 9 ? [9] : [9, count]);
      });
    }

    test("read and marked unread again at once", async () => {
      const tab = await deep({ tell });
      const counts = countsOf(tab);
      await tab.client.markRead("4");
      await tab.client.markUnread("4");
      await settle(tab);
      assert.deepEqual(counts, [9, 8, 9]);
    });
  });
}

describe("several below the loaded part", () => {
  test("one after the other, while a list is on its way", async () => {
    const tab = await deep();
    const counts = countsOf(tab);
    await tab.client.markRead("4");
    tab.hold = "lists";
    await settle(tab);
    await tab.client.markRead("3"); // the list was asked for before
    await tab.release();
    await tab.client.markRead("2");
    await settle(tab);
    await tab.release();
    assert.deepEqual(counts, [9, 8, 7, 6]);
    assert.equal(tab.client.unread, tab.inbox.length);
  });

  test("all of them, and what lies between them and what is loaded stays", async () => {
    const tab = await deep();
    const counts = countsOf(tab);
    await tab.client.markAllRead([], message(5));
    await settle(tab);
    assert.deepEqual(counts, [9, 8, 5]); // only the one that was named can be counted before
  });

  test("a list that fails: what was done stays done", async () => {
    const tab = await deep();
    const counts = countsOf(tab);
    tab.listStatus = 500;
    await tab.client.markRead("4");
    await tab.clock.pass(20_000);
    tab.listStatus = 200;
    await tab.clock.pass(20_000);
    assert.deepEqual(counts, [9, 8]);
  });

  test("refused, it is one step back", async () => {
    const tab = await deep();
    const counts = countsOf(tab);
    tab.postStatus = () => 500;
    await tab.client.markRead("4");
    await settle(tab);
    assert.deepEqual(counts, [9, 8, 9]);
  });

  test("the next user has nothing of it", async () => {
    const tab = await deep();
    await tab.client.markRead("4");
    tab.user = "bob";
    tab.listSummary = { unread: 9, digest: 9 };
    await tab.client.refresh();
    await settle(tab);
    assert.equal(tab.client.unread, 9);
  });
});

describe("mark all while many arrive", () => {
  test("only those are counted", async () => {
    const tab = await deep();
    tab.postStatus = () => 200;
    const counts = countsOf(tab);
    tab.hold = "posts";
    const done = tab.client.markAllRead();
    await settled();
    for (const number of [11, 12, 13, 14]) tab.arrive(number, { tell: false });
    await tab.client.refresh();
    assert.deepEqual(counts, [9, 0, 4]);
    tab.leave(2, 3, 4, 5, 6, 7, 8, 9, 10);
    await tab.release();
    assert.equal(await done, true);
    await settle(tab);
    assert.deepEqual(tab.shown, [14, 13, 12]);
    assert.deepEqual(counts, [9, 0, 4]);
  });
});

describe("nothing is foreseen for longer than it takes to know", () => {
  test("of what is loaded: marked unread elsewhere, it is unread", async () => {
    const tab = await deep();
    await tab.client.markRead("9");
    tab.frame({ type: "unread", messages: [tab.arrive(9, { tell: false })] });
    assert.deepEqual(tab.shown, [10, 9, 8]);
  });

  test("the same, when the list that was awaited is in", async () => {
    const tab = await deep();
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    await tab.client.markRead("9");
    await tab.release();
    tab.frame({ type: "unread", messages: [tab.arrive(9, { tell: false })] });
    assert.deepEqual(tab.shown, [10, 9, 8]);
    assert.equal(tab.client.unread, 9);
  });

  test("a sync that equals makes the list unnecessary, and what was foreseen", async () => {
    const tab = await deep();
    const counts = countsOf(tab);
    await tab.client.markRead("4");
    tab.arrive(4, { tell: false });
    tab.sync();
    await settle(tab);
    assert.equal(tab.lists.length, 1);
    assert.deepEqual(counts, [9, 8, 9]);
  });
});
