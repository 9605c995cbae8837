/** What the user does: shown at once, confirmed or taken back, never done for somebody else. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Tab, message, position, ref, settled } from "./harness.mjs";

const DEBOUNCE = 500;

describe("mark read", () => {
  test("is shown at once and sent with token and user", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "posts";
    const done = tab.client.markRead("2");
    assert.deepEqual(tab.shown, [1]);
    assert.equal(tab.client.unread, 1);
    await tab.release();
    assert.equal(await done, true);
    assert.deepEqual(tab.shown, [1]);
    const [post] = tab.posts;
    assert.equal(post.path, "/messages/inbox/2/read/");
    assert.equal(post.headers["X-CSRFToken"], "token-1");
    assert.equal(post.headers["X-Inbox-User"], "alice");
    assert.equal(post.keepalive, true);
    tab.leave(2);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("under another header where the project says so", async () => {
    const tab = await new Tab({ csrfHeader: "X-Their-Token" }).live(1);
    await tab.client.markRead("1");
    assert.equal(tab.posts[0].headers["X-Their-Token"], "token-1");
  });

  test("twice is one request", async () => {
    const tab = await new Tab().live(1);
    assert.deepEqual(await Promise.all([tab.client.markRead("1"), tab.client.markRead("1")]), [
      true,
      true,
    ]);
    assert.equal(await tab.client.markRead("1"), true);
    assert.equal(tab.posts.length, 1);
  });

  test("refused, it is taken back, and the truth is asked for", async () => {
    const tab = await new Tab().live(2, 1);
    tab.postStatus = () => 500;
    assert.equal(await tab.client.markRead("2"), false);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.errors[0].action, "markRead");
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 2);
  });

  test("an unconfirmed action is left out when comparing", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "posts";
    tab.client.markRead("2");
    tab.sync(); // the server has not done it yet
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("before anything is known it does nothing", async () => {
    const tab = new Tab();
    assert.equal(await tab.client.markRead("1"), false);
    assert.equal(await tab.client.markAllRead(), false);
    assert.equal(tab.posts.length, 0);
  });

  test("of a message that is not loaded, the count is asked for", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.postStatus = () => (tab.leave(3), 200);
    assert.equal(await tab.client.markRead("3"), true);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 4);
  });

  test("ids of any shape stay inside the path", async () => {
    const tab = await new Tab().live(1);
    await tab.client.markRead("../../admin?x#y");
    assert.equal(tab.posts[0].path, "/messages/inbox/..%2F..%2Fadmin%3Fx%23y/read/");
  });
});

describe("mark unread", () => {
  test("is shown at once where it was", async () => {
    const tab = await new Tab().live(3, 2, 1);
    await tab.client.markRead("2");
    tab.hold = "posts";
    const done = tab.client.markUnread("2");
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.client.unread, 3);
    assert.equal(tab.posts[1].path, "/messages/inbox/2/unread/");
    await tab.release();
    assert.equal(await done, true);
    tab.sync(); // the server has all three again
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
    assert.deepEqual(tab.messages, []);
  });

  test("of what was read before this page, as the archive has it", async () => {
    const tab = new Tab();
    tab.read = [message(2, { read_at: "2026-01-02T04:00:00Z" })];
    await tab.live(3, 1);
    tab.client.all.open();
    await settled();
    tab.hold = "posts";
    const done = tab.client.markUnread("2");
    assert.deepEqual(tab.shown, [3, 2, 1]);
    assert.equal(tab.client.items[1].read_at, null);
    tab.arrive(2, { tell: false });
    await tab.release();
    await done;
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("below the loaded part: counted, and asked for", async () => {
    const tab = new Tab({ pageSize: 2 });
    tab.read = [message(1, { read_at: "2026-01-02T04:00:00Z" })];
    await tab.live(9, 8, 7);
    tab.client.all.open();
    await tab.client.all.loadMore();
    tab.hold = "posts";
    const done = tab.client.markUnread("1");
    assert.deepEqual(tab.shown, [9, 8]);
    assert.equal(tab.client.unread, 4);
    tab.arrive(1, { tell: false });
    await tab.release();
    await done;
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 4);
    assert.equal(tab.lists.length, 2);
  });

  test("refused, it is taken back", async () => {
    const tab = await new Tab().live(1);
    await tab.client.markRead("1");
    tab.leave(1);
    tab.postStatus = () => 404;
    assert.equal(await tab.client.markUnread("1"), false);
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.errors[0].action, "markUnread");
  });

  test("of what is unread there is nothing to send", async () => {
    const tab = await new Tab().live(1);
    assert.equal(await tab.client.markUnread("1"), true);
    assert.equal(tab.posts.length, 0);
  });

  test("right after marking read: one after the other, so that the last one counts", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "posts";
    const first = tab.client.markRead("2");
    const second = tab.client.markUnread("2");
    await settled();
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.posts.length, 1);
    tab.frame({ type: "read", messages: [ref(message(2))] });
    assert.deepEqual(tab.shown, [2, 1]);
    await tab.release();
    assert.equal(await first, true);
    assert.equal(tab.posts.length, 2);
    await tab.release();
    assert.equal(await second, true);
    assert.deepEqual(tab.shown, [2, 1]);
  });
});

describe("dismiss", () => {
  test("is gone at once, from inbox and archive", async () => {
    const tab = await new Tab().live(2, 1);
    tab.client.all.open();
    await settled();
    tab.hold = "posts";
    const done = tab.client.dismiss("2");
    assert.deepEqual(tab.shown, [1]);
    assert.deepEqual(tab.shownOfAll, [1]);
    assert.equal(tab.posts[0].method, "DELETE");
    assert.equal(tab.posts[0].path, "/messages/archive/2/");
    assert.equal(tab.posts[0].headers["X-Inbox-User"], "alice");
    tab.dismiss(2);
    await tab.release();
    assert.equal(await done, true);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.deepEqual(tab.shownOfAll, [1]);
    assert.equal(tab.lists.length, 1);
  });

  test("of what is gone already, it is done", async () => {
    const tab = await new Tab().live(1);
    tab.postStatus = () => 404;
    assert.equal(await tab.client.dismiss("1"), true);
    assert.deepEqual(tab.shown, []);
    assert.deepEqual(tab.errors, []);
  });

  test("refused, it is back", async () => {
    const tab = await new Tab().live(2, 1);
    tab.postStatus = () => 500;
    assert.equal(await tab.client.dismiss("2"), false);
    assert.deepEqual(tab.shown, [2, 1]);
    assert.equal(tab.errors[0].action, "dismiss");
  });

  test("can be undone for a while, in which nothing is sent", async () => {
    const tab = await new Tab().live(2, 1);
    const undo = new AbortController();
    const done = tab.client.dismiss("2", { delay: 5000, signal: undo.signal });
    assert.deepEqual(tab.shown, [1]);
    await tab.clock.pass(4000);
    assert.equal(tab.posts.length, 0);
    undo.abort();
    assert.equal(await done, false);
    assert.deepEqual(tab.shown, [2, 1]);
    await tab.clock.pass(5000);
    assert.equal(tab.posts.length, 0);
    assert.deepEqual(tab.errors, []);
  });

  test("not undone, it is sent then; an undo after that is too late", async () => {
    const tab = await new Tab().live(2, 1);
    const undo = new AbortController();
    const done = tab.client.dismiss("2", { delay: 5000, signal: undo.signal });
    await tab.clock.pass(5000);
    assert.equal(await done, true);
    assert.equal(tab.posts.length, 1);
    undo.abort();
    await settled();
    assert.deepEqual(tab.shown, [1]);
  });

  for (const [how, leave] of Object.entries({
    hidden: (tab) => tab.show(false),
    left: (tab) => tab.hidePage(),
    "without its client": (tab) => tab.client.stop(),
  })) {
    test(`is sent at once when the page is ${how}`, async () => {
      const tab = await new Tab().live(2, 1);
      tab.client.dismiss("2", { delay: 5000 });
      leave(tab);
      await settled();
      assert.equal(tab.posts.length, 1);
      assert.equal(tab.posts[0].keepalive, true);
    });
  }

  test("waiting when the user changes, it is not sent at all", async () => {
    const tab = await new Tab().live(2, 1);
    const done = tab.client.dismiss("2", { delay: 5000 });
    tab.user = "bob";
    tab.inbox = [message(2)];
    await tab.client.refresh();
    await tab.clock.pass(6000);
    assert.equal(await done, false);
    assert.equal(tab.posts.length, 0);
    assert.deepEqual(tab.shown, [2]);
  });

  test("of an unread one below the loaded part, the count is right at once", async () => {
    const tab = await new Tab({ pageSize: 2 }).live(9, 8, 7);
    tab.client.all.open();
    await tab.client.all.loadMore();
    tab.hold = "posts";
    tab.client.dismiss("7");
    assert.equal(tab.client.unread, 2);
    assert.deepEqual(tab.shownOfAll, [9, 8]);
  });
});

describe("rule 11: a confirmed action is a frame, unless a real one was about it", () => {
  test("marked unread elsewhere before the answer came: it stays unread", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "posts";
    const done = tab.client.markRead("1");
    await settled();
    tab.frame({ type: "read", messages: [ref(message(1))] });
    tab.frame({ type: "unread", messages: [ref(message(1))] });
    await tab.release();
    await done;
    assert.deepEqual(tab.shown, [1]);
  });

  test("stored again before the answer came: it stays unread", async () => {
    const tab = await new Tab().live(1);
    tab.hold = "posts";
    const done = tab.client.markRead("1");
    await settled();
    assert.deepEqual(tab.shown, []);
    tab.arrive(1, { position: position(9), stamp: 5 });
    assert.deepEqual(tab.shown, [1]);
    await tab.release();
    await done;
    assert.deepEqual(tab.shown, [1]);
  });

  test("during a request it is replayed onto the list that is older", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = true;
    tab.client.refresh();
    await settled();
    tab.client.markRead("2");
    await settled();
    const listed = tab.release(); // the list first: it was made before
    await listed;
    assert.deepEqual(tab.shown, [1]);
    await tab.release();
    assert.deepEqual(tab.shown, [1]);
  });

  test("answered before the older list comes", async () => {
    const tab = await new Tab().live(2, 1);
    tab.hold = "lists";
    tab.client.refresh();
    await settled();
    assert.equal(await tab.client.markRead("2"), true);
    await tab.release();
    assert.deepEqual(tab.shown, [1]);
  });
});

describe("rule 15: mark all read", () => {
  test("sends what is shown and the position below which all is meant", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.hold = "posts";
    const done = tab.client.markAllRead();
    assert.deepEqual(tab.shown, []);
    assert.equal(tab.client.unread, 0);
    assert.equal(tab.client.hasMore, false);
    assert.deepEqual(tab.posts[0].json, { ids: ["9", "8", "7"], before: position(7) });
    tab.leave(9, 8, 7, 3, 2);
    await tab.release();
    assert.equal(await done, true);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 0);
    assert.equal(tab.lists.length, 1);
  });

  test("from a message that lies below what is loaded: it and what is older", async () => {
    const tab = await new Tab().live(9, 8, 7, 6, 5, 4);
    tab.hold = "posts";
    const done = tab.client.markAllRead([], message(5));
    assert.deepEqual(tab.posts[0].json, { ids: ["5"], before: position(5) });
    // Of those that are not loaded only the one that is named can be counted.
    assert.deepEqual(tab.shown, [9, 8, 7]);
    assert.equal(tab.client.unread, 5);
    assert.equal(tab.client.hasMore, true);
    tab.leave(5, 4);
    await tab.release();
    assert.equal(await done, true);
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 4);
    assert.equal(tab.lists.length, 2);
    assert.deepEqual(tab.shown, [9, 8, 7]);
  });

  test("from a message, and no others named: nothing that is newer", async () => {
    const tab = await new Tab().live(5, 4, 3, 2);
    const done = tab.client.markAllRead(undefined, tab.client.items[1]);
    await settled();
    assert.deepEqual(tab.posts[0].json, { ids: ["4"], before: position(4) });
    assert.deepEqual(tab.shown, [5]);
    await done;
  });

  test("nothing below is meant when everything is loaded", async () => {
    const tab = await new Tab().live(2, 1);
    await tab.client.markAllRead();
    assert.deepEqual(tab.posts[0].json, { ids: ["2", "1"], before: null });
  });

  test("what arrives meanwhile, or was not looked at, stays unread", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.hold = "posts";
    const done = tab.client.markAllRead(["9", "7"]);
    await settled();
    assert.deepEqual(tab.shown, [8]);
    tab.arrive(10);
    assert.deepEqual(tab.shown, [10, 8]);
    assert.equal(tab.client.unread, 2);
    tab.leave(9, 7, 3, 2);
    await tab.release();
    await done;
    assert.deepEqual(tab.shown, [10, 8]);
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.lists.length, 1);
  });

  test("what a frame told of meanwhile is left to the frame", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.hold = "posts";
    const done = tab.client.markAllRead();
    await settled();
    tab.arrive(8, { position: position(20), stamp: 5 });
    tab.leave(9, 7, 3, 2);
    await tab.release();
    await done;
    assert.deepEqual(tab.shown, [8]);
    assert.equal(tab.client.unread, 1);
  });

  test("the echo of its own frames changes nothing more", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.hold = "posts";
    const done = tab.client.markAllRead();
    await settled();
    const gone = tab.leave(9, 8, 7, 3, 2);
    tab.frame({ type: "read", messages: gone.slice(0, 3) });
    tab.frame({ type: "read_all", up_to: position(6) });
    await tab.release();
    await done;
    tab.sync();
    await tab.clock.pass(DEBOUNCE);
    assert.equal(tab.client.unread, 0);
    assert.equal(tab.lists.length, 1);
  });

  test("what is marked unread again below, before the answer came, stays unread", async () => {
    const tab = await new Tab().live(9, 8, 7, 3, 2);
    tab.hold = "posts";
    const done = tab.client.markAllRead();
    await settled();
    const gone = tab.leave(9, 8, 7, 3, 2);
    tab.frame({ type: "read", messages: gone.slice(0, 3) });
    tab.frame({ type: "read_all", up_to: position(6) });
    tab.arrive(3, { tell: false });
    tab.frame({ type: "unread", messages: [gone[3]] });
    await tab.clock.pass(DEBOUNCE);
    await tab.release();
    await done;
    assert.deepEqual(tab.shown, [3]);
    assert.equal(tab.client.unread, 1);
  });

  test("with an empty inbox there is nothing to send", async () => {
    const tab = await new Tab().live();
    assert.equal(await tab.client.markAllRead(), true);
    assert.equal(tab.posts.length, 0);
  });
});

describe("the token", () => {
  test("a refused one is renewed by a list, and the action sent once more", async () => {
    const tab = await new Tab().live(2, 1);
    tab.token = "token-2";
    tab.postStatus = ({ headers }) => (headers["X-CSRFToken"] === "token-2" ? 200 : 403);
    assert.equal(await tab.client.markRead("2"), true);
    assert.equal(tab.posts.length, 2);
    assert.equal(tab.lists.length, 2);
    assert.deepEqual(tab.shown, [1]);
    assert.deepEqual(tab.errors, []);
  });

  test("refused again, the action is refused", async () => {
    const tab = await new Tab().live(2, 1);
    tab.postStatus = () => 403;
    assert.equal(await tab.client.markRead("2"), false);
    assert.equal(tab.posts.length, 2);
    assert.deepEqual(tab.shown, [2, 1]);
  });

  test("refused because the user has signed out, everything is forgotten", async () => {
    const tab = await new Tab().live(2, 1);
    tab.postStatus = () => 403;
    tab.listStatus = 403;
    assert.equal(await tab.client.markRead("2"), false);
    assert.equal(tab.posts.length, 1);
    assert.equal(tab.client.status, "signed-out");
    assert.deepEqual(tab.shown, []);
  });
});
