/** Getting and keeping a socket, living without one, and letting go. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { InboxClient, Tab, answer, message, ref, settled } from "./harness.mjs";

const DEBOUNCE = 500;
const MINUTE = 60_000;

describe("the socket", () => {
  test("its address follows the page's", async () => {
    const tab = await new Tab().live();
    assert.equal(tab.socket.url, "ws://site.test/ws/inbox/");
    const secure = new Tab({ inbox: "https://site.test/i/", socket: "https://site.test/ws/" });
    await secure.live();
    assert.equal(secure.socket.url, "wss://site.test/ws/");
  });

  test("a lost one comes back soon, and needs no list when nothing was missed", async () => {
    const tab = await new Tab().live(1);
    tab.socket.end(1006);
    assert.equal(tab.client.status, "connecting");
    await tab.clock.pass(501);
    assert.equal(tab.sockets.length, 2);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.status, "live");
    assert.equal(tab.lists.length, 1);
  });

  test("what was missed is fetched", async () => {
    const tab = await new Tab().live(1);
    tab.socket.end(1012);
    tab.arrive(2, { tell: false });
    await tab.clock.pass(501);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.deepEqual(tab.messages, ["2"]);
  });

  test("tries are spread and become rarer, but not rarer than half a minute", async () => {
    const tab = await new Tab({ platform: { random: () => 0.999 } }).live(1);
    tab.isDown = true;
    tab.socketsWork = false;
    tab.socket.end(1006);
    const made = [];
    for (let second = 0; second < 300; second++) {
      const before = tab.sockets.length;
      await tab.clock.pass(1000);
      if (tab.sockets.length > before) made.push(second);
    }
    const gaps = made.slice(1).map((second, index) => second - made[index]);
    assert.ok(gaps[0] <= 2, String(gaps));
    assert.ok(Math.max(...gaps) <= 31, String(gaps));
    assert.ok(gaps.at(-1) >= 28, String(gaps));
  });

  test("silent for longer than the heartbeat allows, it is dead", async () => {
    const tab = await new Tab().live(1);
    const first = tab.socket;
    await tab.clock.pass(15_000);
    tab.sync();
    await tab.clock.pass(15_000);
    assert.equal(first.readyState, 1);
    await tab.clock.pass(5000);
    assert.equal(first.readyState, 3);
    assert.equal(tab.sockets.length, 2);
  });

  test("one that never says its first sync is given up", async () => {
    const tab = new Tab();
    tab.client.start();
    await tab.clock.pass(12_000);
    assert.equal(tab.sockets[0].readyState, 3);
    assert.equal(tab.sockets.length, 2);
  });

  test("one that is still connecting is closed without a browser's warning", async () => {
    const tab = new Tab();
    tab.hold = "lists";
    tab.listStatus = 403;
    tab.client.start();
    await settled();
    let closed = 0;
    tab.socket.readyState = 0;
    tab.socket.close = () => (closed += 1);
    await tab.release();
    assert.equal(closed, 0);
    tab.socket.onopen();
    assert.equal(closed, 1);
  });

  test("too many sockets: slowly, and polling meanwhile", async () => {
    const tab = await new Tab().live(1);
    tab.socket.end(4429);
    tab.arrive(2, { tell: false });
    await tab.clock.pass(40_000);
    assert.equal(tab.sockets.length, 1);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.client.status, "polling");
    await tab.clock.pass(25_000);
    assert.equal(tab.sockets.length, 2);
    assert.deepEqual(tab.infos, []);
  });

  test("too slow for the server: come back", async () => {
    const tab = await new Tab().live(1);
    tab.socket.end(1013);
    await tab.clock.pass(501);
    assert.equal(tab.sockets.length, 2);
  });

  test("a network that is back is tried at once", async () => {
    const tab = await new Tab({ platform: { random: () => 0.999 } }).live(1);
    tab.isDown = true;
    tab.socketsWork = false;
    tab.socket.end(1006);
    await tab.clock.pass(2 * MINUTE);
    tab.isDown = false;
    tab.socketsWork = true;
    const before = tab.sockets.length;
    tab.platform.window.dispatchEvent(new Event("online"));
    await settled();
    assert.equal(tab.sockets.length, before + 1);
    tab.sync();
    assert.equal(tab.client.status, "live");
  });

  test("a server that answers lists again is tried at once", async () => {
    const tab = await new Tab({ platform: { random: () => 0.999 } }).live(1);
    tab.isDown = true;
    tab.socketsWork = false;
    tab.socket.end(1006);
    await tab.clock.pass(5 * MINUTE);
    assert.equal(tab.client.status, "offline");
    tab.isDown = false;
    tab.socketsWork = true;
    const lists = tab.lists.length;
    const sockets = tab.sockets.length;
    while (tab.lists.length === lists) await tab.clock.pass(100);
    assert.ok(tab.sockets.length > sockets);
    assert.equal(tab.socket.readyState, 1);
  });
});

describe("without sockets", () => {
  test("three failures: poll, say so once, and go back when sockets work", async () => {
    const tab = new Tab();
    tab.socketsWork = false;
    tab.inbox = [];
    tab.client.start();
    await tab.clock.pass(10_000);
    assert.equal(tab.sockets.length, 3);
    assert.equal(tab.client.status, "polling");
    assert.equal(tab.infos.length, 1);
    assert.match(tab.infos[0], /\/ws\/inbox\//);
    tab.arrive(1, { tell: false });
    await tab.clock.pass(20_000);
    assert.deepEqual(tab.shown, [1]);
    assert.deepEqual(tab.messages, ["1"]);

    await tab.clock.pass(10 * MINUTE);
    assert.ok(tab.sockets.length > 7 && tab.sockets.length < 18, String(tab.sockets.length));
    assert.equal(tab.infos.length, 1);
    tab.socketsWork = true;
    const tried = tab.sockets.length;
    while (tab.sockets.length === tried) await tab.clock.pass(1000);
    tab.sync();
    assert.equal(tab.client.status, "live");
    const lists = tab.lists.length;
    for (let beat = 0; beat < 10; beat++) {
      await tab.clock.pass(10_000);
      tab.sync();
    }
    assert.equal(tab.lists.length, lists);
  });

  test("without an address: poll from the start, and no word about it", async () => {
    const tab = new Tab({ socket: null });
    tab.client.start();
    await settled();
    assert.equal(tab.client.status, "polling");
    await tab.clock.pass(MINUTE);
    assert.equal(tab.lists.length, 5);
    assert.equal(tab.sockets.length, 0);
    assert.deepEqual(tab.infos, []);
  });

  test("a socket that the page's policy forbids", async () => {
    const tab = new Tab({
      platform: {
        WebSocket: class {
          constructor() {
            throw new Error("forbidden");
          }
        },
      },
    });
    tab.client.start();
    await tab.clock.pass(10_000);
    assert.equal(tab.client.status, "polling");
  });

  for (const said of [["error"], ["error", "close"], ["close"]]) {
    test(`one that ends at once, told by ${said.join(" and ")}`, async () => {
      let made = 0;
      class Forbidden {
        readyState = 3;
        constructor() {
          made += 1;
          const tell = (type) => this[`on${type}`]?.({ code: type === "close" ? 1006 : undefined });
          queueMicrotask(() => said.forEach(tell));
        }
        close() {}
      }
      const tab = new Tab({ platform: { WebSocket: Forbidden } });
      tab.client.start();
      await tab.clock.pass(15_000);
      assert.equal(made, 3);
      assert.equal(tab.client.status, "polling");
      tab.arrive(1, { tell: false });
      await tab.clock.pass(20_000);
      assert.deepEqual(tab.shown, [1]);
      // Tried again about every minute, and no more often.
      await tab.clock.pass(10 * MINUTE);
      assert.ok(made <= 3 + 12, `${made} sockets`);
      assert.ok(made >= 3 + 8, `${made} sockets`);
    });
  }

  test("hidden pages do not poll; shown again they ask at once", async () => {
    const tab = new Tab({ socket: null });
    tab.client.start();
    await settled();
    tab.show(false);
    await tab.clock.pass(10 * MINUTE);
    assert.equal(tab.lists.length, 1);
    tab.arrive(1, { tell: false });
    tab.show(true);
    await settled();
    assert.deepEqual(tab.shown, [1]);
    await tab.clock.pass(MINUTE);
    assert.equal(tab.lists.length, 6);
  });

  test("hidden pages do not try again either, until they are shown", async () => {
    const tab = new Tab({ socket: null });
    tab.client.start();
    await settled();
    tab.isDown = true;
    await tab.clock.pass(20_000);
    assert.equal(tab.client.status, "offline");
    tab.show(false);
    await tab.clock.pass(2 * MINUTE);
    const asked = tab.lists.length;
    await tab.clock.pass(10 * MINUTE);
    assert.equal(tab.lists.length, asked);
    tab.isDown = false;
    tab.show(true);
    await settled();
    assert.equal(tab.client.status, "polling");
  });
});

describe("conditional requests", () => {
  const known = ({ headers }) => headers["If-None-Match"];

  async function polling(...numbers) {
    const tab = new Tab({ socket: null });
    tab.inbox = numbers.map((number) => message(number));
    tab.client.start();
    await settled();
    return tab;
  }

  test("while nothing changes, the server is asked whether it did", async () => {
    const tab = await polling(2, 1);
    const { changes } = tab;
    await tab.clock.pass(MINUTE);
    assert.equal(tab.lists.length, 5);
    assert.equal(known(tab.lists[0]), undefined);
    for (const list of tab.lists.slice(1)) assert.match(known(list), /^W\/"alice-2-/);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.client.status, "polling");
    assert.deepEqual(tab.errors, []);
    assert.equal(tab.changes, changes);
    tab.arrive(3, { tell: false });
    await tab.clock.pass(20_000);
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.deepEqual(tab.messages, ["3"]);
  });

  test("the answer says how long to wait, a changed one too", async () => {
    const tab = await polling(1);
    tab.pollInterval = 60;
    await tab.clock.pass(MINUTE);
    assert.equal(tab.lists.length, 2);
  });

  for (const [what, change] of Object.entries({
    "a frame": (tab) => tab.frame({ type: "read", messages: [ref(message(2))] }),
    "a confirmed action": (tab) => tab.client.markRead("2"),
  })) {
    test(`after ${what} it is not, for an unchanged answer would freeze the state`, async () => {
      const tab = await new Tab().live(2, 1);
      await change(tab);
      assert.deepEqual(tab.shown, [1]);
      tab.sync(); // it is unread all the same
      await tab.clock.pass(DEBOUNCE);
      assert.equal(known(tab.lists[1]), undefined);
      assert.deepEqual(tab.shown, [2, 1]);
    });
  }

  test("after a further page the state is still that of the list", async () => {
    const tab = await new Tab().live(5, 4, 3, 2);
    await tab.client.loadMore();
    await tab.client.refresh();
    assert.deepEqual(tab.shown, [5, 4, 3, 2]);
    tab.arrive(6, { tell: false });
    await tab.client.refresh();
    assert.deepEqual(tab.shown, [6, 5, 4, 3, 2]);
  });

  test("after an event during a request that brought news, neither", async () => {
    const tab = await new Tab().live(2, 1);
    tab.arrive(3, { tell: false });
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    tab.frame({ type: "read", messages: [ref(message(2))] }); // it is unread all the same
    tab.hold = false;
    await tab.release();
    assert.deepEqual(tab.shown, [3, 1]);
    await tab.client.refresh();
    assert.deepEqual(tab.shown, [3, 2, 1]);
  });

  test("nor after an event that came during the request", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    assert.ok(known(tab.lists[1]));
    tab.frame({ type: "read", messages: [ref(message(2))] });
    tab.hold = false;
    await tab.release();
    assert.deepEqual(tab.shown, [1]);
    await tab.client.refresh();
    assert.equal(known(tab.lists[2]), undefined);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("a sync that differs during an unchanged answer is looked into", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    tab.arrive(2, { tell: false });
    tab.sync();
    tab.hold = false;
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("another user's answer is never taken for unchanged", async () => {
    const tab = await polling(1);
    tab.user = "bob";
    await tab.clock.pass(20_000);
    assert.equal(tab.client.user, "bob");
    assert.equal(known(tab.lists.at(-1)), undefined);
  });
});

describe("the life of a client", () => {
  test("stopped, it leaves nothing behind; started again, it begins", async () => {
    const tab = await new Tab().live(2, 1);
    tab.client.stop();
    tab.client.stop();
    assert.equal(tab.clock.pending, 0);
    assert.equal(tab.browser.channels.size, 0);
    assert.equal(tab.socket.readyState, 3);
    assert.deepEqual(tab.shown, [2, 1]);
    tab.platform.window.dispatchEvent(new Event("online"));
    tab.show(true);
    tab.restorePage();
    await settled();
    assert.equal(tab.sockets.length, 1);
    await tab.live(3, 2, 1);
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.client.status, "live");
  });

  test("stopped while a list is under way, it drops the answer", async () => {
    const tab = new Tab();
    tab.hold = "lists";
    await tab.live(1);
    tab.client.stop();
    await tab.release();
    assert.deepEqual(tab.shown, []);
    assert.deepEqual(tab.errors, []);
  });

  test("starting twice is starting once", async () => {
    const tab = new Tab();
    tab.client.start();
    tab.client.start();
    await tab.live(1);
    assert.equal(tab.lists.length, 1);
    assert.equal(tab.sockets.length, 1);
  });

  test("status events tell each change once", async () => {
    const tab = await new Tab().live(1);
    tab.sync();
    tab.socket.end(1006);
    await tab.clock.pass(501);
    tab.sync();
    assert.deepEqual(tab.statuses, ["live", "connecting", "live"]);
  });

  test("every arrival is told once, in order", async () => {
    const tab = await new Tab({ pageSize: 20 }).live(1);
    tab.arrive(3);
    tab.arrive(2, { tell: false });
    tab.arrive(5, { tell: false });
    tab.arrive(4, { tell: false });
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [5, 4, 3, 2, 1]);
    assert.deepEqual(tab.messages, ["3", "4", "5"]);
    await tab.client.refresh();
    assert.deepEqual(tab.messages, ["3", "4", "5"]);
  });

  test("a storm of a thousand messages costs no request", async () => {
    const tab = await new Tab().live();
    for (let number = 1; number <= 1000; number++) tab.arrive(number);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 1000);
    assert.equal(tab.lists.length, 1);
  });

  test("loading the script twice keeps the class", async () => {
    await import("../../static/realtime/inbox-client.js?again");
    assert.equal(globalThis[Symbol.for("stored_messages.InboxClient")], InboxClient);
  });
});

describe("after an outage", () => {
  /** A live tab whose lists fail again and again, right after one did. */
  async function failing() {
    const tab = await new Tab({ platform: { random: () => 0.999 } }).live(1);
    tab.isDown = true;
    tab.arrive(2, { tell: false });
    for (const failures = tab.errors.length + 6; tab.errors.length < failures;) {
      tab.sync({ heartbeat: 4 });
      await tab.clock.pass(50);
    }
    tab.isDown = false;
    return tab;
  }

  test("a new socket ends the pause after failed lists", async () => {
    const tab = await failing();
    tab.socket.end(1006);
    await tab.clock.pass(501);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("but not the one that the server asked for", async () => {
    const tab = new Tab();
    tab.hold = "lists";
    tab.inbox = [message(1)];
    tab.client.start();
    await settled();
    tab.hold = false;
    await tab.release(answer({}, { status: 503, headers: { "Retry-After": "40" } }));
    tab.sync();
    await tab.clock.pass(39_000);
    assert.equal(tab.lists.length, 1);
    await tab.clock.pass(1500);
    assert.deepEqual(tab.shown, [1]);
  });

  test("a list that hangs in a dead connection is not waited for", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "lists";
    const asked = tab.client.refresh(); // never answered
    await tab.clock.pass(100);
    tab.socket.end(1006);
    await tab.clock.pass(501);
    tab.hold = false;
    tab.arrive(2, { tell: false });
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    await asked;
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("live, failed lists are tried again within a heartbeat", async () => {
    const tab = await failing();
    await tab.clock.pass(4600);
    assert.deepEqual(tab.shown, [2, 1]);
  });
});
