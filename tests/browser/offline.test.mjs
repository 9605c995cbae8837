/** Reads that no server answered: kept, for their user, until one does. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Tab, message, position, settled } from "./harness.mjs";

const DEBOUNCE = 500;

const kept = (tab) =>
  tab.browser.localStorage.getItem("stored_messages:/messages/inbox/:reads:alice");

/** A live tab without a network. */
async function cutOff(...numbers) {
  const tab = await new Tab().live(...numbers);
  tab.isDown = true;
  tab.socketsWork = false;
  tab.socket.end(1006);
  return tab;
}

async function reconnect(tab) {
  tab.isDown = false;
  tab.socketsWork = true;
  tab.posts.length = 0;
  tab.platform.window.dispatchEvent(new Event("online"));
  await tab.clock.pass(100);
}

/** The server does what it is asked for. */
function obey(tab) {
  tab.postStatus = ({ json }) => {
    tab.leave(...json.ids.map(Number));
    if (json.before) {
      const below = tab.inbox.filter((item) => item.position < json.before);
      tab.leave(...below.map(({ id }) => Number(id)));
    }
    return 200;
  };
}

describe("a read without a network", () => {
  test("stays read, and is sent when there is one again", async () => {
    const tab = await cutOff(3, 2, 1);
    const done = [tab.client.markRead("3"), tab.client.markRead("1")];
    assert.deepEqual(tab.shown, [2]);
    await tab.clock.pass(60_000);
    assert.deepEqual(tab.shown, [2]);
    assert.equal(tab.client.unread, 1);
    assert.equal(tab.client.status, "offline");
    assert.ok(tab.errors.every(({ action }) => action === null));
    obey(tab);
    await reconnect(tab);
    assert.deepEqual(await Promise.all(done), [true, true]);
    assert.equal(tab.posts.length, 1);
    assert.deepEqual(tab.posts[0].json, { ids: ["3", "1"], before: null });
    assert.equal(tab.posts[0].path, "/messages/mark_all_read/");
    assert.deepEqual(tab.shown, [2]);
    assert.equal(kept(tab), null);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2]);
  });

  test("of everything, the same", async () => {
    const tab = await cutOff(9, 8, 7, 3, 2);
    const done = tab.client.markAllRead();
    await tab.clock.pass(20_000);
    assert.equal(tab.client.unread, 0);
    obey(tab);
    await reconnect(tab);
    assert.equal(await done, true);
    assert.deepEqual(tab.posts[0].json, { ids: ["9", "8", "7"], before: position(7) });
    assert.equal(tab.client.unread, 0);
  });

  test("outlives the page", async () => {
    const tab = await cutOff(3, 2, 1);
    tab.client.markRead("2");
    await tab.clock.pass(20_000);
    tab.hidePage();
    const { browser, clock } = tab;
    const next = new Tab({ clock, browser });
    obey(next);
    await next.live(3, 2, 1);
    assert.deepEqual(next.shown, [3, 1]);
    assert.deepEqual(next.posts[0].json, { ids: ["2"], before: null });
    assert.equal(kept(next), null);
  });

  test("is never sent for another user, and waits for its own", async () => {
    const tab = await cutOff(2, 1);
    const done = tab.client.markRead("2");
    await tab.clock.pass(1000);
    tab.user = "bob";
    tab.inbox = [message(2)];
    await reconnect(tab);
    assert.equal(await done, false);
    assert.deepEqual(tab.shown, [2]);
    assert.equal(tab.posts.length, 0);
    assert.ok(kept(tab));
    tab.user = "alice";
    obey(tab);
    tab.inbox = [message(2), message(1)];
    await tab.client.refresh();
    await settled();
    assert.deepEqual(tab.shown, [1]);
    assert.equal(tab.posts.length, 1);
  });

  test("of what arrived again meanwhile is not meant any more", async () => {
    const tab = await cutOff(2, 1);
    const done = tab.client.markRead("2");
    await tab.clock.pass(1000);
    tab.arrive(2, { tell: false, position: position(9), stamp: 7 });
    await reconnect(tab);
    await done;
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.posts.length, 0);
    assert.equal(kept(tab), null);
  });

  test("refused in the end, it is taken back", async () => {
    const tab = await cutOff(2, 1);
    const done = tab.client.markRead("2");
    await tab.clock.pass(1000);
    tab.postStatus = () => 500;
    await reconnect(tab);
    assert.equal(await done, false);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.errors.at(-1).action, "markRead");
    assert.equal(kept(tab), null);
  });

  test("marked unread again, the last one counts", async () => {
    const tab = await cutOff(2, 1);
    const done = [tab.client.markRead("2"), tab.client.markUnread("2")];
    await tab.clock.pass(1000);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(kept(tab), null);
    await reconnect(tab);
    assert.deepEqual(await Promise.all(done), [false, true]);
    // The read may have reached the server.
    assert.deepEqual(
      tab.posts.map(({ path }) => path),
      ["/messages/inbox/2/unread/"],
    );
    assert.deepEqual(tab.shown, [2, 1]);
    assert.ok(tab.errors.every(({ action }) => action === null));
  });

  test("taken back and done once more, it is kept as at first", async () => {
    const tab = await cutOff(2, 1);
    const done = [];
    for (const action of ["markRead", "markUnread", "markRead"]) {
      done.push(tab.client[action]("2"));
      await tab.clock.pass(1000);
    }
    assert.deepEqual(tab.shown, [1]);
    assert.deepEqual(JSON.parse(kept(tab))[0], [["2", position(2)]]);
    obey(tab);
    await reconnect(tab);
    assert.deepEqual(await Promise.all(done), [false, false, true]);
    assert.deepEqual(tab.posts.map(({ json }) => json.ids), [["2"]]);
    assert.deepEqual(tab.shown, [1]);
  });

  test("taken back while it hangs, it is not kept", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "posts";
    tab.client.markRead("2");
    await tab.clock.pass(1000);
    tab.client.markUnread("2");
    tab.hold = false;
    tab.isDown = true;
    await tab.clock.pass(20_000);
    assert.equal(kept(tab), null);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("of many, one is taken back", async () => {
    const tab = await cutOff(3, 2, 1);
    tab.client.markAllRead();
    await tab.clock.pass(1000);
    tab.client.markUnread("2");
    assert.deepEqual(tab.shown, [2]);
    assert.deepEqual(JSON.parse(kept(tab))[0].map(([id]) => id), ["3", "1"]);
    obey(tab);
    await reconnect(tab);
    assert.deepEqual(
      tab.posts.map(({ path, json }) => json?.ids ?? path),
      [["3", "1"], "/messages/inbox/2/unread/"],
    );
    assert.deepEqual(tab.shown, [2]);
  });

  test("that hangs is kept too", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "posts";
    const done = tab.client.markRead("1");
    tab.hold = false;
    obey(tab);
    await tab.clock.pass(14_000);
    assert.equal(tab.posts.length, 1);
    await tab.clock.pass(2000);
    assert.equal(await done, true);
    assert.equal(tab.posts.length, 2);
    assert.deepEqual(tab.shown, []);
  });

  test("where only actions are blocked, tries are rare", async () => {
    const tab = await new Tab().live(1);
    const { fetch } = tab.platform;
    let tries = 0;
    tab.platform.fetch = (url, init) => {
      if (!init.method) return fetch(url, init);
      tries += 1;
      return Promise.reject(new TypeError("Failed to fetch"));
    };
    tab.client = new tab.client.constructor({ inbox: "/messages/inbox/", platform: tab.platform });
    tab.client.start();
    await settled();
    tab.client.markRead("1");
    await tab.clock.pass(60_000);
    assert.ok(tries >= 2 && tries < 10, String(tries));
    tab.client.stop();
  });
});

describe("reads without a network in two tabs", () => {
  /** Two tabs of a browser without a network; each has read one message. */
  async function twoCutOff() {
    const first = await cutOff(3, 2, 1);
    const { browser, clock } = first;
    const second = await new Tab({ clock, browser }).live(3, 2, 1);
    second.isDown = true;
    second.socketsWork = false;
    second.socket.end(1006);
    first.client.markRead("2");
    await clock.pass(2000);
    second.client.markRead("3");
    await clock.pass(20_000);
    return [first, second];
  }

  test("are shown in both", async () => {
    const [first, second] = await twoCutOff();
    assert.deepEqual(first.shown, [1]);
    assert.deepEqual(second.shown, [1]);
    assert.deepEqual([first.client.unread, second.client.unread], [1, 1]);
  });

  test("marked unread again in either, are so in both, and are never sent", async () => {
    for (const index of [0, 1]) {
      const tabs = await twoCutOff();
      const [acting, other] = [tabs[index], tabs[1 - index]];
      acting.client.markUnread("2");
      await acting.clock.pass(2000);
      for (const tab of tabs) assert.deepEqual(tab.shown, [2, 1]);
      assert.deepEqual(JSON.parse(kept(acting))[0], [["3", position(3)]]);
      acting.hidePage();
      obey(other);
      await reconnect(other);
      assert.deepEqual(other.posts.map(({ json }) => json.ids), [["3"]]);
      assert.deepEqual(other.shown, [2, 1]);
      assert.equal(kept(other), null);
    }
  });

  test("marked unread again in one and read again in the other, the last word counts", async () => {
    const tabs = await twoCutOff();
    tabs[1].client.markUnread("2");
    await tabs[0].clock.pass(2000);
    tabs[0].client.markRead("2");
    await tabs[0].clock.pass(2000);
    for (const tab of tabs) assert.deepEqual(tab.shown, [1]);
    for (const tab of tabs) obey(tab);
    for (const tab of tabs) await reconnect(tab);
    const paths = tabs.flatMap(({ posts }) => posts.map(({ path }) => path));
    assert.deepEqual([...new Set(paths)], ["/messages/mark_all_read/"]);
    assert.equal(kept(tabs[0]), null);
  });

  test("refused in the end, they are taken back in both", async () => {
    const tabs = await twoCutOff();
    for (const tab of tabs) tab.postStatus = () => 500;
    for (const tab of tabs) await reconnect(tab);
    await tabs[0].clock.pass(DEBOUNCE);
    for (const tab of tabs) assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(kept(tabs[0]), null);
  });

  test("say nothing to a tab of another user", async () => {
    const first = await cutOff(3, 2, 1);
    const { browser, clock } = first;
    const second = new Tab({ clock, browser });
    second.user = "bob";
    await second.live(3, 2, 1);
    const { user } = second.client;
    first.client.markRead("2");
    await clock.pass(2000);
    assert.equal(user, "bob");
    assert.deepEqual(second.shown, [3, 2, 1]);
  });

  test("outlive both", async () => {
    const tabs = await twoCutOff();
    for (const tab of tabs) tab.hidePage();
    const { browser, clock } = tabs[0];
    const next = new Tab({ clock, browser });
    obey(next);
    await next.live(3, 2, 1);
    assert.deepEqual(next.shown, [1]);
    assert.deepEqual(next.posts[0].json.ids.sort(), ["2", "3"]);
    assert.equal(kept(next), null);
  });

  test("of the one that is gone are sent by the other", async () => {
    const [first, second] = await twoCutOff();
    first.hidePage();
    obey(second);
    await reconnect(second);
    assert.deepEqual(second.posts.flatMap(({ json }) => json.ids).sort(), ["2", "3"]);
    assert.deepEqual(second.shown, [1]);
    assert.equal(kept(second), null);
  });

  test("wait in the storage until each was sent", async () => {
    const [first, second] = await twoCutOff();
    second.hidePage();
    first.client.markRead("1");
    await first.clock.pass(1000);
    assert.equal(JSON.parse(kept(first))[0].length, 3);
    obey(first);
    await reconnect(first);
    assert.deepEqual(first.shown, []);
    assert.equal(kept(first), null);
  });

  test("marked unread again where it was read, it is not taken over from the storage", async () => {
    const tab = await new Tab().live(2, 1);
    tab.isDown = true; // only what it asks for
    tab.client.markRead("2");
    await tab.clock.pass(1000);
    assert.ok(kept(tab));
    tab.frame({ type: "read", messages: [{ id: "2", stamp: 1002, position: position(2) }] });
    tab.frame({ type: "unread", messages: [{ id: "2", stamp: 1002, position: position(2) }] });
    obey(tab);
    await reconnect(tab);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.posts.length, 0);
    assert.equal(kept(tab), null);
  });
});

describe("other actions without a network", () => {
  for (const action of ["markUnread", "dismiss"]) {
    test(`${action} is taken back, with an error`, async () => {
      const tab = await new Tab().live(2, 1);
      await tab.client.markRead("2");
      tab.isDown = true;
      assert.equal(await tab.client[action](action === "dismiss" ? "1" : "2"), false);
      assert.deepEqual(tab.shown, [1]);
      assert.equal(tab.errors[0].action, action);
    });
  }
});
