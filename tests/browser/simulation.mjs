/**
 * A server, two hubs, two browsers and three tabs, with everything that may go wrong between them.
 *
 * It follows the hub's and the server's rules of the protocol; the clients are the real ones.
 * Faults and writes stop after `FAULTS_END`. Times are milliseconds, users are 0, 1 and 2.
 */

import {
  Browser,
  Clock,
  InboxClient,
  ORIGIN,
  answer,
  platformFor,
  position,
  ref,
  seeded,
} from "./harness.mjs";

export const FAULTS_END = 30_000;
export const RECONCILE = 5000;
const PAGE = 5;
const JOINED = [-1, -1, 12_000];
const NEVER = Number.MAX_SAFE_INTEGER;

const keyOf = (user) => `key of ${user}`;

const PROFILES = [
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 0 },
  { loss: 0.1, doubling: 0, disorder: 0, layerLoss: 0.1 },
  { loss: 0, doubling: 0.15, disorder: 0, layerLoss: 0 },
  { loss: 0.1, doubling: 0.1, disorder: 0.2, layerLoss: 0.1 },
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 1, isLayerLostForGood: true },
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 0.3 },
  { loss: 0, doubling: 0, disorder: 0.3, layerLoss: 0 },
];

/** The inbox's tables: content, and one row for each user who has a copy. */
class Database {
  messages = new Map();
  rows = new Map();
  #locks = new Set();
  #positions = 0;
  #ids = 0;
  #publishedAt = 0;

  constructor(world) {
    this.world = world;
  }

  #stamp() {
    return Math.floor(this.world.random() * 2 ** 32);
  }

  #isLive(id) {
    return this.messages.get(id).expires > this.world.clock.now;
  }

  #item(id, owner, { position: at, stamp }) {
    return { id, owner, text: id, position: at, stamp };
  }

  deliveries(user) {
    const found = [];
    for (const row of this.rows.values()) {
      if (row.user !== user || row.state !== "unread" || !this.#isLive(row.id)) continue;
      const { broadcast } = this.messages.get(row.id);
      found.push(this.#item(row.id, broadcast ? null : user, row));
    }
    return found;
  }

  broadcasts(user) {
    const found = [];
    for (const message of this.messages.values()) {
      const isTheirs = message.broadcast && message.sent >= JOINED[user];
      if (!isTheirs || !this.#isLive(message.id) || this.rows.has(`${user} ${message.id}`)) continue;
      found.push(this.#item(message.id, null, message));
    }
    return found;
  }

  unread(user) {
    const all = [...this.deliveries(user), ...this.broadcasts(user)];
    return all.sort((a, b) => (a.position < b.position ? 1 : -1));
  }

  /** What an operation writes, and the events it causes; null for one that changes nothing. */
  #plan(op) {
    const writes = new Map();
    const events = [];
    if (op.kind === "send" || op.kind === "broadcast") {
      const id = String(++this.#ids);
      const { now } = this.world.clock;
      const message = {
        id,
        broadcast: op.kind === "broadcast",
        position: position(++this.#positions),
        stamp: this.#stamp(),
        sent: now,
        expires: op.lasts ? now + op.lasts : NEVER,
      };
      writes.set(`message ${id}`, () => {
        this.messages.set(id, message);
        for (const user of op.users ?? []) {
          const { position: at, stamp } = message;
          this.rows.set(`${user} ${id}`, { user, id, position: at, stamp, state: "unread" });
        }
      });
      for (const user of op.users ?? [null]) {
        events.push({ user, sent: now, frame: { type: "stored", message: this.#item(id, user, message) } });
      }
      return { writes, events };
    }

    const { user } = op;
    const unread = this.unread(user);
    let ids;
    if (op.kind === "mark_all") {
      const isMeant = (item) => op.ids.includes(item.id) || (op.before && item.position < op.before);
      ids = unread.filter(isMeant).map((item) => item.id);
    } else if (op.id) {
      ids = this.messages.has(op.id) && this.#isLive(op.id) ? [op.id] : [];
    } else {
      const pool = [...this.messages.keys()].filter(
        (id) => this.#isLive(id) && (this.rows.has(`${user} ${id}`) || unread.some((item) => item.id === id)),
      );
      ids = pool.length ? [pool[Math.floor(op.draw * pool.length)]] : [];
    }

    const from = {
      read: ["unread"],
      mark_all: ["unread"],
      unread: ["read"],
      gone: ["unread", "read"],
      restore: ["read", "gone"],
    }[op.kind];
    const to = { mark_all: "read", restore: "unread" }[op.kind] ?? op.kind;
    const refs = [];
    for (const id of ids) {
      const message = this.messages.get(id);
      const row = this.rows.get(`${user} ${id}`);
      if (!from.includes(row?.state ?? "unread") || (op.kind === "restore" && message.broadcast)) continue;
      if (!row && !unread.some((item) => item.id === id)) continue;
      let { position: at, stamp } = row ?? message;
      if (op.kind === "restore") {
        at = position(++this.#positions);
        stamp = this.#stamp();
        const item = this.#item(id, user, { position: at, stamp });
        events.push({ user, frame: { type: "stored", message: item } });
      } else if (op.kind !== "mark_all" || op.ids.includes(id)) {
        refs.push(ref({ id, stamp, position: at }));
      }
      writes.set(`${user} ${id}`, () =>
        this.rows.set(`${user} ${id}`, { user, id, position: at, stamp, state: to }),
      );
    }
    if (refs.length) {
      const type = op.kind === "mark_all" ? "read" : op.kind;
      events.push({ user, frame: { type, messages: refs } });
    }
    if (op.kind === "mark_all" && op.before) {
      const upTo = position(Number.parseInt(op.before, 16) - 1);
      events.push({ user, frame: { type: "read_all", up_to: upTo } });
    }
    return { writes, events };
  }

  /** Run a transaction, which may commit late or be rolled back. */
  transact(op, done = () => {}, tries = 0) {
    const { clock, random, isFaulty } = this.world;
    let isLate = random() < 0.5;
    if (clock.now > FAULTS_END - 4000) isLate = false;
    const delay = isLate ? random() * 2500 : random() * 5;
    const isRolledBack = isLate && isFaulty && random() < 0.15;
    const { writes, events } = this.#plan(op);
    if ([...writes.keys()].some((key) => this.#locks.has(key))) {
      if (tries < 100) clock.after(50, () => this.transact(op, done, tries + 1));
      else done(false);
      return;
    }
    for (const key of writes.keys()) this.#locks.add(key);
    clock.after(delay, () => {
      for (const [key, write] of writes) {
        this.#locks.delete(key);
        if (!isRolledBack) write();
      }
      if (!isRolledBack) for (const event of events) this.#publish(event);
      done(!isRolledBack);
    });
  }

  /** A publisher keeps the order of its events; each hub hears them a little later. */
  #publish(event) {
    const { clock, random, isFaulty, hubs } = this.world;
    const wait = 1 + random() ** 8 * (isFaulty ? 1500 : 50);
    this.#publishedAt = Math.max(this.#publishedAt, clock.now) + wait;
    for (const hub of hubs) {
      clock.after(this.#publishedAt - clock.now + random() * 10, () => hub.hear(event));
    }
  }
}

class Hub {
  sockets = new Set();
  deafUntil = 0;

  constructor(world) {
    this.world = world;
    world.clock.after(world.random() * RECONCILE, () => this.#reconcile());
  }

  hear({ user, sent, frame }) {
    const { clock, random, isFaulty, profile } = this.world;
    const loss = isFaulty || profile.isLayerLostForGood ? profile.layerLoss : 0;
    if (clock.now < this.deafUntil || random() < loss) return;
    for (const socket of this.sockets) {
      const isMeant = user === null ? sent >= JOINED[socket.user] : socket.user === user;
      if (isMeant) socket.event(frame);
    }
  }

  /** Two statements at two moments, and an answer later. */
  summaries(users, done) {
    const { clock, random, database } = this.world;
    const [first, second, last] = [random(), random(), random()].map((x) => x * 200).sort((a, b) => a - b);
    const began = clock.now;
    const found = new Map([...users].map((user) => [user, []]));
    const statements = [(user) => database.deliveries(user), (user) => database.broadcasts(user)];
    if (random() < 0.5) statements.reverse();
    const run = (statement) => {
      for (const user of users) found.get(user).push(...statement(user));
    };
    clock.after(first, () => run(statements[0]));
    clock.after(second, () => run(statements[1]));
    clock.after(last, () => {
      const sums = new Map();
      for (const [user, items] of found) {
        const digest = items.reduce((sum, item) => sum + item.stamp, 0);
        sums.set(user, { unread: items.length, digest });
      }
      done(sums, began);
    });
  }

  #reconcile() {
    const { clock } = this.world;
    clock.after(RECONCILE, () => this.#reconcile());
    const sockets = [...this.sockets].filter((socket) => socket.isSynced);
    this.summaries(new Set(sockets.map((socket) => socket.user)), (sums, began) => {
      for (const socket of sockets) {
        if (!this.sockets.has(socket) || socket.wroteAt > began) continue;
        const sum = sums.get(socket.user);
        const isDue = clock.now - socket.syncedAt >= 2 * RECONCILE - 1000;
        const isNews = sum.unread !== socket.told.unread || sum.digest !== socket.told.digest;
        if (socket.isDirty || isNews || isDue) socket.sync(sum);
      }
    });
  }
}

/** The server's end of a socket; `target` is the browser's. */
class Connection {
  isSynced = false;
  isDirty = false;
  told = null;
  wroteAt = -1;
  syncedAt = -1;
  #isOpen = true;
  #waiting = [];
  #lastAt = 0;

  constructor(world, target, user) {
    Object.assign(this, { world, target, user });
    this.hub = world.hubs[Math.floor(world.random() * 2)];
    this.hub.sockets.add(this); // listed before its summary is asked for
    this.hub.summaries(new Set([user]), (sums) => {
      if (!this.#isOpen) return;
      this.isSynced = true;
      this.sync(sums.get(user));
      for (const frame of this.#waiting) this.event(frame);
    });
  }

  event(frame) {
    if (!this.isSynced) {
      this.#waiting.push(frame);
      return;
    }
    this.isDirty = true;
    this.wroteAt = this.world.clock.now;
    this.#write(frame);
  }

  sync(summary) {
    Object.assign(this, { told: summary, isDirty: false, syncedAt: this.world.clock.now });
    const heartbeat = (2 * RECONCILE) / 1000;
    this.#write({ type: "sync", user: keyOf(this.user), heartbeat, ...summary });
  }

  close(code) {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.hub.sockets.delete(this);
    if (code) this.target.ended(code);
  }

  #write(frame) {
    const { clock, random, isFaulty, profile } = this.world;
    const data = JSON.stringify(frame);
    const copies = isFaulty && random() < profile.doubling ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (isFaulty && random() < profile.loss) continue;
      let at = Math.max(this.#lastAt, clock.now + 5 + random() * 20);
      const isLate = isFaulty && random() < Math.max(profile.disorder, profile.doubling);
      if (isLate) at = Math.max(clock.now, Math.min(clock.now + random() * 3000, FAULTS_END));
      else this.#lastAt = at;
      clock.after(at - clock.now, () => this.#isOpen && this.target.onmessage?.({ data }));
    }
  }
}

/** A tab with the real client. */
class SimulatedTab {
  lists = 0;
  connections = 0;
  connection = null;

  constructor(world, browser) {
    Object.assign(this, { world, browser });
    const tab = this;
    const { clock, random } = world;
    this.platform = platformFor({
      clock,
      random,
      browser: browser.shared,
      fetch: (url, init) => this.#fetch(url, init),
      WebSocket: class {
        readyState = 0;
        constructor() {
          tab.connections += 1;
          clock.after(20 + random() * 300, () => {
            if (this.readyState !== 0) return;
            this.readyState = 1;
            this.onopen?.();
            if (this.readyState === 1) tab.connection = this.connection = new Connection(world, this, browser.user);
          });
        }
        close() {
          this.readyState = 3;
          this.connection?.close();
        }
        ended(code) {
          this.readyState = 3;
          this.onclose?.({ code });
        }
      },
    });
    this.client = new InboxClient({
      inbox: "/messages/inbox/",
      markAll: "/messages/mark_all_read/",
      socket: "/ws/inbox/",
      pageSize: PAGE,
      platform: this.platform,
    });
    this.client.addEventListener("change", () => this.#checkOwner());
    clock.after(random() * 1000, () => this.client.start());
  }

  #checkOwner() {
    const { items, user } = this.client;
    for (const item of items) {
      const isForeign = item.owner !== null && keyOf(item.owner) !== user;
      if (isForeign) this.world.fail(`${user} is shown a message of user ${item.owner}`);
      const sent = this.world.database.messages.get(item.id)?.sent;
      const joined = JOINED.find((_, other) => keyOf(other) === user);
      if (item.owner === null && sent < joined) this.world.fail(`${user} is shown an older broadcast`);
    }
  }

  act(name, draw) {
    const { client } = this;
    if (name === "markAllRead") return client.markAllRead();
    if (name === "loadMore") return client.loadMore();
    const item = client.items[Math.floor(draw * client.items.length)];
    return item ? client.markRead(item.id) : null;
  }

  wake() {
    this.platform.document.dispatchEvent(new Event("visibilitychange"));
  }

  #fetch(url, init) {
    const { clock, random, isFaulty } = this.world;
    const isPost = init.method === "POST";
    return new Promise((resolve, reject) => {
      init.signal.addEventListener("abort", () => reject(init.signal.reason));
      const latency = () => 10 + random() ** 4 * (this.world.isFaulty ? 3000 : 200);
      if (!isPost) this.lists += 1;
      clock.after(latency(), () => {
        if (isFaulty && random() < 0.1) return reject(new TypeError("Failed to fetch"));
        const answered = (reply) => {
          const isLost = isPost && this.world.isFaulty && random() < 0.1;
          if (!isLost) clock.after(latency(), () => resolve(reply));
        };
        if (isPost) this.#post(url, init, answered);
        else this.#list(new URL(url).searchParams, answered);
        return undefined;
      });
    });
  }

  #post(url, init, answered) {
    const { database } = this.world;
    const { user } = this.browser;
    if (init.headers["X-Inbox-User"] !== keyOf(user)) return answered(answer({}, { status: 409 }));
    const done = (ok) => answered(answer({}, { status: ok ? 200 : 500 }));
    const { pathname } = new URL(url);
    if (pathname.endsWith("/read/")) {
      return database.transact({ kind: "read", user, id: pathname.split("/").at(-3) }, done);
    }
    return database.transact({ kind: "mark_all", user, ...JSON.parse(init.body) }, done);
  }

  /** A list in four statements, at four moments: its own rows, then the sums of all others. */
  #list(params, answered) {
    const { clock, random, database } = this.world;
    const { user } = this.browser;
    const cursor = params.get("cursor") ?? "~";
    const limit = Number(params.get("limit"));
    const sources = [() => database.deliveries(user), () => database.broadcasts(user)];
    if (random() < 0.5) sources.reverse();
    const gap = () => random() ** 3 * (this.world.isFaulty ? 300 : 50);
    const page = new Map();
    const others = [];
    let items;
    let hasMore = false;
    let bottom = "";
    const readRows = (source) => {
      const below = source().filter((item) => item.position < cursor);
      below.sort((a, b) => (a.position < b.position ? 1 : -1));
      hasMore ||= below.length > limit;
      for (const item of below.slice(0, limit)) if (!page.has(item.id)) page.set(item.id, item);
    };
    const readOthers = (source) => {
      const isOther = (item) => item.position < bottom || item.position >= cursor;
      others.push(...source().filter(isOther));
    };
    readRows(sources[0]);
    clock.after(gap(), () => {
      readRows(sources[1]);
      const rows = [...page.values()].sort((a, b) => (a.position < b.position ? 1 : -1));
      hasMore ||= rows.length > limit;
      items = rows.slice(0, limit);
      if (hasMore) bottom = items.at(-1).position;
      clock.after(gap(), () => {
        readOthers(sources[0]);
        clock.after(gap(), () => {
          readOthers(sources[1]);
          const all = [...items, ...others];
          const headers = {
            "X-Inbox-User": keyOf(user),
            "X-Unread-Count": String(all.length),
            "X-Unread-Digest": String(all.reduce((sum, item) => sum + item.stamp, 0)),
            "X-CSRFToken": "token",
            ...(hasMore && { Link: `<${ORIGIN}/?cursor=${bottom}>; rel="next"` }),
          };
          answered(answer(items, { headers }));
        });
      });
    });
  }
}

export class World {
  clock = new Clock();

  constructor(seed) {
    this.random = seeded(seed);
    this.profile = PROFILES[Math.floor(this.random() * PROFILES.length)];
    this.database = new Database(this);
    this.hubs = [new Hub(this), new Hub(this)];
    this.browsers = [0, 1].map((user) => ({ user, shared: new Browser(this.clock) }));
    const [first, second] = this.browsers;
    this.tabs = [first, first, second].map((browser) => new SimulatedTab(this, browser));
    this.#schedule();
  }

  get isFaulty() {
    return this.clock.now < FAULTS_END;
  }

  fail(text) {
    this.failure ??= `${text} (at ${Math.round(this.clock.now)} ms)`;
  }

  #pick(...choices) {
    return choices[Math.floor(this.random() * choices.length)];
  }

  #schedule() {
    const { random, clock, database } = this;
    const isLate = random() < 0.5; // everything just before the faults end
    const moment = () => (isLate ? FAULTS_END - 9000 + random() * 7500 : 200 + random() * (FAULTS_END - 2500));
    const begun = Math.floor(random() * 14);
    for (let count = 0; count < begun; count++) {
      clock.after(10, () => database.transact({ kind: "send", users: this.#pick([0], [0, 1], [0, 1, 2]) }));
    }
    const count = 5 + Math.floor(random() * 60);
    for (let index = 0; index < count; index++) {
      const at = moment();
      const operation = this.#operation(at);
      clock.after(at, operation);
      if (random() < 0.25) clock.after(at + random() * 300, this.#act("markRead"));
    }
    for (const at of [1000, 2500, 4000]) clock.after(FAULTS_END + at, () => this.tabs.forEach((tab) => tab.wake()));
  }

  #operation(at) {
    const { random, database } = this;
    const choice = random();
    const user = Math.floor(random() * 3);
    const lasts = random() < 0.8 ? 0 : Math.min(random() * 10_000, FAULTS_END - 500 - at);
    if (choice < 0.28) {
      const users = this.#pick([0], [0], [0, 1], [1], [2], [0, 2]);
      return () => database.transact({ kind: "send", users, lasts });
    }
    if (choice < 0.38) return () => database.transact({ kind: "broadcast", lasts });
    if (choice < 0.6) return this.#act(this.#pick("markRead", "markRead", "markAllRead"));
    if (choice < 0.78) {
      const kind = this.#pick("read", "unread", "gone", "restore", "restore");
      const draw = random();
      return () => database.transact({ kind, user, draw });
    }
    if (choice < 0.85) return this.#act("loadMore");
    if (choice < 0.91) return () => this.#pick(...this.tabs).connection?.close(1006);
    if (choice < 0.94) return () => this.#switchUser(this.#pick(...this.browsers), user);
    if (choice < 0.97) {
      const until = random() * 40_000;
      return () => (this.#pick(...this.hubs).deafUntil = this.clock.now + until);
    }
    return () => this.#pick(...this.tabs).client.refresh();
  }

  #act(name) {
    return () => this.#pick(...this.tabs).act(name, this.random());
  }

  /** Somebody else signs in: the sockets of the first are closed a little later. */
  #switchUser(browser, user) {
    if (browser.user === user || (user === 2 && this.clock.now < JOINED[2])) return;
    browser.user = user;
    for (const tab of this.tabs.filter((other) => other.browser === browser)) {
      const { connection } = tab;
      if (connection?.user !== user) this.clock.after(this.random() * 2000, () => connection?.close(4401));
      this.clock.after(2500, () => tab.wake());
    }
  }

  /** Every tab shows what the database holds. */
  verify(when) {
    this.tabs.forEach((tab, index) => {
      const { client, browser } = tab;
      const wanted = this.database.unread(browser.user).map((item) => item.id);
      const shown = client.items.map((item) => item.id);
      const isWhole = shown.length === wanted.length || (client.hasMore && shown.length < wanted.length);
      const isRight =
        client.user === keyOf(browser.user) &&
        client.unread === wanted.length &&
        isWhole &&
        shown.every((id, at) => id === wanted[at]);
      if (!isRight) {
        this.fail(
          `${when}, tab ${index} of ${client.user} (${client.status}) shows ${client.unread}: ${shown}; ` +
            `the database has for ${browser.user} ${wanted.length}: ${wanted}`,
        );
      }
    });
  }
}
