/**
 * A server, two hubs, two browsers and four tabs, with everything that may go wrong between them.
 * The clients are the real ones; in half of the worlds the tabs of a browser share a socket. Faults
 * and writes stop after `FAULTS_END`; times are milliseconds, users are 0, 1 and 2.
 */

import {
  Browser,
  Clock,
  Gate,
  InboxClient,
  ORIGIN,
  answer,
  platformFor,
  seeded,
} from "./harness.mjs";
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
  gate = new Gate();
  #isAway = false; // in the back/forward cache

  constructor(world, browser) {
    Object.assign(this, { world, browser });
    const tab = this;
    const { clock, random } = world;
    this.platform = platformFor({
      clock,
      random,
      gate: this.gate,
      browser: browser.shared,
      isSharing: world.isSharing,
      fetch: (url, init) => this.#fetch(url, init),
      WebSocket: class {
        readyState = 0;
        gate = tab.gate;
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
          tab.gate.run(() => this.onclose?.({ code }));
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
    if (name === "loadMoreOfAll") return client.all.loadMore();
    if (name === "open") return client.all.open();
    if (name === "close") return client.all.close();
    const items = client.all.items.length && draw < 0.5 ? client.all.items : client.items;
    const item = items[Math.floor(((draw * 2) % 1) * items.length)];
    if (!item) return null;
    if (name === "undoable") {
      const undo = new AbortController();
      this.world.clock.after(draw * 3000, () => this.gate.run(() => undo.abort()));
      return client.dismiss(item.id, { delay: 1500, signal: undo.signal });
    }
    return client[name](item.id);
  }

  /** What a browser does to a tab; all of it is undone by `comeBack`. */
  suffer(what) {
    const { document, window } = this.platform;
    if (what === "freeze") {
      this.gate.freeze();
    } else if (what === "hide") {
      document.visibilityState = "hidden";
      document.dispatchEvent(new Event("visibilitychange"));
    } else if (!this.#isAway) {
      this.#isAway = true;
      window.dispatchEvent(new Event("pagehide"));
    }
  }

  comeBack() {
    const { document, window } = this.platform;
    this.gate.thaw();
    if (this.#isAway) {
      this.#isAway = false;
      const event = new Event("pageshow");
      event.persisted = true;
      window.dispatchEvent(event);
    }
    document.visibilityState = "visible";
    this.wake();
  }

  wake() {
    this.platform.document.dispatchEvent(new Event("visibilitychange"));
  }

  #fetch(url, init) {
    const { clock, random, isFaulty } = this.world;
    const isPost = Boolean(init.method);
    return new Promise((resolve, reject) => {
      init.signal.addEventListener("abort", () => reject(init.signal.reason));
      const latency = () => 10 + random() ** 4 * (this.world.isFaulty ? 3000 : 200);
      if (!isPost && !url.includes("/archive/")) this.lists += 1;
      clock.after(latency(), () => {
        if (isFaulty && random() < 0.1) return reject(new TypeError("Failed to fetch"));
        const answered = (reply) => {
          const isLost = isPost && this.world.isFaulty && random() < 0.1;
          if (!isLost) clock.after(latency(), () => this.gate.run(() => resolve(reply)));
        };
        const { pathname, searchParams } = new URL(url);
        if (isPost) this.#post(url, init, answered);
        else if (pathname.endsWith("/archive/")) this.#archive(searchParams, answered);
        else this.#list(searchParams, init, answered);
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
    const one = /\/(\w+)\/(read|unread)\/$/.exec(pathname);
    if (one) return database.transact({ kind: one[2], user, id: one[1] }, done);
    if (init.method === "DELETE") {
      return database.transact({ kind: "gone", user, id: pathname.split("/").at(-2) }, done);
    }
    return database.transact({ kind: "mark_all", user, ...JSON.parse(init.body) }, done);
  }

  #archive(params, answered) {
    const { user } = this.browser;
    const cursor = params.get("cursor") ?? "~";
    const limit = Number(params.get("limit"));
    const below = this.world.database.archive(user).filter((item) => item.position < cursor);
    const hasMore = below.length > limit;
    const headers = {
      "X-Inbox-User": keyOf(user),
      "X-CSRFToken": "token",
      ...(hasMore && { Link: `<${ORIGIN}/?cursor=1>; rel="next"` }),
    };
    answered(answer(below.slice(0, limit), { headers }));
  }

  /** A list in four statements, at four moments: its own rows, then the sums of all others. */
  #list(params, init, answered) {
    const { clock, random, database } = this.world;
    const { user } = this.browser;
    const tagOf = (all) => {
      const digest = all.reduce((sum, item) => sum + item.stamp, 0);
      return `"${user}-${all.length}-${digest}-${params}"`;
    };
    const known = init.headers["If-None-Match"];
    if (known && known === tagOf(database.unread(user))) {
      const headers = { "X-Inbox-User": keyOf(user), "X-CSRFToken": "token", ETag: known };
      return answered(answer(null, { status: 304, headers }));
    }
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
            ETag: tagOf(all),
            ...(hasMore && { Link: `<${ORIGIN}/?cursor=${bottom}>; rel="next"` }),
          };
          answered(answer(items, { headers }));
        });
      });
    });
    return undefined;
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
    this.isSharing = this.random() < 0.5;
    this.tabs = [first, first, first, second].map((browser) => new SimulatedTab(this, browser));
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
    clock.after(FAULTS_END, () => this.tabs.forEach((tab) => tab.comeBack()));
    for (const at of [1000, 2500, 4000])
      clock.after(FAULTS_END + at, () => this.tabs.forEach((tab) => tab.wake()));
  }

  #operation(at) {
    const { random, clock, database } = this;
    const choice = random();
    const user = Math.floor(random() * 3);
    const lasts = random() < 0.8 ? 0 : Math.min(random() * 10_000, FAULTS_END - 500 - at);
    if (choice < 0.28) {
      const users = this.#pick([0], [0], [0, 1], [1], [2], [0, 2]);
      return () => database.transact({ kind: "send", users, lasts });
    }
    if (choice < 0.38) return () => database.transact({ kind: "broadcast", lasts });
    if (choice < 0.6) {
      const names = ["markRead", "markRead", "markAllRead", "markUnread", "dismiss", "undoable"];
      return this.#act(this.#pick(...names));
    }
    if (choice < 0.78) {
      const kind = this.#pick("read", "unread", "gone", "restore", "restore");
      const draw = random();
      return () => database.transact({ kind, user, draw });
    }
    if (choice < 0.84) return this.#act(this.#pick("loadMore", "loadMoreOfAll", "open", "close"));
    if (choice < 0.88) {
      const what = this.#pick("freeze", "freeze", "hide", "leave");
      const lasts = random() < 0.3 ? 2 * FAULTS_END : random() * 8000;
      return () => {
        const tab = this.#pick(...this.tabs);
        tab.suffer(what);
        clock.after(lasts, () => tab.comeBack());
      };
    }
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

  /** Each browser has one socket. */
  verifySockets() {
    for (const browser of this.browsers) {
      const tabs = this.tabs.filter((tab) => tab.browser === browser);
      const open = tabs.filter(({ connection }) => connection?.isOpen).length;
      if (open !== 1) this.fail(`a browser has ${open} sockets`);
    }
  }

  /** Every open archive shows what the database holds; what has expired may stand there still. */
  verifyArchives(when) {
    const sign = ({ id, read_at: at }) => (at === null ? id : `-${id}`);
    this.tabs.forEach(({ client, browser }, index) => {
      const { items, hasMore, loaded } = client.all;
      if (!loaded) return;
      const wanted = this.database.archive(browser.user).map(sign);
      const shown = items.filter(({ id }) => this.database.isLive(id)).map(sign);
      const isWhole = shown.length === wanted.length || (hasMore && shown.length < wanted.length);
      if (!isWhole || shown.some((id, at) => id !== wanted[at]))
        this.fail(`${when}, tab ${index} shows of all: ${shown}; the database has ${wanted}`);
    });
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
