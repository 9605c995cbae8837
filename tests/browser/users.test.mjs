/** Whose inbox it is: switches, tabs, signing out, the next page, the back/forward cache. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Browser, Clock, Tab, message, settled, storage } from "./harness.mjs";

const DEBOUNCE = 500;
const CUT_OFF = 1300; // a moment after 4401 a list decides

function switchTo(tab, user, ...numbers) {
  tab.user = user;
  tab.inbox = numbers.map((number) => message(number));
}

/** Two tabs of one browser, both live. */
async function pair(...numbers) {
  const clock = new Clock();
  const browser = new Browser(clock);
  const tabs = [new Tab({ clock, browser }), new Tab({ clock, browser })];
  for (const tab of tabs) await tab.live(...numbers);
  await clock.pass(10);
  return tabs;
}

describe("rule 13: another user", () => {
  test("in a list: everything of the first goes, the socket is closed", async () => {
    const tab = await new Tab().live(2, 1);
    const first = tab.socket;
    switchTo(tab, "bob", 7);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    await tab.release();
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.client.unread, 0);
    assert.equal(tab.client.loaded, false);
    assert.equal(first.readyState, 3);
    await tab.release();
    assert.deepEqual(tab.shown, [7]);
    assert.notEqual(tab.socket, first);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.status, "live");
    assert.deepEqual(tab.messages, []);
  });

  test("in the first sync of a new socket: the same", async () => {
    const tab = await new Tab().live(2, 1);
    tab.socket.end(1006);
    await tab.clock.pass(1000);
    switchTo(tab, "bob", 7);
    tab.hold = "lists";
    tab.sync();
    assert.deepEqual(tab.shown, []);
    tab.hold = false;
    await tab.release();
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [7]);
    assert.equal(tab.client.status, "live");
  });

  for (const ignoresAborts of [false, true]) {
    test(`a late answer of the first user is dropped (${ignoresAborts})`, async () => {
      const tab = await new Tab().live(2, 1);
      tab.ignoresAborts = ignoresAborts;
      tab.hold = "lists";
      tab.client.refresh();
      await settled();
      switchTo(tab, "bob", 7);
      tab.sync();
      await tab.release(); // alice's
      assert.deepEqual(tab.shown, []);
      await tab.release();
      assert.deepEqual(tab.shown, [7]);
    });

    test(`and so is a late page (${ignoresAborts})`, async () => {
      const tab = await new Tab().live(9, 8, 7, 3, 2);
      tab.ignoresAborts = ignoresAborts;
      tab.hold = "lists";
      const loaded = tab.client.loadMore();
      await settled();
      tab.hold = false;
      switchTo(tab, "bob", 7);
      await tab.client.refresh();
      await settled();
      await tab.release();
      assert.equal(await loaded, false);
      assert.deepEqual(tab.shown, [7]);
      assert.deepEqual(tab.errors, []);
    });
  }

  test("in a page: the same", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    await tab.client.loadMore();
    switchTo(tab, "bob", 12, 11, 10, 6);
    tab.leave(); // the same summary would not make it the same inbox
    tab.client.refresh();
    await settled();
    const first = new URL(tab.lists.at(-1).url).searchParams;
    assert.equal(first.get("limit"), "3"); // nothing of the first user's paging is left
    switchTo(tab, "carol", 5, 4);
    tab.listSummary = { unread: 4, digest: 4039 };
    assert.equal(await tab.client.loadMore(), false);
    tab.listSummary = null;
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.user, "carol");
    assert.deepEqual(tab.shown, [5, 4]);
  });

  test("frames of the old socket are not heard any more", async () => {
    const tab = await new Tab().live(2, 1);
    const old = tab.socket;
    switchTo(tab, "bob", 7);
    await tab.client.refresh();
    await settled();
    tab.sync();
    old.send({ type: "stored", message: message(99) });
    assert.deepEqual(tab.shown, [7]);
  });

  test("an action under way for the first says nothing about the second", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "posts";
    tab.client.markRead("2");
    await settled();
    switchTo(tab, "bob", 2, 1);
    await tab.client.refresh();
    await settled();
    await tab.release();
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("a socket and a list that never agree do not become a storm", async () => {
    const tab = new Tab();
    await tab.live(1);
    for (let round = 0; round < 200; round++) {
      await tab.clock.pass(300);
      if (tab.socket.readyState === 1) tab.sync({ user: "somebody else" });
      await settled();
    }
    assert.ok(tab.lists.length < 30, String(tab.lists.length));
  });
});

describe("rule 14: an action is for one user", () => {
  test("refused with 409, the client begins again", async () => {
    const tab = await new Tab().live(2, 1);
    tab.postStatus = ({ headers }) => (headers["X-Inbox-User"] === tab.user ? 200 : 409);
    switchTo(tab, "bob", 7);
    assert.equal(await tab.client.markRead("2"), false);
    await settled();
    assert.deepEqual(tab.shown, [7]);
    assert.equal(tab.posts.length, 1);
    assert.deepEqual(tab.errors, []);
  });
});

describe("other tabs", () => {
  test("tell of another user: nothing of the first stays visible", async () => {
    const [first, second] = await pair(2, 1);
    switchTo(first, "bob", 7);
    switchTo(second, "bob", 7);
    second.hold = "lists";
    await first.client.refresh();
    await settled();
    await first.clock.pass(5);
    assert.deepEqual(second.shown, []);
    await second.release();
    assert.deepEqual(second.shown, [7]);
    await first.clock.pass(50);
    assert.deepEqual(first.shown, [7]);
  });

  test("tell of signing out", async () => {
    const [first, second] = await pair(2, 1);
    first.listStatus = second.listStatus = 403;
    first.socket.end(4401);
    await first.clock.pass(CUT_OFF);
    assert.equal(first.client.status, "signed-out");
    assert.equal(second.client.status, "signed-out");
    assert.deepEqual(second.shown, []);
  });

  test("tell of signing in", async () => {
    const [first, second] = await pair(2, 1);
    first.listStatus = second.listStatus = 403;
    first.socket.end(4401);
    await first.clock.pass(CUT_OFF);
    assert.deepEqual(second.shown, []);
    first.listStatus = second.listStatus = 200;
    first.show(true);
    await first.clock.pass(10);
    assert.deepEqual(second.shown, [2, 1]);
  });

  test("with different users for good do not make each other restart for ever", async () => {
    const [first, second] = await pair(1);
    second.user = "bob";
    second.socket.end(1006);
    await second.client.refresh();
    for (const tab of [first, second]) tab.lists.length = 0;
    await first.clock.pass(50_000);
    assert.ok(first.lists.length + second.lists.length < 12);
    assert.equal(first.client.user, "alice");
    assert.equal(second.client.user, "bob");
  });

  test("signed out for their sockets only, do not wake each other for ever", async () => {
    const tabs = await pair(1);
    const [{ clock }] = tabs;
    for (const tab of tabs) {
      tab.lists.length = 0;
      tab.latency = 50;
      tab.socketsWork = false;
      tab.socketsEnd = { code: 4401, after: 20 };
      tab.socket.end(4401);
    }
    await clock.pass(CUT_OFF);
    tabs[0].show(true);
    await clock.pass(60_000);
    // No more than tabs that poll.
    const asked = tabs.reduce((sum, tab) => sum + tab.lists.length, 0);
    assert.ok(asked <= 14, String(asked));
    assert.equal(tabs[0].client.status, "polling");
    assert.deepEqual(tabs[0].shown, [1]);
  });

  test("without sockets ask at once after an action, live ones do not", async () => {
    const clock = new Clock();
    const browser = new Browser(clock);
    const polling = new Tab({ clock, browser, socket: null });
    const acting = new Tab({ clock, browser, socket: null });
    const live = await new Tab({ clock, browser }).live(2, 1);
    for (const tab of [polling, acting]) {
      tab.inbox = live.inbox;
      tab.client.start();
      await settled();
    }
    await clock.pass(10);
    const before = live.lists.length;
    polling.leave(2);
    await acting.client.markRead("2");
    await clock.pass(10);
    assert.deepEqual(polling.shown, [1]);
    assert.equal(live.lists.length, before);
  });

  test("two that start together ask once each", async () => {
    const [first, second] = await pair(1);
    await first.clock.pass(DEBOUNCE);
    assert.equal(first.lists.length + second.lists.length, 2);
  });
});

describe("signed out", () => {
  for (const status of [401, 403]) {
    test(`a list with ${status}: forget, no timers, no socket`, async () => {
      const tab = await new Tab().live(2, 1);
      tab.listStatus = status;
      await tab.client.refresh();
      assert.equal(tab.client.status, "signed-out");
      assert.deepEqual(tab.shown, []);
      assert.equal(tab.socket.readyState, 3);
      assert.equal(tab.clock.pending, 0);
    });
  }

  test("a socket closed with 4401: all is hidden, a list decides; one try when shown again", async () => {
    const tab = await new Tab().live(2, 1);
    tab.listStatus = 403;
    tab.socket.end(4401);
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.client.unread, 0);
    assert.equal(tab.browser.localStorage.size, 0);
    await tab.clock.pass(600_000);
    assert.equal(tab.client.status, "signed-out");
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.sockets.length, 1);
    tab.show(false);
    tab.show(true);
    await tab.clock.pass(600_000);
    assert.equal(tab.lists.length, 3);
    assert.equal(tab.client.status, "signed-out");
    tab.listStatus = 200;
    tab.show(true);
    await settled();
    assert.deepEqual(tab.shown, [2, 1]);
    tab.sync();
    assert.equal(tab.client.status, "live");
  });

  test("a session that goes on under another key: the bell is back by itself", async () => {
    const tab = await new Tab().live(2, 1);
    tab.socket.end(4401);
    assert.deepEqual(tab.shown, []);
    await tab.clock.pass(CUT_OFF);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.sockets.length, 2);
    tab.sync();
    assert.equal(tab.client.status, "live");
    assert.deepEqual(tab.messages, []);
    assert.deepEqual(tab.errors, []);
  });

  test("refused at the door after a while, the list decides at once", async () => {
    const tab = await new Tab().live(1);
    tab.socket.end(1012);
    tab.socketsWork = false;
    tab.socketsEnd = { code: 4401, after: 1 };
    await tab.clock.pass(20_000);
    assert.equal(tab.client.status, "polling");
    const asked = tab.lists.length;
    tab.listStatus = 403;
    tab.platform.window.dispatchEvent(new Event("online"));
    await tab.clock.pass(100);
    assert.equal(tab.lists.length, asked + 1);
    assert.equal(tab.client.status, "signed-out");
    assert.deepEqual(tab.shown, []);
  });

  test("a visitor costs one list and one socket", async () => {
    const tab = new Tab();
    tab.listStatus = 403;
    tab.client.start();
    await tab.clock.pass(600_000);
    assert.equal(tab.lists.length, 1);
    assert.equal(tab.sockets.length, 1);
    assert.deepEqual(tab.errors, []);
  });
});

describe("the first paint", () => {
  async function visit(numbers, options) {
    const tab = new Tab(options);
    await tab.live(...numbers);
    tab.hidePage();
    return tab;
  }

  test("the last count of the same user is there before any answer", async () => {
    const before = await visit([3, 2, 1]);
    const { browser, clock } = before;
    const next = new Tab({ clock, browser, session: before.platform.sessionStorage });
    assert.equal(next.client.unread, 3);
    assert.equal(next.client.loaded, false);
  });

  test("with what was just done", async () => {
    const before = await new Tab().live(3, 2, 1);
    before.hold = "posts";
    before.client.markRead("3");
    before.hidePage();
    const { browser, clock } = before;
    const next = new Tab({ clock, browser, session: before.platform.sessionStorage });
    assert.equal(next.client.unread, 2);
  });

  test("not when the tabs know of another user", async () => {
    const before = await visit([3, 2, 1]);
    const { browser, clock } = before;
    const other = new Tab({ clock, browser });
    switchTo(other, "bob", 7);
    other.client.start();
    await settled();
    const next = new Tab({ clock, browser, session: before.platform.sessionStorage });
    assert.equal(next.client.unread, 0);
  });

  test("gone as soon as the socket or the list names another", async () => {
    const before = await visit([3, 2, 1]);
    const { browser, clock } = before;
    const next = new Tab({ clock, browser, session: before.platform.sessionStorage });
    switchTo(next, "bob");
    next.hold = "lists";
    next.client.start();
    await settled();
    next.sync();
    assert.equal(next.client.unread, 0);
  });

  test("nothing after signing out", async () => {
    const before = await new Tab().live(1);
    before.socket.end(4401);
    before.hidePage();
    const { browser, clock } = before;
    const next = new Tab({ clock, browser, session: before.platform.sessionStorage });
    assert.equal(next.client.unread, 0);
    assert.equal(browser.localStorage.size, 0);
  });

  test("storage that is forbidden or broken is no obstacle", async () => {
    const forbidden = {
      get localStorage() {
        throw new Error("forbidden");
      },
    };
    const clock = new Clock();
    const refuse = () => {
      throw new Error("full");
    };
    const full = { ...storage(), setItem: refuse };
    const odd = { ...storage(), getItem: () => "{" };
    for (const area of [full, odd]) {
      const browser = new Browser(clock);
      browser.localStorage = area;
      const tab = await new Tab({ clock, browser, session: area }).live(1);
      assert.deepEqual(tab.shown, [1]);
      tab.hidePage();
    }
    const tab = new Tab();
    Object.defineProperties(tab.platform, Object.getOwnPropertyDescriptors(forbidden));
    await tab.live(1);
    assert.deepEqual(tab.shown, [1]);
  });
});

describe("the back/forward cache", () => {
  test("a hidden page holds neither socket nor channel nor timer", async () => {
    const tab = await new Tab().live(1);
    tab.hidePage();
    assert.equal(tab.socket.readyState, 3);
    assert.equal(tab.browser.channels.size, 0);
    assert.equal(tab.clock.pending, 0);
  });

  test("restored, it asks before it trusts", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hidePage();
    tab.arrive(3, { tell: false });
    tab.restorePage();
    await settled();
    assert.deepEqual(tab.shown, [3, 2, 1]);
    tab.sync();
    assert.equal(tab.client.status, "live");
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.sockets.length, 2);
  });

  test("restored to another user's browser, it hides all before it asks", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hidePage();
    const other = new Tab({ clock: tab.clock, browser: tab.browser });
    switchTo(other, "bob", 7);
    await other.client.start();
    await settled();
    switchTo(tab, "bob", 7);
    tab.hold = "lists";
    tab.restorePage();
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.client.unread, 0);
    await tab.release();
    assert.deepEqual(tab.shown, [7]);
  });

  test("restored after signing out elsewhere, it hides all", async () => {
    const [first, second] = await pair(2, 1);
    first.hidePage();
    second.socket.end(4401);
    first.hold = "lists";
    first.listStatus = 403;
    first.restorePage();
    assert.deepEqual(first.shown, []);
    await first.release();
    assert.equal(first.client.status, "signed-out");
  });
});
