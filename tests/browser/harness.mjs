/** A browser's clock, network, storage and tabs, all under the control of a test. */

import "../../static/realtime/inbox-client.js";
import "../../static/realtime/inbox-tabs.js";

// The oldest Node that Debian ships has no CustomEvent; every browser has.
globalThis.CustomEvent ??= class CustomEvent extends Event {
  constructor(type, { detail = null, ...options } = {}) {
    super(type, options);
    this.detail = detail;
  }
};

export const InboxClient = globalThis[Symbol.for("stored_messages.InboxClient")];

export const ORIGIN = "http://site.test";

/** Seeded random numbers in [0, 1). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Let everything that promises have set off come to its end. */
export const settled = () => new Promise(setImmediate);

/** Time that passes only when it is told to. Milliseconds. */
export class Clock {
  now = 0;
  #queue = [];
  #order = 0;

  after(delay, callback) {
    const entry = { at: this.now + Math.max(0, delay), order: this.#order++, callback };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#queue[middle].at <= entry.at) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, entry);
    return entry;
  }

  cancel(entry) {
    const index = this.#queue.indexOf(entry);
    if (index >= 0) this.#queue.splice(index, 1);
  }

  get pending() {
    return this.#queue.length;
  }

  async run(until) {
    await settled();
    while (this.#queue.length && this.#queue[0].at <= until) {
      const { at, callback } = this.#queue.shift();
      this.now = at;
      callback();
      await settled();
    }
    this.now = until;
  }

  pass(duration) {
    return this.run(this.now + duration);
  }
}

export function storage() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, String(value)),
    removeItem: (key) => values.delete(key),
    get size() {
      return values.size;
    },
  };
}

/** Runs what a tab is called back for, unless the browser has frozen it: then when it thaws. */
export class Gate {
  #isFrozen = false;
  #queue = [];

  run(callback) {
    if (this.#isFrozen) this.#queue.push(callback);
    else callback();
  }

  freeze() {
    this.#isFrozen = true;
  }

  thaw() {
    this.#isFrozen = false;
    for (const callback of this.#queue.splice(0)) callback();
  }
}

/** What the tabs of one browser share. */
export class Browser {
  localStorage = storage();
  channels = new Set();
  #clock;
  #held = new Map(); // locks, by name
  #waiting = [];

  constructor(clock) {
    this.#clock = clock;
  }

  channelsFor(gate) {
    const { channels } = this;
    const clock = this.#clock;
    return class {
      constructor(name) {
        Object.assign(this, { name, gate });
        channels.add(this);
      }
      postMessage(data) {
        for (const other of channels) {
          if (other === this || other.name !== this.name) continue;
          const hear = () => channels.has(other) && other.onmessage?.({ data });
          clock.after(1, () => other.gate.run(hear));
        }
      }
      close() {
        channels.delete(this);
      }
    };
  }

  locksFor(gate) {
    return {
      request: (name, { steal = false, signal } = {}, callback) =>
        new Promise((resolve, reject) => {
          const entry = { name, gate, callback, resolve, reject };
          const aborted = () => reject(new DOMException("no more", "AbortError"));
          if (steal) {
            const robbed = this.#held.get(name);
            if (robbed) robbed.gate.run(robbed.rob);
            this.#grant(entry);
          } else {
            this.#waiting.push(entry);
            signal?.addEventListener("abort", () => {
              this.#waiting = this.#waiting.filter((other) => other !== entry);
              aborted();
            });
            this.#grantNext(name);
          }
          entry.rob = aborted;
        }),
    };
  }

  /** A tab is gone without a word. */
  forget(gate) {
    gate.freeze();
    for (const channel of this.channels) if (channel.gate === gate) channel.close();
    this.#waiting = this.#waiting.filter((entry) => entry.gate !== gate);
    for (const [name, entry] of this.#held) {
      if (entry.gate !== gate) continue;
      this.#held.delete(name);
      this.#grantNext(name);
    }
  }

  get lockCount() {
    return this.#held.size + this.#waiting.length;
  }

  #grantNext(name) {
    const next = this.#waiting.find((entry) => entry.name === name);
    if (!next || this.#held.has(name)) return;
    this.#waiting = this.#waiting.filter((entry) => entry !== next);
    this.#grant(next);
  }

  #grant(entry) {
    this.#held.set(entry.name, entry);
    const hold = async () => {
      entry.resolve(await entry.callback());
      if (this.#held.get(entry.name) !== entry) return;
      this.#held.delete(entry.name);
      this.#grantNext(entry.name);
    };
    this.#clock.after(1, () => entry.gate.run(hold));
  }
}

/**
 * What one tab gives to its client; `fetch` and `WebSocket` come from the test. `isSharing` is for
 * a browser with Web Locks, in which the tabs share a socket.
 */
export function platformFor(options) {
  const { clock, browser, random = () => 0.5, gate = new Gate(), isSharing, ...rest } = options;
  const document = new EventTarget();
  Object.assign(document, { visibilityState: "visible", baseURI: `${ORIGIN}/page/` });
  return {
    setTimeout(callback, delay) {
      const timer = { isOver: false };
      const ring = () => timer.isOver || callback();
      timer.entry = clock.after(delay, () => gate.run(ring));
      return timer;
    },
    clearTimeout(timer) {
      if (!timer) return;
      timer.isOver = true;
      clock.cancel(timer.entry);
    },
    now: () => clock.now,
    random,
    window: new EventTarget(),
    document,
    localStorage: browser.localStorage,
    sessionStorage: storage(),
    BroadcastChannel: browser.channelsFor(gate),
    locks: isSharing ? browser.locksFor(gate) : undefined,
    console: { info() {} },
    ...rest,
  };
}

/** What `fetch` resolves to, as far as the client looks. */
export function answer(body, { status = 200, headers = {}, url = ORIGIN } = {}) {
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText: "",
    url,
    headers: new Headers(headers),
    json: async () => {
      if (body === null) throw new SyntaxError("Unexpected end of JSON input");
      return JSON.parse(JSON.stringify(body));
    },
  };
}

export const position = (number) => number.toString(16).padStart(16, "0");

export function message(number, fields = {}) {
  return {
    id: String(number),
    message: `text ${number}`,
    text: `text ${number}`,
    level: 21,
    level_tag: "persisted info",
    tags: "persisted info",
    extra_tags: "",
    date: "2026-01-02T03:04:05.678901Z",
    url: null,
    data: {},
    position: position(number),
    stamp: 1000 + number,
    broadcast: false,
    read_at: null,
    ...fields,
  };
}

export const ref = ({ id, stamp, position: at }) => ({ id, stamp, position: at });

/**
 * One tab with a client, and a server whose every answer and frame the test decides. Lists are
 * answered at once from `inbox` unless `hold` is set; then `release()` answers the oldest.
 */
export class Tab {
  clock;
  gate = new Gate();
  browser;
  inbox = [];
  read = []; // what the archive has besides
  user = "alice";
  token = "token-1";
  lists = [];
  archiveLists = [];
  posts = [];
  sockets = [];
  hold = false;
  ignoresAborts = false; // an answer that is on its way to the page already
  isDown = false;
  latency = 0;
  pollInterval = 15;
  listStatus = 200;
  listSummary = null; // instead of the inbox's own
  postStatus = () => 200;
  socketsWork = true;
  socketsEnd = { code: 1006, after: 1 }; // when they do not work
  changes = 0;
  messages = [];
  errors = [];
  statuses = [];
  infos = [];
  #held = [];

  constructor({
    clock = new Clock(),
    browser = new Browser(clock),
    session,
    isSharing = false,
    Client = InboxClient,
    ...options
  } = {}) {
    this.clock = clock;
    this.browser = browser;
    const tab = this;
    this.platform = platformFor({
      clock,
      browser,
      gate: this.gate,
      isSharing,
      fetch: (url, init) => this.#fetch(url, init),
      console: { info: (text) => this.infos.push(text) },
      WebSocket: class {
        constructor(url) {
          this.url = url;
          this.readyState = 1;
          tab.sockets.push(this);
          const { code, after } = tab.socketsEnd;
          if (!tab.socketsWork) clock.after(after, () => this.readyState === 1 && this.end(code));
        }
        close() {
          this.readyState = 3;
        }
        send(frame) {
          const data = JSON.stringify(frame);
          tab.gate.run(() => this.onmessage?.({ data }));
        }
        end(code) {
          this.readyState = 3;
          tab.gate.run(() => this.onclose?.({ code }));
        }
      },
      ...(session && { sessionStorage: session }),
      ...options.platform,
    });
    this.client = new Client({
      inbox: "/messages/inbox/",
      markAll: "/messages/mark_all_read/",
      socket: "/ws/inbox/",
      pageSize: 3,
      ...options,
      platform: this.platform,
    });
    this.client.addEventListener("change", () => (this.changes += 1));
    this.client.addEventListener("message", ({ detail }) => this.messages.push(detail.id));
    this.client.addEventListener("error", ({ detail }) => this.errors.push(detail));
    this.client.addEventListener("status", ({ detail }) => this.statuses.push(detail));
  }

  get socket() {
    return this.sockets.at(-1);
  }

  get shown() {
    return this.client.items.map(({ id }) => Number(id));
  }

  /** All messages, those that are read as their negative numbers. */
  get shownOfAll() {
    const { items } = this.client.all;
    return items.map(({ id, read_at: at }) => (at === null ? Number(id) : -Number(id)));
  }

  get summary() {
    const digest = this.inbox.reduce((sum, item) => sum + item.stamp, 0);
    return { unread: this.inbox.length, digest };
  }

  /** Begin with these messages in the inbox, live. */
  async live(...numbers) {
    this.inbox = numbers.map((number) => message(number));
    this.client.start();
    await settled();
    this.sync();
    await settled();
    return this;
  }

  frame(frame) {
    this.socket.send(frame);
  }

  sync(fields = {}) {
    this.frame({ type: "sync", user: this.user, heartbeat: 10, ...this.summary, ...fields });
  }

  /** A message is committed to the inbox; its frame comes only if `tell`. */
  arrive(number, { tell = true, ...fields } = {}) {
    const item = message(number, fields);
    this.inbox = [item, ...this.inbox.filter(({ id }) => id !== item.id)];
    if (tell) this.frame({ type: "stored", message: item });
    return item;
  }

  /** Messages leave the inbox; returns their references. */
  leave(...numbers) {
    const gone = this.inbox.filter(({ id }) => numbers.includes(Number(id)));
    this.inbox = this.inbox.filter((item) => !gone.includes(item));
    this.read.push(...gone.map((item) => ({ ...item, read_at: "2026-01-02T04:00:00Z" })));
    return gone.map(ref);
  }

  /** Messages leave inbox and archive; returns their references. */
  dismiss(...numbers) {
    this.leave(...numbers);
    const gone = this.read.filter(({ id }) => numbers.includes(Number(id)));
    this.read = this.read.filter((item) => !gone.includes(item));
    return gone.map(ref);
  }

  show(visible) {
    this.platform.document.visibilityState = visible ? "visible" : "hidden";
    this.platform.document.dispatchEvent(new Event("visibilitychange"));
  }

  hidePage() {
    this.platform.window.dispatchEvent(new Event("pagehide"));
  }

  restorePage() {
    const event = new Event("pageshow");
    event.persisted = true;
    this.platform.window.dispatchEvent(event);
  }

  /** Answer the oldest held request: with what was true when it was asked for, or an override. */
  async release(override) {
    const { resolve, reply } = this.#held.shift();
    resolve(override ?? reply);
    await settled();
  }

  #listAnswer(url, init) {
    const { pathname, searchParams: params } = new URL(url);
    const isArchive = pathname.endsWith("/archive/");
    const inbox = isArchive ? [...this.inbox, ...this.read] : this.inbox;
    const cursor = params.get("cursor");
    const limit = Number(params.get("limit") ?? 20);
    const rows = inbox
      .filter((item) => !cursor || item.position < cursor)
      .sort((a, b) => (a.position < b.position ? 1 : -1));
    const { unread, digest } = this.listSummary ?? this.summary;
    const tag = `W/"${this.user}-${unread}-${digest}-${limit}-${cursor}"`;
    const isKnown = !isArchive && this.listStatus === 200 && init.headers["If-None-Match"] === tag;
    return answer(isKnown ? null : rows.slice(0, limit), {
      status: isKnown ? 304 : this.listStatus,
      headers: {
        ...(!isArchive && { ETag: tag }),
        "X-Inbox-User": this.user,
        "X-Unread-Count": String(unread),
        "X-Unread-Digest": String(digest),
        "X-CSRFToken": this.token,
        "X-Poll-Interval": String(this.pollInterval),
        ...(rows.length > limit && { Link: '<http://site.test/?cursor=1>; rel="next"' }),
      },
    });
  }

  #fetch(url, init = {}) {
    const isPost = Boolean(init.method);
    const { pathname } = new URL(url);
    const record = { path: pathname, url, ...init, at: this.clock.now };
    if (init.body) record.json = JSON.parse(init.body);
    const isArchive = !isPost && pathname.endsWith("/archive/");
    (isPost ? this.posts : isArchive ? this.archiveLists : this.lists).push(record);
    const reply = isPost
      ? answer({}, { status: this.postStatus(record) })
      : this.#listAnswer(url, init);
    return new Promise((resolve, reject) => {
      const abort = () => this.ignoresAborts || reject(init.signal.reason);
      init.signal?.addEventListener("abort", abort);
      if (this.hold === true || this.hold === (isPost ? "posts" : "lists")) {
        this.#held.push({ resolve, reply });
      } else if (this.isDown) {
        reject(new TypeError("Failed to fetch"));
      } else if (this.latency) {
        this.clock.after(this.latency, () => resolve(reply));
      } else {
        resolve(reply);
      }
    });
  }
}
