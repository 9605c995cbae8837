/** One socket for all tabs of a browser: who has it, what the others hear, and who is next. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Browser, Clock, Tab, message, ref, settled } from "./harness.mjs";

const DEBOUNCE = 500;
const MINUTE = 60_000;
const SILENCE = 18_000; // one and a half heartbeats of ten seconds, and three seconds
const PATIENCE = 4000; // of those that stand by

/** The tabs of a browser, and a server that talks to each of their sockets. */
class Tabs {
  clock = new Clock();
  browser = new Browser(this.clock);
  all = [];

  static async open(count, ...numbers) {
    const tabs = new Tabs();
    for (let index = 0; index < count; index++) await tabs.add(...numbers);
    return tabs;
  }

  async add(...numbers) {
    const tab = new Tab({ clock: this.clock, browser: this.browser, isSharing: true });
    this.all.push(tab);
    await this.begin(tab, ...numbers);
    return tab;
  }

  async begin(tab, ...numbers) {
    tab.inbox = numbers.map((number) => message(number));
    tab.client.start();
    await this.clock.pass(10);
    this.sync();
    await this.clock.pass(10);
  }

  /** Those with an open socket. */
  get holders() {
    return this.all.filter(({ socket }) => socket?.readyState === 1);
  }

  get holder() {
    assert.equal(this.holders.length, 1);
    return this.holders[0];
  }

  get lists() {
    return this.all.reduce((sum, { lists }) => sum + lists.length, 0);
  }

  get shown() {
    return this.all.map(({ shown }) => shown);
  }

  get statuses() {
    return this.all.map(({ client }) => client.status);
  }

  sync() {
    for (const tab of this.holders) tab.sync();
  }

  /** It is committed; the frame comes only where there is a socket, and only if `tell`. */
  arrive(number, { tell = true, ...fields } = {}) {
    for (const tab of this.all) tab.arrive(number, { tell: false, ...fields });
    if (tell) this.frame({ type: "stored", message: message(number, fields) });
  }

  leave(...numbers) {
    for (const tab of this.all) tab.leave(...numbers);
  }

  frame(frame) {
    for (const tab of this.holders) tab.frame(frame);
  }

  /** Time passes, and the server says its word now and then. */
  async pass(duration) {
    const until = this.clock.now + duration;
    while (this.clock.now < until) {
      await this.clock.pass(Math.min(1000, until - this.clock.now));
      if (this.clock.now % 10_000 < 1000) this.sync();
    }
    await this.clock.pass(10);
  }
}

const each = (tabs, value) => tabs.all.map(() => value);

describe("one socket per browser", () => {
  test("is shared by all tabs, and each asks for one list", async () => {
    const tabs = await Tabs.open(3, 2, 1);
    assert.equal(tabs.holder, tabs.all[0]);
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    await tabs.pass(30_000);
    assert.equal(tabs.lists, 3);

    tabs.arrive(3);
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.shown, each(tabs, [3, 2, 1]));
    for (const tab of tabs.all) assert.deepEqual(tab.messages, ["3"]);
    tabs.leave(2);
    tabs.frame({ type: "read", messages: [ref(message(2))] });
    await tabs.pass(30_000);
    assert.deepEqual(tabs.shown, each(tabs, [3, 1]));
    assert.equal(tabs.lists, 3);
  });

  test("what is done in one tab is in all of them", async () => {
    const tabs = await Tabs.open(3, 2, 1);
    const [, second] = tabs.all;
    second.postStatus = () => {
      tabs.leave(2);
      tabs.frame({ type: "read", messages: [ref(message(2))] });
      return 200;
    };
    await second.client.markRead("2");
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.shown, each(tabs, [1]));
    assert.equal(tabs.lists, 3);
  });

  test("what no frame told is asked for by all", async () => {
    const tabs = await Tabs.open(2, 1);
    tabs.arrive(2, { tell: false });
    tabs.sync();
    await tabs.clock.pass(DEBOUNCE);
    assert.deepEqual(tabs.shown, each(tabs, [2, 1]));
  });

  test("a tab whose list is older than what it did not hear asks again", async () => {
    const tabs = await Tabs.open(1, 1);
    const late = new Tab({ clock: tabs.clock, browser: tabs.browser, isSharing: true });
    tabs.all.push(late);
    late.inbox = [message(1)];
    late.hold = "lists";
    late.client.start();
    await settled();
    tabs.arrive(2); // it does not know yet whose frames are meant for it
    late.hold = false;
    await late.release();
    await tabs.clock.pass(DEBOUNCE);
    assert.deepEqual(tabs.shown, each(tabs, [2, 1]));
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
  });

  test("a tab that stands by has no socket, ever", async () => {
    const tabs = await Tabs.open(2, 1);
    await tabs.pass(5 * MINUTE);
    assert.equal(tabs.all[1].sockets.length, 0);
    assert.equal(tabs.all[0].sockets.length, 1);
  });

  test("stopped, a client leaves no lock and no timer", async () => {
    const tabs = await Tabs.open(2, 1);
    for (const tab of tabs.all) tab.client.stop();
    await tabs.clock.pass(10);
    assert.equal(tabs.browser.lockCount, 0);
    assert.equal(tabs.browser.channels.size, 0);
    assert.equal(tabs.clock.pending, 0);
  });
});

describe("the holder", () => {
  const leaving = {
    closed: (tab) => tab.hidePage(),
    stopped: (tab) => tab.client.stop(),
    discarded: (tab, { browser }) => {
      tab.socket.close();
      browser.forget(tab.gate);
    },
  };
  for (const [how, leave] of Object.entries(leaving)) {
    test(`${how}: another tab is next at once, and nothing is lost`, async () => {
      const tabs = await Tabs.open(3, 1);
      const first = tabs.holder;
      leave(first, tabs);
      tabs.arrive(2, { tell: false });
      await tabs.clock.pass(10);
      assert.equal(tabs.holder, tabs.all[1]);
      tabs.sync();
      await tabs.clock.pass(DEBOUNCE);
      assert.deepEqual(tabs.shown.slice(1), [
        [2, 1],
        [2, 1],
      ]);
      tabs.arrive(3);
      await tabs.clock.pass(5);
      assert.deepEqual(tabs.shown.slice(1), [
        [3, 2, 1],
        [3, 2, 1],
      ]);
    });
  }

  test("frozen: robbed after a missed heartbeat; thawed, it lets go and listens", async () => {
    const tabs = await Tabs.open(3, 1);
    const [first, second] = tabs.all;
    first.gate.freeze();
    tabs.arrive(2); // heard by nobody
    let waited = 0;
    while (!second.socket && !tabs.all[2].socket) {
      await tabs.clock.pass(1000);
      waited += 1000;
      assert.ok(waited <= SILENCE + PATIENCE + 1000);
    }
    assert.ok(waited >= SILENCE);
    await tabs.pass(10_000);
    assert.deepEqual(tabs.shown.slice(1), [
      [2, 1],
      [2, 1],
    ]);
    assert.equal(tabs.holders.length, 2); // the frozen one cannot close its own

    first.gate.thaw();
    await tabs.pass(11_000);
    assert.notEqual(tabs.holder, first);
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    assert.deepEqual(first.shown, [2, 1]);
    tabs.arrive(3);
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.shown, each(tabs, [3, 2, 1]));
  });

  test("in the back/forward cache: replaced; restored, it listens", async () => {
    const tabs = await Tabs.open(2, 1);
    const [first, second] = tabs.all;
    first.hidePage();
    assert.equal(first.socket.readyState, 3);
    await tabs.clock.pass(10);
    tabs.sync();
    tabs.arrive(2);
    first.restorePage();
    await tabs.clock.pass(DEBOUNCE);
    assert.equal(tabs.holder, second);
    assert.deepEqual(tabs.shown, each(tabs, [2, 1]));
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    assert.equal(first.sockets.length, 1);
  });

  test("in the back/forward cache, alone: restored, it asks once", async () => {
    const tabs = await Tabs.open(1, 1);
    const [tab] = tabs.all;
    tab.hidePage();
    tab.hold = "lists";
    tab.restorePage();
    await tabs.clock.pass(10);
    tab.sync(); // before the list is answered
    tab.hold = false;
    await tab.release();
    await tabs.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.client.status, "live");
  });

  test("with a dead socket: it gets a new one itself, nobody robs it", async () => {
    const tabs = await Tabs.open(2, 1);
    await tabs.clock.pass(SILENCE + 1000);
    assert.equal(tabs.holder, tabs.all[0]);
    assert.equal(tabs.all[0].sockets.length, 2);
    tabs.sync();
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
  });
});

describe("hidden tabs", () => {
  test("let go of the socket after a minute, and still hear what a visible one hears", async () => {
    const tabs = await Tabs.open(2, 1);
    const [first, second] = tabs.all;
    first.show(false);
    await tabs.pass(55_000);
    assert.equal(tabs.holder, first);
    await tabs.pass(10_000);
    assert.equal(tabs.holder, second);
    tabs.arrive(2);
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.shown, each(tabs, [2, 1]));
    await tabs.pass(10 * MINUTE);
    assert.equal(tabs.holder, second);
    assert.equal(first.sockets.length, 1);
    assert.equal(tabs.lists, 2);
  });

  test("all of them: no socket; the one that is shown catches up", async () => {
    const tabs = await Tabs.open(3, 1);
    for (const tab of tabs.all) tab.show(false);
    await tabs.pass(2 * MINUTE);
    assert.deepEqual(tabs.holders, []);
    assert.equal(tabs.browser.lockCount, 0);
    tabs.arrive(2);
    await tabs.pass(10 * MINUTE);
    assert.equal(tabs.lists, 3);

    const [, second, third] = tabs.all;
    second.show(true);
    await tabs.clock.pass(10);
    assert.equal(tabs.holder, second);
    tabs.sync();
    await tabs.pass(30_000);
    assert.deepEqual(second.shown, [2, 1]);
    assert.equal(tabs.lists, 4); // those that nobody sees do not ask
    third.show(true);
    await tabs.clock.pass(10);
    assert.deepEqual(third.shown, [2, 1]);
    assert.equal(tabs.holder, second);
  });

  test("shown again within the minute, the holder keeps it", async () => {
    const tabs = await Tabs.open(2, 1);
    const [first] = tabs.all;
    first.show(false);
    await tabs.pass(50_000);
    first.show(true);
    await tabs.pass(5 * MINUTE);
    assert.equal(tabs.holder, first);
    assert.equal(first.sockets.length, 1);
  });

  test("keep it where the page wants to know in the background", async () => {
    const tabs = await Tabs.open(1, 1);
    const [only] = tabs.all;
    only.client.background = true;
    only.show(false);
    await tabs.pass(5 * MINUTE);
    tabs.arrive(2);
    assert.deepEqual(only.shown, [2, 1]);
    assert.equal(only.sockets.length, 1);
  });
});

describe("no socket", () => {
  test("for the holder is none for all: they poll, and go back together", async () => {
    const tabs = await Tabs.open(2, 1);
    const [first] = tabs.all;
    first.socketsWork = false;
    first.socket.end(1006);
    await tabs.clock.pass(10);
    assert.deepEqual(tabs.statuses, each(tabs, "connecting"));
    await tabs.pass(30_000);
    assert.deepEqual(tabs.statuses, each(tabs, "polling"));
    tabs.arrive(2, { tell: false });
    await tabs.clock.pass(20_000);
    assert.deepEqual(tabs.shown, each(tabs, [2, 1]));
    assert.equal(tabs.all[1].sockets.length, 0);

    first.socketsWork = true;
    while (tabs.holders.length === 0) await tabs.clock.pass(1000);
    tabs.sync();
    await tabs.clock.pass(DEBOUNCE);
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    const { lists } = tabs;
    await tabs.pass(2 * MINUTE);
    assert.equal(tabs.lists, lists);
  });

  test("from the start: the holder does not rob itself, and tries as often as any other", async () => {
    const tabs = new Tabs();
    const tab = new Tab({ clock: tabs.clock, browser: tabs.browser, isSharing: true });
    tab.socketsWork = false;
    tab.client.start();
    await tabs.clock.pass(MINUTE);
    assert.equal(tab.client.status, "polling");
    assert.ok(tab.sockets.length <= 4, String(tab.sockets.length));
  });

  test("a tab that is opened meanwhile does not take the holder for dead", async () => {
    const tabs = await Tabs.open(1, 1);
    const [first] = tabs.all;
    first.socketsWork = false;
    first.socket.end(1006);
    await tabs.clock.pass(30_000);
    const late = await tabs.add(1);
    await tabs.clock.pass(40_000);
    assert.equal(late.sockets.length, 0);
    assert.equal(late.client.status, "polling");
  });

  test("signed out: all hide everything at once, and one list each decides", async () => {
    const tabs = await Tabs.open(3, 1);
    for (const tab of tabs.all) tab.listStatus = 403;
    tabs.holder.socket.end(4401);
    await tabs.clock.pass(5);
    assert.deepEqual(tabs.shown, each(tabs, []));
    await tabs.clock.pass(10 * MINUTE);
    assert.deepEqual(tabs.statuses, each(tabs, "signed-out"));
    assert.ok(tabs.lists <= 6, String(tabs.lists));
    assert.equal(tabs.browser.lockCount, 0);
  });

  test("a session that goes on under another key: all are back", async () => {
    const tabs = await Tabs.open(3, 1);
    tabs.holder.socket.end(4401);
    await tabs.clock.pass(2000);
    tabs.sync();
    await tabs.clock.pass(DEBOUNCE);
    assert.deepEqual(tabs.shown, each(tabs, [1]));
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    assert.equal(tabs.lists, 6);
    assert.equal(tabs.holders.length, 1);
  });
});

describe("whose frames they are", () => {
  test("those of another user are not heard", async () => {
    const tabs = await Tabs.open(1, 1);
    const [first] = tabs.all;
    const other = new Tab({ clock: tabs.clock, browser: tabs.browser, isSharing: true });
    other.user = "bob"; // signs in by other means
    other.inbox = [message(7)];
    other.client.start();
    for (let second = 0; second < 20; second++) {
      await tabs.clock.pass(1000);
      for (const tab of [first, other]) if (tab.socket?.readyState === 1) tab.sync();
    }
    assert.equal(first.client.status, "live");
    assert.equal(other.client.status, "live");
    first.frame({ type: "stored", message: message(2) });
    other.frame({ type: "stored", message: message(8) });
    await tabs.clock.pass(10);
    assert.deepEqual(first.shown, [2, 1]);
    assert.deepEqual(other.shown, [8, 7]);
  });

  test("a switch in one tab is a switch in all, with one socket", async () => {
    const tabs = await Tabs.open(3, 2, 1);
    for (const tab of tabs.all) {
      tab.user = "bob";
      tab.inbox = [message(7)];
    }
    const [, second] = tabs.all;
    await second.client.refresh();
    await tabs.clock.pass(10);
    tabs.sync();
    await tabs.clock.pass(DEBOUNCE);
    assert.deepEqual(tabs.shown, each(tabs, [7]));
    assert.deepEqual(tabs.statuses, each(tabs, "live"));
    assert.equal(tabs.holders.length, 1);
  });

  test("a socket that is another user's already shares nothing", async () => {
    const tabs = await Tabs.open(2, 2, 1);
    const [first, second] = tabs.all;
    first.socket.end(1006);
    await tabs.clock.pass(600);
    for (const tab of tabs.all) {
      tab.user = "bob";
      tab.inbox = [message(7)];
      tab.hold = "lists";
    }
    first.sync();
    await tabs.clock.pass(5);
    assert.deepEqual(first.shown, []);
    assert.equal(second.client.user, "alice"); // until the first one's list says so
    for (const tab of tabs.all) tab.hold = false;
    await first.release();
    await tabs.clock.pass(10);
    assert.deepEqual(tabs.shown, each(tabs, [7]));
  });
});

describe("a browser that does not share", () => {
  test("refuses locks: each visible tab has a socket of its own", async () => {
    const clock = new Clock();
    const browser = new Browser(clock);
    const locks = {
      request: async () => {
        throw new DOMException("denied", "SecurityError");
      },
    };
    for (let index = 0; index < 2; index++) {
      const tab = new Tab({ clock, browser, platform: { locks } });
      await tab.live(1);
      await clock.pass(10);
      tab.sync();
      assert.equal(tab.client.status, "live");
    }
  });

  test("has no locks: hidden tabs let go after a minute, and catch up when shown", async () => {
    const tab = await new Tab().live(1);
    const beat = async (seconds) => {
      for (let second = 0; second < seconds; second += 10) {
        await tab.clock.pass(10_000);
        if (tab.socket.readyState === 1) tab.sync();
      }
    };
    tab.show(false);
    await beat(50);
    assert.equal(tab.socket.readyState, 1);
    await beat(20);
    assert.equal(tab.socket.readyState, 3);
    tab.arrive(2, { tell: false });
    await beat(600);
    assert.equal(tab.sockets.length, 1);
    assert.equal(tab.lists.length, 1);
    tab.show(true);
    assert.equal(tab.sockets.length, 2);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.client.status, "live");
  });
});
