/**
 * What the tabs of a browser have in common: one socket, and reads that no server has answered.
 *
 * Loaded between the inbox client and whatever makes one, it takes its place. Without this file,
 * or without Web Locks, each visible tab has a socket of its own.
 */

const CLASS_KEY = Symbol.for("stored_messages.InboxClient");
const TABS_KEY = Symbol.for("stored_messages.InboxTabs");
const InboxClient = globalThis[CLASS_KEY];
if (!InboxClient) throw new Error("inbox-tabs.js comes after inbox-client.js");

const SECOND = 1000;
const FIRST_WORD = 10 * SECOND;
const DOWN = 90 * SECOND; // longer than the longest wait between two attempts
const NOTHING = [[], ""]; // reads: of messages, and of everything below a position
const TAKEN_BACK_BY = { read: "unread", unread: "read" };

/** Held by one tab of a browser: that one has the socket. */
class Baton {
  isHeld = false;
  #locks;
  #onHeld;
  #onLost;
  #wish = null;

  /** `onLost` is told whether another tab took it; if not, the browser has no locks for us. */
  constructor(locks, onHeld, onLost) {
    this.#locks = locks;
    this.#onHeld = onHeld;
    this.#onLost = onLost;
  }

  get isWanted() {
    return this.#wish !== null;
  }

  /** Wait until nobody else holds it, or take it from a tab that is not heard of any more. */
  want(name, { steal = false } = {}) {
    this.drop();
    const abort = new AbortController();
    const wish = { abort, release() {} };
    this.#wish = wish;
    const hold = async () => {
      if (this.#wish !== wish) return;
      const released = new Promise((release) => (wish.release = release));
      this.isHeld = true;
      this.#onHeld();
      await released;
    };
    const options = steal ? { steal } : { signal: abort.signal };
    this.#locks.request(name, options, hold).catch((error) => {
      if (this.#wish !== wish) return;
      this.drop();
      this.#onLost(error.name === "AbortError");
    });
  }

  drop() {
    const wish = this.#wish;
    this.#wish = null;
    this.isHeld = false;
    wish?.abort.abort();
    wish?.release();
  }
}

function joined([reads, below], [moreReads, moreBelow]) {
  const all = new Map(reads);
  for (const [id, position] of moreReads) if (!(all.get(id) > position)) all.set(id, position);
  return [[...all], below > moreBelow ? below : moreBelow];
}

/** An inbox client that stands by while another tab has the socket, and hears what that one hears. */
class TabbedInboxClient extends InboxClient {
  #baton = null;
  #silence = null; // the timer that finds the tab with the socket dead
  #kept = new Set(); // actions that no server has answered
  #sending = null;
  #stored = NOTHING; // what this tab knows to be in the storage, which is that of all tabs

  constructor(options) {
    super(options);
    const { locks, BroadcastChannel } = this._platform;
    if (!options.socket || !locks || !BroadcastChannel) return;
    const onLost = (isRobbed) => {
      if (!isRobbed) this.#baton = null;
      this._reconnect();
    };
    this.#baton = new Baton(locks, () => this._reconnect(), onLost);
  }

  // --- One socket -----------------------------------------------------------------------------

  _mayConnect() {
    if (!this.#baton || this.#baton.isHeld) return true;
    this.#standBy();
    return false;
  }

  /** Stand by for the socket, and ask the tab that has it how things are. */
  #standBy(steal = false) {
    if (this.user === null || (this.#baton.isWanted && !steal)) return;
    this.#listenFor(FIRST_WORD);
    this.#baton.want(`${this._key}:${this.user}`, { steal });
    this._post("hello");
  }

  _release(isOver) {
    this.#baton?.drop();
    if (isOver) this.#stopListening();
  }

  #stopListening() {
    this._platform.clearTimeout(this.#silence);
    this.#silence = null;
  }

  /** Who has the socket must say something for so long, or will be robbed of it. */
  #listenFor(limit) {
    const platform = this._platform;
    this.#stopListening();
    // It has the chance to say itself that the socket is down.
    const patience = SECOND * (2 + 2 * platform.random());
    this.#silence = platform.setTimeout(() => {
      if (!this.#baton || this.#baton.isHeld) return;
      this._down(0);
      if (this._isAttentive) this.#standBy(true);
    }, limit + patience);
  }

  _heard(frame, limit) {
    if (this.#baton) this._post("frame", { frame, limit });
  }

  _lost(failures, code) {
    if (this.#baton) this._post("down", { failures, code });
  }

  _shown() {
    if (this.#baton && !this._socket) this._post("hello");
  }

  _told(type, user, { frame, limit, failures = 0, code, reads, takenBack }) {
    if (type === "kept") {
      // Not from the storage: what another tab has put there comes a moment later.
      if (user !== this.user || !this._ledger.loaded) return;
      this.#adopt(reads);
      if (this.#takeBack(new Map(takenBack))) super._changed();
    } else if (!this.#baton) {
      // Each tab has a socket of its own.
    } else if (type === "hello") {
      this.#greet();
    } else if (user !== null && user === this.user && !this._socket) {
      this.#listenFor(type === "frame" ? limit : DOWN);
      if (type === "frame") this._hear(frame);
      else this._down(failures, code);
    }
  }

  /** Tell another tab how things are. It only compares: no tab takes a count from another. */
  #greet() {
    if (!this.#baton.isHeld) return;
    const { loaded, summary } = this._ledger;
    if (this.status !== "live") this._lost(this._failures);
    else if (loaded) this._heard({ type: "sync", user: this.user, ...summary }, FIRST_WORD);
  }

  // --- Reads without an answer ----------------------------------------------------------------

  /** Keep it for when a server answers, after this page if need be. */
  _unanswered(action, failure, send) {
    if (action.type === "unread" && action.takesBack) return this.#insist(action, send);
    if (action.type !== "read" || (!action.refs.length && !action.below)) return failure;
    const answer = this.#keep(action);
    this._changed();
    if (this.#kept.has(action)) {
      this.#store();
      this._post("kept", { reads: this.#meant() });
    }
    this.refresh();
    return answer;
  }

  #keep(action) {
    this.#kept.add(action);
    return new Promise((resolve) => (action.answered = resolve));
  }

  /** The read that it takes back may have reached a server, though no answer came. */
  async #insist(action, send) {
    let failure;
    do {
      failure = (await this.#keep(action)) ?? (await send());
    } while (failure && !failure.status && this._overlay.has(action));
    return failure;
  }

  _changed() {
    const takenBack = this.#takeBack();
    if (takenBack) this._post("kept", { reads: NOTHING, takenBack });
    super._changed();
  }

  /**
   * The last word counts: forget the reads that were marked unread again, here or, if they are
   * `told`, in another tab. Returns those that were; null if there were none.
   */
  #takeBack(told = new Map()) {
    if (!this.#kept.size || this.#sending) return null; // what is being sent is answered first
    const all = [...this._overlay];
    const takenBack = [];
    for (const action of this.#kept) {
      const { type, refs, below } = action;
      const later = all.slice(all.indexOf(action) + 1);
      const isMeant = (ref) => {
        const other = later.find((one) => one.type === TAKEN_BACK_BY[type] && one.isAbout(ref));
        if (other) other.takesBack = true;
        return !other && !(type === "read" && told.get(ref.id) >= ref.position);
      };
      action.refs = refs.filter(isMeant);
      if (action.refs.length === refs.length) continue;
      for (const { id, position } of refs) {
        if (action.isAbout({ id })) continue;
        action.due.delete(id);
        if (type === "read") takenBack.push([id, position]);
      }
      if (!action.refs.length && !below) this.#drop(action);
    }
    if (!takenBack.length) return null;
    this.#store();
    return takenBack;
  }

  #drop(action) {
    action.isDropped = true;
    this.#kept.delete(action);
    this._overlay.delete(action);
    action.answered(new Error("Taken back"));
  }

  _settle(action, ...outcome) {
    return !action.isDropped && super._settle(action, ...outcome);
  }

  _right() {
    this.#adopt(this.#inStorage);
    this.#send();
  }

  _forgot() {
    this.#stored = NOTHING;
    this.#sending = null;
    for (const { answered } of this.#kept) answered(new Error("Another user"));
    this.#kept.clear();
  }

  /** Take over what other tabs have left, or the page before. */
  #adopt(found) {
    const [reads, below] = this.#others(found);
    if (!reads.length && !below) return;
    const items = reads.map(([id, position]) => ({ id, position }));
    const action = this._resume(items, below);
    this.#stored = joined(this.#stored, [reads, below]);
    this.#kept.add(action);
    action.done = new Promise((resolve) => (action.answered = resolve)).then((failure) =>
      this._settle(action, "markRead", failure),
    );
  }

  /** Beside what other tabs keep there. */
  #store() {
    const meant = this.#meant();
    const [reads, below] = joined(this.#others(this.#inStorage), meant);
    const isEmpty = !reads.length && !below;
    this._store("localStorage", isEmpty ? null : [reads, below], this.#key);
    this.#stored = meant;
  }

  get #inStorage() {
    return this._read("localStorage", this.#key) ?? NOTHING;
  }

  /** What of these is not by this tab. */
  #others([reads, below]) {
    const [ownReads, ownBelow] = this.#stored;
    const own = new Map(ownReads);
    return [reads.filter(([id, position]) => own.get(id) !== position), below > ownBelow ? below : ""];
  }

  get #key() {
    return `${this._key}:reads:${this.user}`;
  }

  /** What is still meant by them, now that other things may have happened. */
  #meant() {
    const reads = new Map();
    let under = "";
    for (const action of this.#kept) {
      if (action.type !== "read") continue;
      for (const { refs = [], below = "" } of action.confirmation()) {
        if (below > under) under = below;
        for (const { id, position } of refs) {
          const hasComeAgain = this._ledger.items.get(id)?.position > position;
          if (!hasComeAgain) reads.set(id, position);
        }
      }
    }
    return [[...reads], under];
  }

  async #send() {
    if (!this.#kept.size || this.#sending) return;
    const actions = [...this.#kept];
    const [reads, before] = this.#meant();
    const isEmpty = !reads.length && !before;
    const ids = reads.map(([id]) => id);
    const sending = {};
    this.#sending = sending;
    const failure = isEmpty ? null : await this._markAll(ids, before);
    if (this.#sending !== sending) return; // another user's by now
    this.#sending = null;
    if (failure && !failure.status) {
      this._changed(); // something may have been taken back meanwhile
      return;
    }
    for (const action of actions) {
      this.#kept.delete(action);
      action.answered(action.type === "read" ? failure : null);
    }
    this.#store();
  }
}

globalThis[TABS_KEY] ??= globalThis[CLASS_KEY] = TabbedInboxClient; // loaded twice, it stays

const Tabbed = globalThis[TABS_KEY];
export { Tabbed as InboxClient };
