/** The inbox in the browser, without a user interface: see inbox-client.d.ts. */

const CLASS_KEY = Symbol.for("stored_messages.InboxClient");

const SECOND = 1000;
const CLOSED = 3; // the state of a socket
const MAX_ROWS = 100;
const FAILURES_BEFORE_POLLING = 3;
const SLOW_RETRY = 60 * SECOND;
const FIRST_SYNC_TIMEOUT = 10 * SECOND;
const HIDDEN_HOLD = 60 * SECOND;
const REQUEST_TIMEOUT = 15 * SECOND;
const TRUST = 3;
const TRUST_AGAIN = 30 * SECOND;
const KEEPALIVE_LIMIT = 60_000; // bytes, of the browsers' 64 KiB
const KNOWN_LIMIT = 5000;

let toldAboutPolling = false;

// --- What the server told us ------------------------------------------------------------------

const sameSummary = (a, b) => a.unread === b.unread && a.digest === b.digest;

const isLoaded = ({ bottom }, { position }) => position >= bottom;

/** The position after this one. They are hexadecimal, of one width, and too large for numbers. */
const following = (position) =>
  position.replace(/[0-9a-e]f*$/, (end) => (parseInt(end, 16) + 1).toString(16));

/**
 * The unread messages as the server told them: those loaded, the summary of the `rest` below
 * `bottom` ("": nothing is), and what was `seen` to leave since the last list.
 */
class Ledger {
  items = new Map();
  seen = new Map();
  rest = { unread: 0, digest: 0 };
  bottom = "";
  loaded = false;

  get summary() {
    let { unread, digest } = this.rest;
    for (const item of this.items.values()) {
      unread += 1;
      digest += item.stamp;
    }
    return { unread, digest };
  }

  copy() {
    const { items, seen, rest } = this;
    const own = { items: new Map(items), seen: new Map(seen), rest: { ...rest } };
    return Object.assign(new Ledger(), this, own);
  }

  replace(list) {
    Object.assign(this, new Ledger(), { rest: list.summary, loaded: true });
    this.append(list);
  }

  append(list) {
    for (const item of list.items) {
      if (this.items.has(item.id)) continue;
      this.#add(item);
      this.rest.unread -= 1;
      this.rest.digest -= item.stamp;
    }
    this.bottom = list.bottom;
  }

  /** False if only a new list can tell, because it is about what lies below. */
  apply({ type, refs, below }) {
    if (below) return below >= this.bottom && this.#readAll(below);
    return refs?.map((ref) => this[type](ref)).every(Boolean) ?? false; // it could not be read
  }

  /** As if it were done. Of what lies below only the count can tell. */
  foresee({ type, refs, below, under }) {
    const isUnread = type === "unread";
    if (isUnread) this.know(refs);
    for (const item of refs) {
      const isNews = !this[type](item) && (item.read_at === null) !== isUnread;
      if (isNews) this.rest.unread += isUnread ? 1 : -1;
    }
    if (!this.apply({ refs: [], below })) this.rest.unread -= under;
  }

  /** These had been read before the last list. */
  know(items) {
    for (const item of items) {
      const isOlder = item.position < this.seen.get(item.id)?.position;
      if (!isOlder && isLoaded(this, item)) this.seen.set(item.id, { ...item, read_at: null });
    }
  }

  stored(item) {
    const held = this.items.get(item.id);
    // Below the loaded part it may be counted in `rest` already.
    if (!held && !isLoaded(this, item)) return false;
    if (!(held?.position >= item.position)) this.#add(item);
    return true;
  }

  read(ref) {
    const held = this.items.get(ref.id);
    if (!held) return this.seen.has(ref.id) || isLoaded(this, ref);
    // A lower position is of an earlier arrival.
    if (ref.position >= held.position) this.#leave(held);
    return true;
  }

  gone = this.read;

  unread(ref) {
    if (this.items.has(ref.id)) return true;
    const seen = this.seen.get(ref.id);
    if (seen?.position !== ref.position) return false;
    this.#add(seen);
    return true;
  }

  #readAll(below) {
    for (const item of this.items.values()) if (item.position < below) this.#leave(item);
    this.rest = { unread: 0, digest: 0 };
    this.bottom = "";
    return true;
  }

  #add(item) {
    this.items.set(item.id, item);
    this.seen.delete(item.id);
  }

  #leave(item) {
    this.items.delete(item.id);
    this.seen.set(item.id, item);
  }
}

/**
 * What the user did: `read`, `unread` or `gone` for messages, and read for everything strictly
 * `below` a position, of which `under` were known to be unread. Confirmed, it is a frame that the client gives itself, save for what a real
 * frame was about since it was sent.
 */
class Action {
  at = new Date().toISOString();

  constructor(type, refs, below = "", under = 0) {
    Object.assign(this, { type, refs, below, under });
    this.sent();
  }

  isAbout({ id, position }) {
    return position < this.below || this.refs.some((ref) => ref.id === id);
  }

  sent() {
    this.due = new Map(this.refs.map((ref) => [ref.id, ref]));
    this.dueBelow = this.below;
  }

  touch({ refs = [], below }) {
    for (const { id, position } of refs) {
      this.due.delete(id);
      if (position < this.below) this.dueBelow = "";
    }
    if (below) this.dueBelow = "";
    for (const { id, position } of this.due.values()) if (position < below) this.due.delete(id);
  }

  confirmation() {
    const events = [{ type: this.type, refs: [...this.due.values()] }];
    return this.dueBelow ? [...events, { type: "read_all", below: this.dueBelow }] : events;
  }
}

/** Every message, read or not, down to `bottom`. */
class Archive {
  isOpen = false;
  isCurrent = false; // nothing was missed since
  rows = new Map();
  bottom = "";
  loaded = false;
  error = null;
  request = null;

  take({ items, bottom }, isMore, events) {
    if (!isMore) this.rows = new Map();
    for (const item of items) {
      if (!(this.rows.get(item.id)?.position > item.position)) this.rows.set(item.id, item);
    }
    this.bottom = bottom;
    this.loaded = true;
    this.isCurrent ||= !isMore;
    for (const event of events) this.apply(event);
  }

  apply({ type, refs = [], below, at = new Date().toISOString() }) {
    if (!this.loaded) return;
    const mark = (row, time) => {
      if (!row.read_at === !time) return;
      this.rows.set(row.id, { ...row, read_at: time });
    };
    for (const ref of refs) {
      const row = this.rows.get(ref.id);
      if (type === "stored") {
        if (row ? row.position < ref.position : isLoaded(this, ref)) this.rows.set(ref.id, ref);
      } else if (ref.position >= row?.position) {
        // Not of an earlier arrival.
        if (type === "gone") this.rows.delete(ref.id);
        else mark(row, type === "read" ? at : null);
      }
    }
    for (const row of this.rows.values()) if (row.position < below) mark(row, at);
  }
}

const newestFirst = (items) =>
  [...items.values()].sort((a, b) => (a.position < b.position ? 1 : -1));

// --- The wire ---------------------------------------------------------------------------------

const isRef = (ref) =>
  typeof ref?.id === "string" && typeof ref.position === "string" && Number.isFinite(ref.stamp);

const isRefs = (refs) => Array.isArray(refs) && refs.every(isRef);

/** A frame as an event, about `refs` or everything `below`: neither if it cannot be read. */
function readFrame({ type, message, messages = [message], up_to: upTo }) {
  if (type === "read_all") return { type, below: typeof upTo === "string" && following(upTo) };
  if (!["stored", "read", "gone", "unread"].includes(type)) return null;
  return { type, refs: isRefs(messages) ? messages : undefined };
}

class ResponseError extends Error {
  constructor(response, message = `${response.status} ${response.statusText}`) {
    super(`${message} (${response.url})`);
    this.status = response.status;
    this.retryAfter = Number(response.headers.get("Retry-After")) * SECOND || 0;
  }

  get isSignedOut() {
    return this.status === 401 || this.status === 403;
  }
}

async function readList(response) {
  const isUnchanged = response.status === 304;
  if (!response.ok && !isUnchanged) throw new ResponseError(response);
  const header = (name) => response.headers.get(name) ?? "";
  const user = header("X-Inbox-User");
  // A login page, say.
  if (!user) throw new ResponseError(response, "The answer is not an inbox");
  const items = isUnchanged ? [] : await response.json();
  if (!isRefs(items)) throw new ResponseError(response, "The answer is not a list of messages");
  const hasNext = /;\s*rel="?next\b/.test(header("Link"));
  return {
    user,
    isUnchanged,
    etag: header("ETag"),
    items,
    bottom: (hasNext && items.at(-1)?.position) || "",
    summary: {
      unread: Number(header("X-Unread-Count")),
      digest: Number(header("X-Unread-Digest")),
    },
    token: header("X-CSRFToken"),
    pollInterval: Number(header("X-Poll-Interval")) * SECOND,
  };
}

// --- The client -------------------------------------------------------------------------------

const { window, document, console, navigator, WebSocket, BroadcastChannel } = globalThis;

const BROWSER = {
  window,
  document,
  console,
  WebSocket,
  BroadcastChannel,
  locks: navigator?.locks, // for inbox-tabs.js
  fetch: (...args) => fetch(...args),
  setTimeout: (...args) => setTimeout(...args),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => performance.now(),
  random: Math.random,
  get localStorage() {
    return globalThis.localStorage;
  },
  get sessionStorage() {
    return globalThis.sessionStorage;
  },
};

export class InboxClient extends EventTarget {
  // For others these are to read.
  user = null;
  status = "connecting";
  error = null;
  background = false;

  _platform;
  #inboxUrl;
  #archiveUrl;
  #markAllUrl;
  #socketUrl;
  #csrfHeader;
  #pageSize;
  _key;

  #running = false;
  #suspended = false; // in the back/forward cache
  #listeners = null;
  #channel = null;

  // Until it is somebody else's inbox
  #epoch = 0;
  #isConfirmed = false; // by a list
  #token = "";
  #remembered = null; // of the last page view
  _ledger = new Ledger();
  _overlay = new Set(); // of what the user is doing
  #settled = []; // what was done, until no list is awaited that tells what came of it
  #view = null;
  #known = new Set();
  #top = ""; // the highest position ever held
  #rows;
  #isPaging = false;
  #archive = new Archive();
  #pendingSync = null; // a summary that differs from ours
  #tag = null; // of the list that the ledger still is

  #signedOut = false;
  #wasCutOff = false; // and no list has decided yet
  #restarts = 0; // since socket and list agreed
  #told = undefined; // by another tab before the first list: the user
  #trust = 0; // in other tabs, for now
  #trustUntil = -Infinity;

  #postponed = new Set(); // ends of waiting for an undo

  #timers = new Map(); // by name
  #aborts = new Set();
  #request = null;
  #mustFetch = false;
  #fetchFailures = 0;
  #notBefore = 0; // by the server's wish
  #pollInterval = 15 * SECOND;
  #waiting = [];

  _socket = null;
  #isSynced = false; // it, or one elsewhere, said its first sync
  #wasLive = false; // ever
  #heardAt = 0;
  #losses = 0; // of sockets
  #heartbeat = Infinity;
  #silenceLimit = FIRST_SYNC_TIMEOUT;
  _failures = 0; // in a row

  constructor({ inbox, archive, markAll, socket, csrfHeader, pageSize, platform }) {
    super();
    this._platform = { __proto__: BROWSER, ...platform };
    const base = this._platform.document?.baseURI;
    this.#inboxUrl = new URL(inbox, base);
    const beside = (url, usual) => (url ? new URL(url, base) : new URL(usual, this.#inboxUrl));
    this.#archiveUrl = beside(archive, "../archive/");
    this.#markAllUrl = beside(markAll, "../mark_all_read/");
    if (socket) {
      this.#socketUrl = new URL(socket, base);
      this.#socketUrl.protocol = this.#socketUrl.protocol.replace("http", "ws");
    }
    this.#csrfHeader = csrfHeader || "X-CSRFToken";
    this.#pageSize = this.#rows = Math.min(pageSize || 20, MAX_ROWS);
    this._key = `stored_messages:${this.#inboxUrl.pathname}`;
    this.all = this.#makeAll();
    this.#recall();
  }

  get items() {
    return this.#shown.items;
  }

  get unread() {
    if (!this._ledger.loaded) return this.#remembered?.unread ?? 0;
    return this.#shown.unread;
  }

  get loaded() {
    return this._ledger.loaded;
  }

  get hasMore() {
    return this.#shown.hasMore;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#listen();
    this.#begin();
  }

  stop() {
    if (!this.#running) return;
    this.#running = false;
    this.#listeners.abort();
    this.#leave();
    this.#updateStatus();
  }

  refresh() {
    this.#archive.isCurrent = false;
    const answered = this.#answered;
    if (this.#running) this.#need(true);
    else this.#wake();
    return answered;
  }

  get #answered() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async loadMore() {
    const epoch = this.#epoch;
    while (this.#request) await this.#answered;
    const cursor = this._ledger.bottom;
    if (!this.#running || epoch !== this.#epoch || !cursor || this.#isPaging) return false;

    this.#isPaging = true;
    const page = await this.#getList(this.#inboxUrl, this.#pageSize, cursor);
    if (epoch !== this.#epoch) return false;
    this.#isPaging = false;
    if (!this.#isWelcome(page, "loadMore")) return false;
    this.#rows = this.#atMost(this.#rows + this.#pageSize);
    const isSettled = !this.#request && !this.#mustFetch && !this.#pendingSync;
    const isOfThis =
      this._ledger.bottom === cursor && sameSummary(page.summary, this._ledger.summary);
    if (isSettled && isOfThis) {
      this._ledger.append(page);
      this.#noteKnown(page.items);
      this._changed();
    } else {
      await this.refresh();
    }
    return epoch === this.#epoch;
  }

  markRead(id) {
    const { items, seen } = this._ledger;
    const isRead = seen.has(id) || this.#archive.rows.get(id)?.read_at;
    return this.#actOn(id, "read", "markRead", !items.has(id) && isRead);
  }

  markUnread(id) {
    return this.#actOn(id, "unread", "markUnread", this._ledger.items.has(id));
  }

  dismiss(id, { delay = 0, signal, isHeld } = {}) {
    const wait = delay ? () => this.#postpone(delay, signal, isHeld) : null;
    return this.#actOn(id, "gone", "dismiss", false, wait);
  }

  markAllRead(ids, from) {
    const shown = this.items.filter(({ id }) => (ids ? ids.includes(id) : !from));
    const refs = from ? [from, ...shown] : shown;
    const before = from ? from.position : this._ledger.bottom;
    if (!refs.length && !before) return Promise.resolve(this._ledger.loaded);
    const action = new Action("read", refs, before, from ? 0 : this._ledger.rest.unread);
    const send = () => this._markAll(refs.map(({ id }) => id), before);
    return this.#act(action, "markAllRead", send);
  }

  // --- Events ---------------------------------------------------------------------------------

  get #shown() {
    if (this.#view) return this.#view;
    const ledger = this._ledger.copy();
    const archive = Object.assign(new Archive(), this.#archive);
    archive.rows = new Map(archive.rows);
    for (const action of [...this.#settled, ...this._overlay]) {
      ledger.foresee(action);
      archive.apply(action);
    }
    const { items, rest, bottom } = ledger;
    this.#view = {
      items: newestFirst(items),
      unread: items.size + Math.max(0, rest.unread),
      hasMore: bottom !== "",
      all: newestFirst(archive.rows),
    };
    return this.#view;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  _changed() {
    this.#updateStatus();
    if (!this.#mustFetch && !this.#request) this.#settled = [];
    this.#view = null;
    this.#emit("change");
  }

  #report(error, action = null) {
    this.#emit("error", { error, action });
  }

  #updateStatus() {
    let status = "connecting";
    if (this.#signedOut) status = "signed-out";
    else if (this.#isSynced) status = "live";
    else if (this.#fetchFailures) status = "offline";
    else if (this.#isPolling && this._ledger.loaded) status = "polling";
    if (status === this.status) return;
    this.status = status;
    this.#emit("status", status);
  }

  #noteKnown(items) {
    if (this.#known.size > KNOWN_LIMIT) this.#known.clear(); // they are long past
    for (const { id, position } of items) {
      this.#known.add(`${id} ${position}`);
      if (position > this.#top) this.#top = position;
    }
  }

  #announce(items) {
    const news = items.filter(({ id, position }) => !this.#known.has(`${id} ${position}`));
    this.#noteKnown(news);
    for (const item of newestFirst(news).reverse()) this.#emit("message", item);
  }

  // --- Beginning, forgetting, beginning again -------------------------------------------------

  #begin(delay = 0) {
    this.#mustFetch = true;
    if (delay) {
      this.#after("connect", delay, () => this.#connect());
      this.#armFetch(delay);
    } else {
      this.#connect();
      this.#need(true);
    }
  }

  #halt() {
    this.#dropSocket();
    this._release(true);
    this.#abortLists();
    for (const name of this.#timers.keys()) this.#cancel(name);
    this.#wake();
  }

  #forget() {
    this.#abortLists();
    this.#epoch += 1;
    this.user = null;
    this.#isConfirmed = false;
    this.#token = "";
    this.#remembered = null;
    this._ledger = new Ledger();
    this.#archive = Object.assign(new Archive(), { isOpen: this.#archive.isOpen });
    this._overlay.clear();
    this.#settled = [];
    this._forgot();
    this.#known.clear();
    this.#top = "";
    this.#rows = this.#pageSize;
    this.#isPaging = false;
    this.#pendingSync = this.#tag = this.error = null;
    this.#cancel("fetch");
    this._store("sessionStorage", null);
    this.#wake();
  }

  #restart() {
    this.#forget();
    this.#dropSocket();
    this._release(true);
    // A socket and a list may never agree (two ways to sign in).
    const delay = this.#restarts < 2 ? 0 : this.#jitter(500 * 2 ** this.#restarts);
    this.#restarts += 1;
    this._changed();
    this.#begin(delay);
  }

  #hideAll() {
    // Unless another tab has signed in somebody else already.
    if (this._read("localStorage") === this.user) this._store("localStorage", null);
    this.#forget();
    this.#halt();
    this.#mustFetch = false;
    this.#fetchFailures = 0;
  }

  /** Signed out, or under another key: a list decides, when a new cookie has had time to come. */
  #cutOff() {
    this.#hideAll();
    this.#wasCutOff = true;
    this.#mustFetch = true;
    this.#armFetch(this.#about(SECOND));
    this._changed();
  }

  #signOut() {
    const isNews = this.#isConfirmed || this.#wasCutOff;
    this.#hideAll();
    this.#wasCutOff = false;
    this.#told = undefined;
    this.#signedOut = true;
    if (isNews) this._post("user", { user: null });
    this._changed();
  }

  #confirmUser(user) {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.user = user;
    this.#signedOut = this.#wasCutOff = false;
    this._store("localStorage", user);
    this._post("user");
  }

  // --- Timers ---------------------------------------------------------------------------------

  #after(name, delay, callback) {
    this.#cancel(name);
    const timer = this._platform.setTimeout(() => {
      this.#timers.delete(name);
      callback();
    }, delay);
    this.#timers.set(name, timer);
  }

  #cancel(name) {
    this._platform.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** So long, but not the same for everybody. */
  #about(delay) {
    return delay * (0.9 + this._platform.random() / 5);
  }

  get #debounce() {
    return 150 + this._platform.random() * 300;
  }

  #jitter(ceiling) {
    return this._platform.random() * Math.min(ceiling, 30 * SECOND);
  }

  // --- The page -------------------------------------------------------------------------------

  #listen() {
    const { window, document } = this._platform;
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const on = (target, type, listener) => target?.addEventListener(type, listener, { signal });
    on(window, "online", () => this.#wakeUp());
    on(window, "pagehide", () => this.#hidePage());
    on(window, "pageshow", (event) => event.persisted && this.#restorePage());
    on(document, "visibilitychange", () => (this.#isVisible ? this.#wakeUp() : this.#hide()));
    this.#openChannel();
  }

  get #isVisible() {
    return this._platform.document?.visibilityState !== "hidden";
  }

  get #isActive() {
    return this.#running && !this.#suspended;
  }

  get _isAttentive() {
    return this.#isActive && (this.#isVisible || this.#timers.has("rest") || this.background);
  }

  #wakeUp() {
    if (this.#isVisible) this.#cancel("rest");
    this.#connect();
    this._shown();
    const isBehind =
      this.#mustFetch ||
      this.#pendingSync ||
      (!this.#isSynced && (this.#isPolling || this.#fetchFailures));
    if ((this.#signedOut || isBehind) && !this.#request) this.#need(true);
  }

  #hide() {
    this.#remember();
    this.#after("rest", HIDDEN_HOLD, () => {
      if (this._isAttentive) return;
      if (this._socket) this.#dropSocket();
      this._release(false);
      this.#cancel("connect");
      this.#updateStatus();
    });
  }

  #hidePage() {
    this.#suspended = true;
    this.#leave();
  }

  #leave() {
    this.#remember();
    this.#halt();
    this.#channel?.close();
    this.#channel = null;
  }

  #restorePage() {
    this.#suspended = false;
    this.#openChannel();
    if (this.#signedOut) this.#need(true);
    else if (this._read("localStorage") !== this.user) this.#restart();
    else this.#begin();
    this.#updateStatus();
  }

  // --- Other tabs, and the next page ----------------------------------------------------------

  #openChannel() {
    const { BroadcastChannel } = this._platform;
    if (!BroadcastChannel) return;
    this.#channel = new BroadcastChannel(this._key);
    this.#channel.onmessage = ({ data }) => this.#hearTab(data ?? {});
  }

  #hearTab({ type, user, ...said }) {
    if (type === "user") this.#hearUser(user);
    else if (type !== "changed") this._told(type, user, said);
    // A live tab hears of changes through its socket.
    else if (user === this.user && !this.#isSynced) this.#need(true);
  }

  _post(type, { user = this.user, ...rest } = {}) {
    this.#channel?.postMessage({ type, user, ...rest });
  }

  #hearUser(user) {
    const now = this._platform.now();
    if (now > this.#trustUntil) [this.#trust, this.#trustUntil] = [TRUST, now + TRUST_AGAIN];
    if (user === this.user) {
      // Nothing new; that includes being signed out.
    } else if (this.user === null && !this.#signedOut) {
      this.#told = user; // the list under way may have been asked before that
    } else if (this.#trust > 0) {
      // Tabs may differ for good (tokens), and must not wake each other for ever.
      this.#trust -= 1;
      if (this.#signedOut) this.#need(true);
      else this.#restart();
    }
  }

  /** The count of the last page, if the tabs agree that the user is the same. */
  #recall() {
    const last = this._read("sessionStorage");
    const isCurrent = last?.user && last.user === this._read("localStorage");
    if (isCurrent && Number.isSafeInteger(last.unread)) this.#remembered = last;
  }

  _read(area, key = this._key) {
    try {
      return JSON.parse(this._platform[area].getItem(key));
    } catch {
      return null; // forbidden, or not ours
    }
  }

  /** The page may end here. */
  #remember() {
    for (const end of this.#postponed) end(true);
    if (!this._ledger.loaded) return;
    this._store("sessionStorage", { user: this.user, unread: this.unread });
  }

  _store(area, value, key = this._key) {
    try {
      if (value === null) this._platform[area].removeItem(key);
      else this._platform[area].setItem(key, JSON.stringify(value));
    } catch {
      // Full or forbidden.
    }
  }

  // --- Fetching -------------------------------------------------------------------------------

  /** Ask, now or after a wait in which frames may make it unnecessary. */
  #need(now = false) {
    this.#mustFetch = true;
    if (now) this.#fetch();
    else this.#armFetch();
  }

  #armFetch(delay = this.#debounce) {
    if (this.#timers.has("fetch") || this.#request || !this.#isActive) return;
    // Hidden ones that hear through others wait until they are shown.
    if (!this._isAttentive && !this._socket) return;
    this.#after("fetch", delay, () => this.#fetch());
  }

  #fetch() {
    if (this.#request || !this.#isActive) return;
    this.#cancel("fetch");
    if (!this.#mustFetch && !this.#pendingSync) return;
    this.#cancel("poll");
    // The list will answer every sync heard so far.
    this.#mustFetch = false;
    this.#pendingSync = null;
    const request = { records: [], losses: this.#losses, settled: this.#settled.length };
    this.#request = request;
    const limit = this.#atMost(this.#rows, this._ledger.items.size);
    this.#getList(this.#inboxUrl, limit, "", this.#tag).then((list) => {
      if (this.#request !== request) return;
      this.#request = null;
      if (list.error) this.#listFailed(list.error);
      else this.#listed(list, request);
    });
  }

  async #getList(address, limit, cursor, knownTag) {
    const url = new URL(address);
    url.searchParams.set("limit", limit);
    if (cursor) url.searchParams.set("cursor", cursor);
    const headers = { Accept: "application/json" };
    if (knownTag) headers["If-None-Match"] = knownTag;
    const abort = new AbortController();
    this.#aborts.add(abort);
    // What one user was told must never be another's answer.
    const asked = this.#ask(url, { headers, cache: "no-store" }, readList, abort);
    const list = await asked.catch((error) => ({ error }));
    this.#aborts.delete(abort);
    return list;
  }

  /** Whether it is this user's list; if not, do what is to be done. */
  #isWelcome({ error, user }, action) {
    if (!error && user === this.user) return true;
    if (!error) this.#restart();
    else if (error.isSignedOut) this.#signOut();
    else if (this.#isActive) this.#report(error, action);
    return false;
  }

  #abortLists() {
    if (this.#request) this.#mustFetch = true;
    this.#request = null;
    this.#archive.request = null;
    this.#archive.isCurrent = false;
    for (const abort of this.#aborts) abort.abort();
  }

  #listed(list, request) {
    if (this.user !== null && list.user !== this.user) {
      this.#restart();
      return;
    }
    this.#confirmUser(list.user);
    if (this.#told !== undefined && this.#told !== list.user) this.#mustFetch = true;
    this.#told = undefined;
    this.#token = list.token;
    if (list.pollInterval >= SECOND) this.#pollInterval = list.pollInterval;
    const wasFailing = this.#fetchFailures > 0;
    this.#fetchFailures = 0;
    this.error = null;
    if (this.#isSynced || !this.#socketUrl) this.#restarts = 0;

    const isFirst = !this._ledger.loaded;
    if (!list.isUnchanged) {
      if (!isFirst) this.#archive.isCurrent = false; // it may have missed the same
      this._ledger.replace(list);
      this.#tag = list.etag;
    }
    this.#settled.splice(0, request.settled);
    this.#replay(request.records);
    this.#catchUp();
    this.#updateStatus();
    if (!list.isUnchanged || wasFailing || request.records.length) this._changed();
    // What is below what was ever held comes from further pages.
    if (!isFirst) this.#announce(this.items.filter((item) => item.position > this.#top));
    this.#noteKnown(this._ledger.items.values());

    if (this.#mustFetch || this.#pendingSync) this.#armFetch();
    else this.#schedulePoll();
    if (wasFailing || !this.#timers.has("connect")) this.#connect();
    this.#wake();
  }

  #catchUp() {
    this.#followArchive();
    this._right();
  }

  /** What came during the request is newer than the list, or in it already. */
  #replay(records) {
    for (const record of records) {
      if (!record.type) {
        this.#compare(record);
      } else {
        this.#pendingSync = null; // the server sends another sync after every event
        this.#tag = null;
        if (!this._ledger.apply(record)) this.#mustFetch = true;
      }
    }
  }

  #listFailed(error) {
    if (error.isSignedOut) {
      this.#signOut();
      return;
    }
    this.error = error;
    if (!this.#signedOut) {
      this.#fetchFailures += 1;
      this.#mustFetch = true;
      // Not rarer than a poll, or than the socket compares.
      const longest = Math.min(this.#pollInterval, this.#isSynced ? this.#heartbeat : Infinity);
      const ceiling = Math.min(SECOND * 2 ** this.#fetchFailures, longest);
      const backoff = SECOND / 2 + this.#jitter(ceiling);
      const retryAfter = error.retryAfter ?? 0;
      this.#notBefore = this._platform.now() + retryAfter;
      this.#armFetch(Math.max(backoff, retryAfter));
    }
    this.#report(error);
    this._changed();
    this.#wake();
  }

  // --- For inbox-tabs.js, which extends this ----------------------------------------------------

  _mayConnect() {
    return true;
  }

  /** What no server answered; resolves to why not in the end, or null. */
  _unanswered(action, failure, send) {
    return failure;
  }

  _release(isOver) {} // no socket is wanted any more; nor is anything else if `isOver`
  _heard(frame, silenceLimit) {} // on our socket
  _lost(failures, code) {} // our socket
  _told(type, user, said) {} // by another tab
  _shown() {}
  _right() {} // what is shown is, and the server answers
  _forgot() {}

  _hear(frame) {
    if (frame.type !== "sync") this.#up();
    this.#hear(frame);
    this.#updateStatus();
  }

  _reconnect() {
    this.#dropSocket();
    this.#connect();
    this.#updateStatus();
  }

  _resume(items, below) {
    const action = new Action("read", items, below);
    this._overlay.add(action);
    this._changed();
    return action;
  }

  _markAll(ids, before) {
    return this.#transmit(this.#markAllUrl, "POST", JSON.stringify({ ids, before: before || null }));
  }

  // --- Everything, read or not ----------------------------------------------------------------

  #makeAll() {
    const client = this;
    return {
      get items() {
        return client.#shown.all;
      },
      get loaded() {
        return client.#archive.loaded;
      },
      get hasMore() {
        return client.#archive.bottom !== "";
      },
      get error() {
        return client.#archive.error;
      },
      open() {
        client.#archive.isOpen = true;
        client.#archive.isCurrent = false;
        client.#followArchive();
      },
      close() {
        client.#archive.isOpen = false;
      },
      loadMore: () => this.#fetchArchive(true),
    };
  }

  #followArchive() {
    const { isOpen, isCurrent, request } = this.#archive;
    if (isOpen && !isCurrent && !request && this._ledger.loaded) this.#fetchArchive(false);
  }

  async #fetchArchive(isMore) {
    const archive = this.#archive;
    while (archive.request) await archive.request.answer;
    const cursor = isMore && archive.bottom;
    if (archive !== this.#archive || !this.#isActive || cursor === "") return false;
    const limit = isMore ? this.#pageSize : this.#atMost(archive.rows.size, this.#pageSize);
    const answer = this.#getList(this.#archiveUrl, limit, cursor);
    const request = { answer, events: [] };
    archive.request = request;
    const list = await answer;
    if (archive.request !== request) return false;
    archive.request = null;
    archive.error = list.error ?? null;
    const isThere = this.#isWelcome(list, isMore ? "loadMore" : null);
    if (isThere) archive.take(list, isMore, request.events);
    this._changed();
    return isThere;
  }

  #atMost(...rows) {
    return Math.min(Math.max(...rows), MAX_ROWS);
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  get #isPolling() {
    return !this.#isSynced && (!this.#socketUrl || this._failures >= FAILURES_BEFORE_POLLING);
  }

  #schedulePoll() {
    const isBusy = this.#timers.has("poll") || this.#request || this.#signedOut;
    if (isBusy || !this.#isActive || !this.#isPolling) return;
    const poll = () => this.#isPolling && this.#isVisible && this.#need(true);
    this.#after("poll", this.#about(this.#pollInterval), poll);
  }

  // --- The socket -----------------------------------------------------------------------------

  #connect() {
    if (!this.#socketUrl || this._socket || !this._isAttentive || this.#signedOut) return;
    if (!this._mayConnect()) return;
    this.#cancel("connect");
    let socket;
    try {
      socket = new this._platform.WebSocket(this.#socketUrl.href);
    } catch {
      this.#closed(0); // forbidden by the page's policy
      return;
    }
    this._socket = socket;
    this.#silenceLimit = FIRST_SYNC_TIMEOUT;
    this.#heardAt = this._platform.now();
    this.#watch();
    socket.onmessage = ({ data }) => {
      if (socket !== this._socket) return;
      this.#heardAt = this._platform.now();
      this.#hearSocket(data);
    };
    // Where the page's policy forbids it, an error is all that is heard.
    socket.onclose = socket.onerror = ({ code = 0 }) => {
      if (socket === this._socket && socket.readyState === CLOSED) this.#closed(code);
    };
  }

  #dropSocket(isDead = false) {
    const socket = this._socket;
    this._socket = null;
    this.#isSynced = false;
    this.#cancel("watchdog");
    // Browsers warn of closing one that connects; a page on its way out cannot wait for it.
    const isConnecting = socket?.readyState === 0 && this.#isActive && !isDead;
    if (isConnecting) socket.onopen = () => socket.close();
    else socket?.close();
  }

  #watch() {
    const left = this.#heardAt + this.#silenceLimit - this._platform.now();
    if (left > 0) this.#after("watchdog", left, () => this.#watch());
    else this.#closed(0, true);
  }

  #closed(code, isDead = false) {
    const wasSynced = this.#isSynced;
    // Signed out before it said a word: lists know better.
    const isRefused = code === 4429 || (code === 4401 && !wasSynced);
    let failures = wasSynced ? 0 : this._failures + 1;
    if (isRefused) failures = Math.max(failures, FAILURES_BEFORE_POLLING);
    this.#dropSocket(isDead);
    this._lost(failures, code);
    if (!this._down(failures, code, wasSynced)) return;
    const isSlow = isRefused || (this.#isPolling && !this.#wasLive);
    const delay = isSlow ? this.#about(SLOW_RETRY) : this.#jitter(500 * 2 ** failures);
    this.#after("connect", delay, () => this.#connect());
    if (code === 4401 && !this.#request) this.#need(true);
  }

  /** There is no socket, here or in another tab; false if the session has ended. */
  _down(failures, code, wasSynced = this.#isSynced) {
    this.#losses += 1;
    this.#isSynced = false;
    this.#archive.isCurrent = false;
    if (code === 4401 && wasSynced) {
      this.#cutOff();
      return false;
    }
    this._failures = failures;
    if (this.#isPolling) this.#pollInstead(code === 4429 || code === 4401);
    this.#updateStatus();
    return true;
  }

  #up() {
    this.#isSynced = true;
    this.#wasLive = true;
    this._failures = 0;
    this.#cancel("poll");
  }

  #pollInstead(isRefused) {
    if (this.#wasLive && this._failures === FAILURES_BEFORE_POLLING) {
      this.#need(); // there may be news that no socket brought
    } else if (!this.#timers.has("fetch")) {
      this.#schedulePoll();
    }
    if (this.#wasLive || isRefused || toldAboutPolling) return;
    toldAboutPolling = true;
    this._platform.console.info(
      `No WebSocket at ${this.#socketUrl}: asking every ${this.#pollInterval / SECOND} seconds.`,
    );
  }

  #hearSocket(data) {
    let frame;
    try {
      frame = JSON.parse(data) ?? {};
    } catch {
      return;
    }
    this.#hear(frame);
    if (this.#isSynced) this._heard(frame, this.#silenceLimit);
  }

  #hear(frame) {
    if (frame.type === "sync") this.#hearSync(frame);
    // Before its first sync a socket may tell of what no list has answered for.
    const event = this.#isSynced && readFrame(frame);
    if (!event) return;
    for (const action of this._overlay) action.touch(event);
    this.#take(event);
    const { refs = [] } = event;
    this.#announce(refs.filter((item) => this._ledger.items.get(item.id) === item));
  }

  #hearSync({ user, unread, digest, heartbeat }) {
    if (typeof user !== "string") return;
    const isFirst = !this.#isSynced;
    this.#up();
    if (heartbeat > 0) {
      this.#heartbeat = heartbeat * SECOND;
      this.#silenceLimit = this.#heartbeat * 1.5 + 3 * SECOND;
    }
    if (this.user === null) {
      this.user = user;
      if (this.#remembered?.user !== user) this.#remembered = null;
    } else if (this.user !== user) {
      this.#restart();
      return;
    }
    if (this._ledger.loaded) this.#restarts = 0;
    if (isFirst) this.#askAgainSoon();
    const summary = { unread, digest };
    if (this.#request) this.#request.records.push(summary);
    else this.#compare(summary);
    this.#updateStatus();
  }

  /** A new socket speaks: wait neither out a long pause, nor for a list in a dead connection. */
  #askAgainSoon() {
    if (this.#request && this.#request.losses < this.#losses) {
      this.#abortLists();
      this.#wake();
    }
    if (!this.#mustFetch) return;
    this.#cancel("fetch");
    this.#armFetch(Math.max(this.#debounce, this.#notBefore - this._platform.now()));
  }

  #compare(summary) {
    if (!this._ledger.loaded) {
      this.#need();
    } else if (sameSummary(summary, this._ledger.summary)) {
      this.#pendingSync = null;
      this.#mustFetch = false;
      this.#fetchFailures = 0;
      this.error = null;
      this.#cancel("fetch");
      this.#catchUp();
      if (this.#settled.length) this._changed();
    } else {
      this.#pendingSync = summary;
      this.#armFetch();
    }
  }

  #take(event) {
    this.#request?.records.push(event);
    this.#archive.request?.events.push(event);
    this.#archive.apply(event);
    if (!this._ledger.loaded) return;
    this.#tag = null;
    const isExact = this._ledger.apply(event);
    // During a request only the replay can tell.
    if (!isExact && !this.#request) this.#need();
    if (this.#pendingSync && sameSummary(this.#pendingSync, this._ledger.summary)) {
      this.#pendingSync = null;
    }
    this._changed();
  }

  // --- Actions --------------------------------------------------------------------------------

  #actOn(id, type, name, isSo, wait) {
    const { items, seen } = this._ledger;
    const last = [...this._overlay].reverse().find((action) => action.isAbout({ id }));
    if (last?.type === type && last.refs.length === 1) return last.done;
    if (!last && isSo) return Promise.resolve(true);
    const item = items.get(id) ?? this.#archive.rows.get(id) ?? seen.get(id);
    const path = `${encodeURIComponent(id)}/`;
    const send = () =>
      type === "gone"
        ? this.#transmit(new URL(path, this.#archiveUrl), "DELETE")
        : this.#transmit(new URL(`${path}${type}/`, this.#inboxUrl), "POST");
    return this.#act(new Action(type, item ? [item] : []), name, send, wait);
  }

  #act(action, name, send, wait) {
    if (!this.#running || !this._ledger.loaded) return Promise.resolve(false);
    const isEarlier = (other) =>
      other.type !== action.type && action.refs.some((ref) => other.isAbout(ref));
    const earlier = [...this._overlay].filter(isEarlier);
    this._overlay.add(action);
    action.done = this.#perform(action, earlier, name, send, wait);
    this._changed();
    return action.done;
  }

  async #perform(action, earlier, name, send, wait) {
    const epoch = this.#epoch;
    if (earlier.length) await Promise.all(earlier.map(({ done }) => done));
    const isUndone = wait && !(await wait());
    if (epoch !== this.#epoch) return false;
    if (isUndone) {
      this._overlay.delete(action);
      this._changed();
      return false;
    }
    action.sent();
    let failure = await send();
    const isUnanswered = failure && !failure.status && epoch === this.#epoch;
    if (isUnanswered) failure = await this._unanswered(action, failure, send);
    return this._settle(action, name, failure, epoch);
  }

  _settle(action, name, failure, epoch = this.#epoch) {
    if (epoch !== this.#epoch) return failure === null;
    this._overlay.delete(action);
    if (failure?.status === 409) {
      this.#restart();
    } else if (failure) {
      this.#need(); // it may have been done all the same, or be about what is gone
      this._changed();
      this.#report(failure, name);
    }
    if (failure) return false;
    if (action.type === "unread") this._ledger.know(action.refs);
    this.#settled.push(action);
    for (const event of action.confirmation()) this.#take(event);
    // What was not held may have been counted below.
    if (!action.refs.length && !action.below) this.#need();
    this._changed();
    this._post("changed");
    return true;
  }

  /** Wait in case it is undone; resolves to whether it is still meant. */
  #postpone(delay, signal, isHeld) {
    return new Promise((resolve) => {
      let timer;
      const end = (isMeant) => {
        this._platform.clearTimeout(timer);
        this.#postponed.delete(end);
        resolve(isMeant);
      };
      const wait = (time) => {
        timer = this._platform.setTimeout(() => (isHeld?.() ? wait(SECOND) : end(true)), time);
      };
      wait(delay);
      signal?.addEventListener("abort", () => end(false));
      this.#postponed.add(end);
    });
  }

  async #transmit(url, method, body = "", isRetry = false) {
    const epoch = this.#epoch;
    const headers = { Accept: "application/json", "X-Inbox-User": this.user };
    if (this.#token) headers[this.#csrfHeader] = this.#token;
    if (body) headers["Content-Type"] = "application/json";
    const keepalive = body.length < KEEPALIVE_LIMIT; // to survive a navigation
    const options = { method, headers, body: body || null, keepalive };
    try {
      const response = await this.#ask(url, options);
      if (response.ok || (method === "DELETE" && response.status === 404)) return null;
      const error = new ResponseError(response);
      if (!error.isSignedOut || isRetry) return error;
      // A list brings a new token, or says who is signed out.
      await this.refresh();
      if (epoch !== this.#epoch || !this.#isActive) return error;
      return await this.#transmit(url, method, body, true);
    } catch (error) {
      return error;
    }
  }

  async #ask(url, options, read = (answered) => answered, abort = new AbortController()) {
    const timer = this._platform.setTimeout(() => abort.abort(), REQUEST_TIMEOUT);
    try {
      const { signal } = abort;
      return await read(await this._platform.fetch(url.href, { ...options, signal }));
    } finally {
      this._platform.clearTimeout(timer);
    }
  }
}

globalThis[CLASS_KEY] ??= InboxClient;
globalThis.dispatchEvent?.(new Event("stored_messages:InboxClient"));
