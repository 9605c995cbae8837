/**
 * Arrivals on the desktop (attribute `desktop`), for somebody who looks at no tab of the site.
 *
 * It comes after notification-extras.js, from which it has how tabs agree on who tells. Loading it
 * twice is harmless.
 */

const LOADED = Symbol.for("stored_messages.notification-desktop");
const EXTRAS = Symbol.for("stored_messages.notification-extras");
const IN_VIEW = "stored_messages:in-view";
const DECLINED = "stored_messages:desktop-declined";

const MAX_SHOWN = 3;
const GATHER = 250; // milliseconds; what arrives together is told together
const REMIND_AFTER = 60_000;

const STYLE = `
.offer { display: grid; grid-template-columns: auto 1fr auto; row-gap: 0; padding-inline-end: 8px;
  border-block-start: 1px solid var(--_border); }
.offer span { grid-column: 2 / -1; }
.desktop-on { grid-column: 2; justify-self: end; }
`;

const MANY = "stored_messages";
const tagOf = (id) => `${MANY} ${id}`;

const said = (value) => (typeof value === "string" ? value.trim() : "");

// --- Whether somebody looks -------------------------------------------------------------------

let lookAway = () => {};

/** A tab in view holds a lock that the others can see; coming into view it ends what they show. */
function look() {
  lookAway();
  if (document.visibilityState !== "visible") return;
  const away = new Promise((resolve) => (lookAway = resolve));
  navigator.locks.request(IN_VIEW, { mode: "shared" }, () => away).catch(() => {});
  for (const one of desktops.values()) one.end();
  store(IN_VIEW, Date.now());
}

async function isInView() {
  if (document.visibilityState === "visible") return true;
  const { held } = await navigator.locks.query();
  return held.some(({ name }) => name === IN_VIEW);
}

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Full or forbidden.
  }
}

// --- On the desktop ---------------------------------------------------------------------------

const isPossible = Boolean(globalThis.Notification && globalThis.navigator?.locks);

/** Whether to ask for permission: nowhere where only service workers may show them, as on Android. */
function isOpen() {
  if (Notification.permission !== "default") return false;
  try {
    return Boolean(new Notification("")); // without permission none is shown
  } catch {
    return false;
  }
}

/** What an inbox has on the desktop. */
class Desktop {
  bell;
  #user;
  #news = [];
  #arrived = new Map(); // while nobody looked, by id
  #others = 0; // that arrived with them, in a list too short for all
  #shown = new Map(); // notifications, by tag
  #remindedAt = 0;

  arrived(messages, count) {
    if (Notification.permission !== "granted") return;
    if (!this.#news.length) setTimeout(() => this.#tell(this.#news.splice(0)), GATHER);
    this.#news.push(...messages);
    this.#others += count - messages.length;
  }

  async #tell(news) {
    if (await isInView()) return this.end();
    this.#user = this.bell.client?.user;
    for (const message of news) this.#arrived.set(message.id, message);
    this.keepUnread();
    if (this.#arrived.size > MAX_SHOWN) await this.#showMany(news.at(-1));
    else for (const message of news) await this.#showOne(message);
  }

  async #showOne(message) {
    const { id, text, data } = message;
    // It may be read meanwhile.
    if (!(await this.#isOurs(message)) || !this.#arrived.has(id)) return;
    const [title, actor] = [data?.title, data?.actor].map(said);
    const subject = title || actor || this.bell.say("arrived_many", { count: 1 });
    const body = [said(text), title && actor].filter(Boolean).join("\n");
    this.#show(tagOf(id), subject, { body }, () => this.#follow(message));
  }

  /** One for many, which counts on while more come. */
  async #showMany(newest) {
    for (const tag of this.#shown.keys()) if (tag !== MANY) this.#close(tag);
    const isOurs = await this.#isOurs(newest);
    // What this tab has shown may have come after what another one shows now: it counts on, without a word.
    if ((!isOurs && !this.#shown.has(MANY)) || !this.#arrived.size) return;
    const count = Math.min(this.#arrived.size + this.#others, this.bell.client?.unread ?? 0);
    const renotify = isOurs && Date.now() - this.#remindedAt > REMIND_AFTER;
    if (renotify) this.#remindedAt = Date.now();
    const open = () => (this.bell.open = true);
    this.#show(MANY, this.bell.say("arrived_many", { count }), { renotify }, open);
  }

  #isOurs({ id, position }) {
    return claim(`${this.#user} ${id} ${position} desktop`);
  }

  #show(tag, title, options, onClick) {
    const silent = this.bell.hasAttribute("sound");
    let notification;
    try {
      notification = new Notification(title, { tag, silent, ...options });
    } catch {
      return; // only service workers may
    }
    this.#shown.set(tag, notification);
    notification.onclick = () => {
      notification.close();
      focus();
      if (this.bell.isConnected) onClick();
    };
  }

  /** As if its link were followed in the panel; without one, to where it can be read. */
  #follow(message) {
    const item = this.bell.drawItem(message);
    const link = item.querySelector("a.link");
    if (!link) {
      this.bell.open = true;
      return;
    }
    item.hidden = true;
    this.bell.shadowRoot.append(item);
    link.click();
    item.remove();
  }

  /** What is read or gone, here or elsewhere, needs no telling any more. */
  keepUnread() {
    if (!this.#arrived.size) return;
    const { user, items = [], hasMore } = this.bell.client ?? {};
    const held = new Set(user === this.#user ? items.map(({ id }) => id) : []);
    const bottom = held.size && hasMore ? items.at(-1).position : ""; // of the loaded part
    for (const { id, position } of this.#arrived.values()) {
      if (held.has(id) || position < bottom) continue;
      this.#arrived.delete(id);
      this.#close(tagOf(id));
    }
    if (!this.#arrived.size) this.end();
  }

  /** Somebody looks. */
  end() {
    this.#arrived.clear();
    this.#others = 0;
    this.#remindedAt = 0;
    for (const tag of this.#shown.keys()) this.#close(tag);
  }

  #close(tag) {
    this.#shown.get(tag)?.close();
    this.#shown.delete(tag);
  }
}

const desktops = new Map(); // by inbox

function desktopOf(bell) {
  const inbox = bell.getAttribute("inbox");
  if (!desktops.size) {
    look();
    document.addEventListener("visibilitychange", look);
    addEventListener("pageshow", look);
    addEventListener("pagehide", () => {
      lookAway();
      // Nobody is left to follow them, or to close them when they are read.
      for (const one of desktops.values()) one.end();
    });
    addEventListener("storage", ({ key }) => {
      if (key === IN_VIEW) for (const one of desktops.values()) one.end();
    });
  }
  if (!desktops.has(inbox)) desktops.set(inbox, new Desktop());
  const desktop = desktops.get(inbox);
  // Pages may be swapped, and their bells with them; some bells are not to be seen.
  if (!desktop.bell?.checkVisibility()) desktop.bell = bell;
  return desktop;
}

// --- The line that asks for permission --------------------------------------------------------

function isDeclined() {
  try {
    return localStorage.getItem(DECLINED) !== null;
  } catch {
    return false;
  }
}

let styleSheet;

/** Nobody is asked who did not click: a line of the panel offers it, until that is decided. */
class Offer {
  #bell;
  #line = document.createElement("div");

  constructor(bell) {
    this.#bell = bell;
    const root = bell.shadowRoot;
    Object.assign(this.#line, { className: "note offer", part: "offer" });
    root.querySelector(".foot").before(this.#line);
    if (!styleSheet) {
      styleSheet = new CSSStyleSheet();
      styleSheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets.push(styleSheet);
    const draw = ({ newState }) => newState === "open" && this.#draw();
    root.querySelector(".panel").addEventListener("beforetoggle", draw);
    this.#line.hidden = true;
  }

  /** The panel may have been opened before there was a list. */
  appear() {
    if (this.#line.hidden && this.#bell.open) this.#draw();
  }

  #draw() {
    const bell = this.#bell;
    const line = this.#line;
    line.hidden = !bell.hasAttribute("desktop") || !bell.client?.loaded || isDeclined() || !isOpen();
    line.replaceChildren();
    if (line.hidden) return;
    const words = document.createElement("span");
    words.textContent = bell.say("desktop");
    const icon = bell.shadowRoot.querySelector(".icon svg").cloneNode(true);
    const on = this.#button("desktop_on", () => Notification.requestPermission());
    line.append(icon, words, on, this.#button("desktop_off", () => this.#decline()));
  }

  #button(key, decide) {
    const button = document.createElement("button");
    const parts = `text-button ${key.replace("_", "-")}`;
    Object.assign(button, { type: "button", className: parts, part: parts });
    button.textContent = this.#bell.say(key);
    button.addEventListener("click", async () => {
      await decide();
      this.#draw();
      keepListening(this.#bell);
      // The focus stays in the panel, whatever has gone of it.
      const root = this.#bell.shadowRoot;
      (root.querySelector(".desktop-on") ?? root.querySelector(".panel")).focus();
    });
    return button;
  }

  #decline() {
    store(DECLINED, true);
    this.#line.remove(); // wherever nothing can be stored
  }
}

// --- The page ---------------------------------------------------------------------------------

const offers = new WeakMap(); // by bell

/** Who is to be told in the background must hear there. */
function keepListening(bell) {
  if (Notification.permission === "granted" && bell.client) bell.client.background = true;
}

function heard(bell) {
  if (!bell.hasAttribute("desktop")) return;
  desktopOf(bell).keepUnread();
  if (!offers.has(bell)) offers.set(bell, new Offer(bell));
  offers.get(bell).appear();
  keepListening(bell);
}

function begin() {
  listen("count", heard);
  listen("status", heard);
  onArrivals((bell, messages, count) => {
    const desktop = bell.hasAttribute("desktop") && desktopOf(bell);
    if (desktop?.bell === bell) desktop.arrived(messages, count); // once, of the bells of an inbox
  });
}

const { claim, listen, onArrivals } = globalThis.document?.[EXTRAS] ?? {};

if (globalThis.document && !document[LOADED]) {
  if (!claim) throw new Error("notification-desktop.js comes after notification-extras.js");
  document[LOADED] = true;
  if (isPossible) begin();
}
