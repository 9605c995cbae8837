/** The rules of the live protocol, and what goes wrong without each. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Tab, answer, message, position, ref, settled } from "./harness.mjs";

const DEBOUNCE = 500; // longer than the longest

const newTab = (options) => new Tab(options);

describe("a list and the first sync", () => {
  test("one list request, and none after a sync that it answers", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(3, 2, 1);
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.lists.length, 1);
    assert.equal(tab.client.status, "live");
  });

  test("a sync after the list compares with it", async () => {
    const tab = await newTab().live(3, 2, 1);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("a list older than the first sync is fetched again", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(2, 1);
    tab.arrive(3, { tell: false });
    tab.sync();
    tab.hold = false;
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.lists.length, 2);
  });

  test("a row that a list names twice is shown once", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(2, 1);
    const rows = [message(2), message(2), message(1)];
    const headers = { "X-Inbox-User": "alice", "X-Unread-Count": "2", "X-Unread-Digest": "2003" };
    await tab.release(answer(rows, { headers }));
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.client.unread, 2);
  });
});

describe("rule 1: no count or digest from a frame", () => {
  test("a sync changes nothing that is shown", async () => {
    const tab = await newTab().live(2, 1);
    tab.frame({ type: "sync", user: "alice", unread: 7, digest: 7, heartbeat: 10 });
    assert.equal(tab.client.unread, 2);
  });

  test("a read_all with a count does not hide a lost message", async () => {
    const tab = await newTab().live(2, 1);
    tab.arrive(3, { tell: false }); // the layer lost its frame
    tab.leave(1, 2);
    tab.frame({ type: "read_all", up_to: position(2), unread: 1, digest: 1003 });
    assert.equal(tab.client.unread, 0);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [3]);
  });
});

describe("rule 2: stored", () => {
  test("is added, counted and announced once", async () => {
    const tab = await newTab().live(2, 1);
    const item = tab.arrive(3);
    tab.frame({ type: "stored", message: item });
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.client.unread, 3);
    assert.deepEqual(tab.messages, ["3"]);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("moves what is held at a lower position, never back", async () => {
    const tab = await newTab().live(2, 1);
    tab.frame({ type: "stored", message: message(1, { position: position(9), stamp: 7 }) });
    assert.deepEqual(tab.shown, [1, 2]);
    tab.frame({ type: "stored", message: message(1) });
    assert.deepEqual(tab.shown, [1, 2]);
    assert.equal(tab.client.unread, 2);
  });

  test("below the loaded part it may be counted already: fetch", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2); // three to a page
    assert.equal(tab.client.unread, 5);
    tab.frame({ type: "stored", message: message(3) });
    assert.deepEqual(tab.shown, [9, 8, 7]);
    assert.equal(tab.client.unread, 5);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.client.unread, 5);
  });
});

describe("rule 3: read and gone", () => {
  for (const type of ["read", "gone"]) {
    test(`${type} removes what is held`, async () => {
      const tab = await newTab().live(3, 2, 1);
      tab.frame({ type, messages: tab.leave(2, 3) });
      assert.deepEqual(tab.shown, [1]);
      tab.sync();
      await tab.clock.pass(DEBOUNCE);
      assert.equal(tab.lists.length, 1);
    });
  }

  test("one of an earlier arrival removes nothing", async () => {
    const tab = await newTab().live(2, 1);
    const again = tab.arrive(1, { position: position(9), stamp: 5 });
    tab.frame({ type: "read", messages: [ref(message(1))] });
    assert.deepEqual(tab.shown, [1, 2]);
    assert.equal(again.id, "1");
  });

  test("of the loaded part but not held, or seen already: nothing to do", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.frame({ type: "read", messages: tab.leave(8) });
    tab.frame({ type: "read", messages: [ref(message(8)), ref(message(20))] });
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
    assert.equal(tab.client.unread, 4);
  });

  test("of an earlier arrival, below, of what was read since: nothing to do", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.frame({ type: "read", messages: tab.leave(8) });
    tab.frame({ type: "read", messages: [ref(message(8, { position: position(1) }))] });
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
    assert.equal(tab.client.unread, 4);
  });

  test("below the loaded part: fetch, and do not guess", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.frame({ type: "read", messages: tab.leave(3) });
    assert.equal(tab.client.unread, 5);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 4);
    assert.equal(tab.lists.length, 2);
  });

  test("everything loaded: what is not held is not unread", async () => {
    const tab = await newTab().live(9, 8);
    tab.frame({ type: "read", messages: [ref(message(1))] });
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });
});

describe("rule 4: unread", () => {
  test("puts back what was read since the last list", async () => {
    const tab = await newTab().live(2, 1);
    const [back] = tab.leave(2);
    tab.frame({ type: "read", messages: [back] });
    tab.frame({ type: "unread", messages: [back] });
    assert.deepEqual(tab.shown, [2, 1]);
    tab.arrive(2, { tell: false });
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
    assert.deepEqual(tab.messages, []);
  });

  test("of what is held: nothing; of what is unknown: fetch", async () => {
    const tab = await newTab().live(2, 1);
    tab.frame({ type: "unread", messages: [ref(message(1))] });
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
    const item = tab.arrive(7, { tell: false });
    tab.frame({ type: "unread", messages: [ref(item)] });
    assert.deepEqual(tab.shown, [2, 1]);
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [7, 2, 1]);
  });

  test("at another position than it was seen at: fetch", async () => {
    const tab = await newTab().live(2, 1);
    tab.frame({ type: "read", messages: tab.leave(2) });
    const item = tab.arrive(2, { tell: false, position: position(5) });
    tab.frame({ type: "unread", messages: [ref(item)] });
    assert.deepEqual(tab.shown, [1]);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
    assert.deepEqual(tab.shown, [2, 1]);
  });
});

describe("rule 5: read_all", () => {
  test("covering all below: nothing is left there", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.leave(8, 7, 3, 2);
    tab.frame({ type: "read_all", up_to: position(8) });
    assert.deepEqual(tab.shown, [9]);
    assert.equal(tab.client.unread, 1);
    assert.equal(tab.client.hasMore, false);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("up to right below the loaded part covers it, and removes nothing loaded", async () => {
    const tab = await newTab().live(0xa01, 0xa00, 0x100, 3, 2);
    tab.frame({ type: "read_all", up_to: position(0x0ff) });
    assert.deepEqual(tab.shown, [0xa01, 0xa00, 0x100]);
    assert.equal(tab.client.unread, 3);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("covering only a part of what is below: fetch", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.leave(2);
    tab.frame({ type: "read_all", up_to: position(2) });
    assert.equal(tab.client.unread, 5);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 4);
  });

  test("up to the highest position there is", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.leave(9, 8, 7, 3, 2);
    tab.frame({ type: "read_all", up_to: "f".repeat(16) });
    assert.equal(tab.client.unread, 0);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });
});

describe("rules 6 and 7: sync", () => {
  test("a different one fetches after 0.15 to 0.45 seconds", async () => {
    for (const [draw, wait] of [
      [0, 150],
      [0.999, 449],
    ]) {
      const tab = await newTab({ platform: { random: () => draw } }).live(1);
      tab.arrive(2, { tell: false });
      tab.sync();
      await tab.clock.pass(wait - 1);
      assert.equal(tab.lists.length, 1);
      await tab.clock.pass(2);
      assert.equal(tab.lists.length, 2);
    }
  });

  test("an event that makes it equal cancels the fetch", async () => {
    const tab = await newTab().live(1);
    const item = tab.arrive(2, { tell: false });
    tab.sync(); // overtook the event
    tab.frame({ type: "stored", message: item });
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("an equal one cancels the fetch", async () => {
    const tab = await newTab().live(1);
    tab.sync({ unread: 5 });
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("after an equal one nothing is pending: a further page is taken as it is", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.sync({ unread: 6 });
    tab.sync();
    assert.equal(await tab.client.loadMore(), true);
    assert.deepEqual(tab.shown, [9, 8, 7, 3, 2]);
    assert.equal(tab.lists.length, 2);
  });

  test("a request answers what was heard before it", async () => {
    const tab = await newTab().live(1);
    tab.sync({ unread: 5 }); // was true once, and is not any more
    await tab.clock.pass(10 * DEBOUNCE);
    assert.equal(tab.lists.length, 2);
  });

  test("several differing ones within the wait fetch once", async () => {
    const tab = await newTab().live(1);
    for (let number = 2; number < 50; number++) {
      tab.arrive(number, { tell: false });
      tab.sync();
    }
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
    assert.equal(tab.client.unread, 49);
  });
});

describe("rule 8: what comes during a request", () => {
  test("a message after the list was made is not lost", async () => {
    const tab = await newTab().live(1);
    tab.hold = "lists";
    const asked = tab.client.refresh();
    await settled();
    tab.arrive(2);
    assert.deepEqual(tab.shown, [2, 1]);
    tab.sync();
    await tab.release();
    await asked;
    assert.deepEqual(tab.shown, [2, 1]);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
  });

  test("the same before the first list", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(1);
    tab.arrive(2);
    tab.frame({ type: "read", messages: tab.leave(1) });
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2]);
    assert.equal(tab.lists.length, 1);
  });

  test("a sync that an event followed is void", async () => {
    const tab = await newTab().live(1);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    tab.sync({ unread: 0, digest: 0 });
    tab.frame({ type: "stored", message: message(2) });
    tab.inbox = [message(1), message(2)];
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
  });

  test("a last sync that still differs fetches again", async () => {
    const tab = await newTab().live(1);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    tab.arrive(2, { tell: false });
    tab.sync();
    tab.hold = false;
    await tab.release();
    assert.deepEqual(tab.shown, [1]);
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("what was unclear before the list and clear on it needs no other", async () => {
    const tab = await newTab().live(9, 8, 7, 3, 2);
    tab.leave(8, 9);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    tab.frame({ type: "read", messages: [ref(message(3))] }); // below, until the list is in
    tab.inbox = tab.inbox.filter(({ id }) => id !== "3");
    tab.hold = false;
    await tab.release();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [7, 2]);
    assert.equal(tab.lists.length, 2);
  });
});

describe("rule 9: a failed fetch", () => {
  test("is tried again with backoff", async () => {
    const tab = newTab();
    tab.isDown = true;
    await tab.live(1);
    await tab.clock.pass(60_000);
    const gaps = tab.lists.slice(1).map((list, index) => list.at - tab.lists[index].at);
    assert.ok(gaps.length >= 4 && gaps.length <= 11, String(gaps));
    assert.ok(gaps[3] > gaps[0]);
    tab.isDown = false;
    await tab.clock.pass(31_000);
    assert.deepEqual(tab.shown, [1]);
    assert.equal(tab.client.error, null);
  });

  test("waits for as long as the server asks", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(1);
    tab.hold = false;
    await tab.release(answer({}, { status: 503, headers: { "Retry-After": "40" } }));
    await tab.clock.pass(39_000);
    assert.equal(tab.lists.length, 1);
    await tab.clock.pass(2000);
    assert.deepEqual(tab.shown, [1]);
  });

  test("one without an answer is given up", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(1);
    tab.hold = false;
    await tab.clock.pass(20_000);
    assert.deepEqual(tab.shown, [1]);
  });

  test("one whose body does not end, too", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(1);
    tab.hold = false;
    const { signal } = tab.lists[0];
    const json = () =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await tab.release({ ...answer([], { headers: { "X-Inbox-User": "alice" } }), json });
    await tab.clock.pass(20_000);
    assert.deepEqual(tab.shown, [1]);
  });

  test("an answer that is no inbox is a failure", async () => {
    const tab = newTab();
    tab.hold = "lists";
    await tab.live(1);
    tab.hold = false;
    await tab.release(answer("<html>", { url: "http://site.test/login/" }));
    assert.equal(tab.client.loaded, false);
    assert.match(tab.errors[0].error.message, /not an inbox \(.*\/login\/\)/);
    await tab.clock.pass(5000);
    assert.deepEqual(tab.shown, [1]);
  });
});

describe("rule 10: further pages", () => {
  test("a page of the same state is appended", async () => {
    const tab = await newTab().live(7, 6, 5, 4, 3, 2, 1);
    assert.equal(tab.client.hasMore, true);
    assert.equal(await tab.client.loadMore(), true);
    assert.deepEqual(tab.shown, [7, 6, 5, 4, 3, 2]);
    assert.equal(new URL(tab.lists[1].url).searchParams.get("cursor"), position(5));
    assert.equal(await tab.client.loadMore(), true);
    assert.deepEqual(tab.shown, [7, 6, 5, 4, 3, 2, 1]);
    assert.equal(tab.client.hasMore, false);
    assert.equal(tab.client.unread, 7);
    assert.equal(await tab.client.loadMore(), false);
    assert.deepEqual(tab.messages, []);
    assert.equal(tab.lists.length, 3);
  });

  test("a page of another state is not: as many rows as wanted are fetched anew", async () => {
    const tab = await newTab().live(7, 6, 5, 4, 3, 2);
    tab.arrive(8, { tell: false });
    assert.equal(await tab.client.loadMore(), true);
    assert.deepEqual(tab.shown, [8, 7, 6, 5, 4, 3]);
    assert.equal(tab.lists.length, 3);
    assert.equal(new URL(tab.lists[2].url).searchParams.get("limit"), "6");
  });

  test("nor one whose list has moved meanwhile", async () => {
    const tab = await newTab().live(7, 6, 5, 4, 3, 2);
    tab.hold = "lists";
    const loaded = tab.client.loadMore();
    await settled();
    tab.leave(7, 6, 5, 4, 3, 2);
    tab.frame({ type: "read_all", up_to: position(7) });
    tab.hold = false;
    await tab.release();
    await loaded;
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.client.unread, 0);
  });

  test("nor while a sync still differs", async () => {
    const tab = await newTab().live(7, 6, 5, 4, 3, 2);
    tab.sync({ unread: 1 });
    await tab.client.loadMore();
    assert.equal(tab.lists.length, 3);
    assert.deepEqual(tab.shown, [7, 6, 5, 4, 3, 2]);
  });

  test("a page that fails is an error, and can be asked for again", async () => {
    const tab = await newTab().live(4, 3, 2, 1);
    tab.isDown = true;
    assert.equal(await tab.client.loadMore(), false);
    assert.equal(tab.errors[0].action, "loadMore");
    tab.isDown = false;
    assert.equal(await tab.client.loadMore(), true);
    assert.deepEqual(tab.shown, [4, 3, 2, 1]);
  });

  test("a list asks for as many rows as are held, and never for more than a hundred", async () => {
    const tab = await newTab().live(1);
    for (let number = 2; number <= 130; number++) tab.arrive(number);
    await tab.client.refresh();
    assert.equal(new URL(tab.lists.at(-1).url).searchParams.get("limit"), "100");
    assert.equal(tab.client.unread, 130);
  });
});

describe("rule 12: a socket's first words", () => {
  test("events before its first sync are ignored", async () => {
    const tab = newTab();
    tab.client.start();
    await settled();
    tab.arrive(1);
    assert.deepEqual(tab.shown, []);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [1]);
  });
});

describe("what is not understood", () => {
  test("unknown frames and fields are ignored", async () => {
    const tab = await newTab().live(1);
    tab.frame({ type: "weather", sun: true });
    tab.frame(null);
    tab.frame([1]);
    tab.socket.onmessage({ data: "{" });
    tab.frame({ type: "stored", message: message(2), new_field: {} });
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.lists.length, 1);
  });

  test("a known frame that cannot be read makes the client ask", async () => {
    for (const frame of [
      { type: "stored", message: { id: 7 } },
      { type: "read", messages: "all" },
      { type: "read_all" },
    ]) {
      const tab = await newTab().live(1);
      tab.frame(frame);
      await tab.clock.pass(DEBOUNCE);
      assert.equal(tab.lists.length, 2, frame.type);
    }
  });
});
