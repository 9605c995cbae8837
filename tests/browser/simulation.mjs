/**
 * A server, two hubs, two browsers and three tabs, with everything that may go wrong between them.
 * The clients are the real ones. Faults and writes stop after `FAULTS_END`; times are
 * milliseconds, users are 0, 1 and 2.
 */

import { Browser, Clock, InboxClient, ORIGIN, answer, platformFor, seeded } from "./harness.mjs";
import {
  Connection,
  Database,
  FAULTS_END,
  Hub,
  JOINED,
  RECONCILE,
  keyOf,
} from "./simulated-server.mjs";

export { FAULTS_END, RECONCILE };

const PAGE = 5;

const PROFILES = [
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 0 },
  { loss: 0.1, doubling: 0, disorder: 0, layerLoss: 0.1 },
  { loss: 0, doubling: 0.15, disorder: 0, layerLoss: 0 },
  { loss: 0.1, doubling: 0.1, disorder: 0.2, layerLoss: 0.1 },
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 1, isLayerLostForGood: true },
  { loss: 0, doubling: 0, disorder: 0, layerLoss: 0.3 },
  { loss: 0, doubling: 0, disorder: 0.3, layerLoss: 0 },
];

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
            if (this.readyState === 1)
              tab.connection = this.connection = new Connection(world, this, browser.user);
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
      if (item.owner === null && sent < joined)
        this.world.fail(`${user} is shown an older broadcast`);
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
    const moment = () =>
      isLate ? FAULTS_END - 9000 + random() * 7500 : 200 + random() * (FAULTS_END - 2500);
    const begun = Math.floor(random() * 14);
    for (let count = 0; count < begun; count++) {
      clock.after(10, () =>
        database.transact({ kind: "send", users: this.#pick([0], [0, 1], [0, 1, 2]) }),
      );
    }
    const count = 5 + Math.floor(random() * 60);
    for (let index = 0; index < count; index++) {
      const at = moment();
      const operation = this.#operation(at);
      clock.after(at, operation);
      if (random() < 0.25) clock.after(at + random() * 300, this.#act("markRead"));
    }
    for (const at of [1000, 2500, 4000])
      clock.after(FAULTS_END + at, () => this.tabs.forEach((tab) => tab.wake()));
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
      if (connection?.user !== user)
        this.clock.after(this.random() * 2000, () => connection?.close(4401));
      this.clock.after(2500, () => tab.wake());
    }
  }

  /** Every tab shows what the database holds. */
  verify(when) {
    this.tabs.forEach((tab, index) => {
      const { client, browser } = tab;
      const wanted = this.database.unread(browser.user).map((item) => item.id);
      const shown = client.items.map((item) => item.id);
      const isWhole =
        shown.length === wanted.length || (client.hasMore && shown.length < wanted.length);
      const isRight =
        client.user === keyOf(browser.user) &&
        client.unread === wanted.length &&
        isWhole &&
        shown.every((id, at) => id === wanted[at]);
      if (!isRight) {
        this.fail(
          `${when}, tab ${index} of ${client.user} (${client.status}) ` +
            `shows ${client.unread}: ${shown}; ` +
            `the database has for ${browser.user} ${wanted.length}: ${wanted}`,
        );
      }
    });
  }
}
