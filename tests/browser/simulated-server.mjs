/**
 * The server of the simulation: tables whose transactions commit late or are rolled back, hubs
 * that follow the hub's rules of the protocol, and sockets on which frames may go astray.
 *
 * `world` gives the clock, random numbers and whether faults happen just now.
 */

import { position, ref } from "./harness.mjs";

export const FAULTS_END = 30_000;
export const RECONCILE = 5000;
export const JOINED = [-1, -1, 12_000]; // when each user did; earlier broadcasts are not theirs
const NEVER = Number.MAX_SAFE_INTEGER;

export const keyOf = (user) => `key of ${user}`;

/** The inbox's tables: content, and one row for each user who has a copy. */
export class Database {
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
    return { id, owner, text: id, position: at, stamp, read_at: null };
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
      if (!isTheirs || !this.#isLive(message.id) || this.rows.has(`${user} ${message.id}`))
        continue;
      found.push(this.#item(message.id, null, message));
    }
    return found;
  }

  unread(user) {
    const all = [...this.deliveries(user), ...this.broadcasts(user)];
    return all.sort((a, b) => (a.position < b.position ? 1 : -1));
  }

  /** All that was not dismissed, newest first. */
  archive(user) {
    const all = [...this.broadcasts(user)];
    for (const row of this.rows.values()) {
      if (row.user !== user || row.state === "gone" || !this.#isLive(row.id)) continue;
      const { broadcast } = this.messages.get(row.id);
      const item = this.#item(row.id, broadcast ? null : user, row);
      all.push({ ...item, read_at: row.state === "read" ? "2026-01-02T04:00:00Z" : null });
    }
    return all.sort((a, b) => (a.position < b.position ? 1 : -1));
  }

  isLive(id) {
    return this.#isLive(id);
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
        events.push({
          user,
          sent: now,
          frame: { type: "stored", message: this.#item(id, user, message) },
        });
      }
      return { writes, events };
    }

    const { user } = op;
    const unread = this.unread(user);
    let ids;
    if (op.kind === "mark_all") {
      const isMeant = (item) =>
        op.ids.includes(item.id) || (op.before && item.position < op.before);
      ids = unread.filter(isMeant).map((item) => item.id);
    } else if (op.id) {
      ids = this.messages.has(op.id) && this.#isLive(op.id) ? [op.id] : [];
    } else {
      const pool = [...this.messages.keys()].filter(
        (id) =>
          this.#isLive(id) &&
          (this.rows.has(`${user} ${id}`) || unread.some((item) => item.id === id)),
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
      if (!from.includes(row?.state ?? "unread") || (op.kind === "restore" && message.broadcast))
        continue;
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

export class Hub {
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
    const [first, second, last] = [random(), random(), random()]
      .map((x) => x * 200)
      .sort((a, b) => a - b);
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
export class Connection {
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

  get isOpen() {
    return this.#isOpen;
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
      const deliver = () => this.#isOpen && this.target.onmessage?.({ data });
      clock.after(at - clock.now, () => this.target.gate.run(deliver));
    }
  }
}
