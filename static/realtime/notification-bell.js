/**
 * `<notification-bell>`: a button with a count and a panel with the unread messages, on top of
 * the inbox client, which the script `inbox-client.js` registers.
 *
 * Parts, top to bottom: texts and times, looks (icons, style sheet), the clients of the page,
 * one row of the list, and the element itself.
 */

const CLIENT_CLASS = Symbol.for("stored_messages.InboxClient");
const CLIENT_READY = "stored_messages:InboxClient";

const MAX_SHOWN = 100;
const MAX_BADGE = 99;
const FEW = 5; // fewer rows than this look like the end of the list
const ANNOUNCE_EVERY = 5000;
const TICK = 20_000;
const RELEASE_AFTER = 1000;

// --- Texts and times --------------------------------------------------------------------------

/** A text with a count may be an object of plural categories. `{name}` is replaced. */
const ENGLISH = {
  notifications: "Notifications",
  unread: "{count} unread",
  mark_all_read: "Mark all as read",
  mark_read: "Mark as read",
  load_more: "Load more",
  more: "and {count} more",
  see_all: "See all notifications",
  loading: "Loading…",
  empty: "All caught up",
  empty_hint: "New notifications appear here by themselves.",
  offline: "No connection. Trying again…",
  polling: "Not live. Checking every few seconds.",
  signed_out: "You are signed out",
  signed_out_hint: "Sign in to see your notifications.",
  sign_in: "Sign in",
  error: "Notifications could not be loaded",
  error_hint: "This is tried again by itself.",
  retry: "Try again",
  refused: "That did not work. Please try again.",
  arrived: "New notification: {text}",
  arrived_many: { one: "{count} new notification", other: "{count} new notifications" },
  success: "Success",
  warning: "Warning",
  problem: "Error",
  tab_unread: "Unread",
  tab_all: "All",
  mark_unread: "Mark as unread",
  dismiss: "Dismiss",
  dismissed: "Dismissed",
  undo: "Undo",
  empty_all: "Nothing here yet",
  empty_all_hint: "Every notification you get is kept here.",
};

function readTexts(element) {
  try {
    const block = element.querySelector('script[type="application/json"]');
    return { ...ENGLISH, ...JSON.parse(block?.textContent ?? "{}") };
  } catch (error) {
    console.error("notification-bell: the texts are not valid JSON", error);
    return ENGLISH;
  }
}

/** Words and times in the language of one bell. */
class Wording {
  constructor(texts, language) {
    this.texts = texts;
    this.language = language;
    const make = (Format, options) => {
      try {
        return new Format(language || undefined, options);
      } catch {
        return new Format(undefined, options); // not a language tag
      }
    };
    this.plural = make(Intl.PluralRules);
    this.number = make(Intl.NumberFormat);
    this.relative = make(Intl.RelativeTimeFormat, { numeric: "auto" });
    this.full = make(Intl.DateTimeFormat, { dateStyle: "full", timeStyle: "short" });
    this.day = make(Intl.DateTimeFormat, { day: "numeric", month: "short" });
    this.dayAndYear = make(Intl.DateTimeFormat, { dateStyle: "medium" });
  }

  say(key, values = {}) {
    let text = this.texts[key];
    if (typeof text === "object") text = text[this.plural.select(values.count)] ?? text.other;
    return String(text ?? key).replace(/\{(\w+)\}/g, (hole, name) => {
      const value = values[name];
      return typeof value === "number" ? this.number.format(value) : (value ?? hole);
    });
  }

  /** "5 minutes ago"; a date when it is more than a week. */
  ago(date) {
    const seconds = Math.min(0, (date - Date.now()) / 1000); // clocks differ: never in the future
    if (seconds > -45) return this.relative.format(0, "second");
    if (seconds > -45 * 60) return this.relative.format(Math.round(seconds / 60), "minute");
    if (seconds > -22 * 3600) return this.relative.format(Math.round(seconds / 3600), "hour");
    if (seconds > -7 * 86400) return this.relative.format(Math.round(seconds / 86400), "day");
    const isThisYear = date.getFullYear() === new Date().getFullYear();
    return (isThisYear ? this.day : this.dayAndYear).format(date);
  }
}

// --- Looks ------------------------------------------------------------------------------------

const ICONS = {
  bell:
    "M6 10a6 6 0 0 1 12 0c0 4.6 1.3 6 2.1 6.9.4.5.1 1.1-.5 1.1H4.4c-.6 0-.9-.6-.5-1.1C4.7 16 6 " +
    "14.6 6 10Z M9.7 21a2.5 2.5 0 0 0 4.6 0",
  check: "m5 12.6 4.6 4.6L19 7.6",
  checks: "m2.5 12.8 4.4 4.4 8.6-9.4 M12 16.6l.6.6 8.9-9.4",
  debug: "m8.5 7-5 5 5 5 M15.5 7l5 5-5 5",
  info: "M12 11v5.5 M12 7.6v.1 M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  success: "m8 12.4 2.8 2.8 5.2-5.8 M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  warning:
    "M12 9.5v4.2 M12 16.9v.1 M10.6 4.3 2.9 17.6A1.6 1.6 0 0 0 4.3 20h15.4a1.6 1.6 0 0 0 " +
    "1.4-2.4L13.4 4.3a1.6 1.6 0 0 0-2.8 0Z",
  problem: "m9.2 9.2 5.6 5.6 M14.8 9.2l-5.6 5.6 M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  offline:
    "m3 3 18 18 M8.6 16.2a5 5 0 0 1 6.8 0 M12 19.9v.1 M5 12.5A10 10 0 0 1 9.6 10 M19 12.5" +
    "a10 10 0 0 0-4.4-2.5 M2 8.8a15 15 0 0 1 4.2-2.6 M22 8.8A15 15 0 0 0 10.7 5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.5 20.5a7.5 7.5 0 0 1 15 0",
};

const STYLE = `
:host {
  --_font: var(--notification-bell-font, system-ui, -apple-system, "Segoe UI", Roboto,
    "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif);
  --_background: var(--notification-bell-background, light-dark(#fff, #1b1e23));
  --_text: var(--notification-bell-text, light-dark(#1c2024, #eceef1));
  --_muted: var(--notification-bell-muted, light-dark(#5b6470, #a0a8b3));
  --_border: var(--notification-bell-border, light-dark(#dfe3e8, #353b44));
  --_hover: var(--notification-bell-hover, light-dark(#f4f6f8, #252a31));
  --_accent: var(--notification-bell-accent, light-dark(#0a62c4, #74b4ff));
  --_badge: var(--notification-bell-badge, #d1242f);
  --_badge-text: var(--notification-bell-badge-text, #fff);
  --_radius: var(--notification-bell-radius, 12px);
  --_width: var(--notification-bell-width, 400px);
  --_size: var(--notification-bell-size, 40px);
  display: inline-block;
  inline-size: var(--_size);
  block-size: var(--_size);
  vertical-align: middle;
}
:host([hidden]), [hidden] { display: none !important; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
button { font: inherit; color: inherit; background: none; border: 0; margin: 0; padding: 0;
  cursor: pointer; touch-action: manipulation; -webkit-tap-highlight-color: transparent; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; }
svg { display: block; inline-size: 100%; block-size: 100%; fill: none; stroke: currentColor;
  stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.away { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }

.button { position: relative; display: grid; place-items: center; inline-size: 100%;
  block-size: 100%; border-radius: 10px; transition: background-color .12s; }
.button:hover, .button[aria-expanded="true"] {
  background: color-mix(in srgb, currentColor 10%, transparent); }
.button:focus-visible { outline-color: currentColor; }
.icon { inline-size: 55%; block-size: 55%; transform-origin: 50% 10%; }
.badge { position: absolute; inset-block-start: 2px; inset-inline-start: 52%; min-inline-size: 18px;
  block-size: 18px; padding-inline: 4px; border-radius: 9px; background: var(--_badge);
  color: var(--_badge-text); font: 600 11px/18px var(--_font); text-align: center;
  font-variant-numeric: tabular-nums; white-space: nowrap; pointer-events: none; }

.panel { position: fixed; inset: auto; margin: 0; padding: 0; overflow: hidden;
  inline-size: min(var(--_width), 100vw - 16px); background: var(--_background);
  color: var(--_text); border: 1px solid var(--_border); border-radius: var(--_radius);
  box-shadow: 0 0 1px rgb(0 0 0 / .08), 0 4px 8px -2px rgb(0 0 0 / .08),
    0 16px 40px -6px rgb(0 0 0 / .22);
  font: 400 14px/1.45 var(--_font); text-align: start; outline: none; }
.panel:popover-open { display: flex; flex-direction: column; animation: open .14s ease-out; }
.head { display: flex; align-items: center; gap: 8px; min-block-size: 53px; padding-block: 10px;
  padding-inline: 16px 8px; border-block-end: 1px solid var(--_border); }
.title { flex: 1; margin: 0; font: 600 15px/24px var(--_font); letter-spacing: -.01em;
  overflow-wrap: anywhere; }
.text-button { display: inline-flex; align-items: center; gap: 6px; min-block-size: 32px;
  padding: 4px 8px; border-radius: 7px; color: var(--_accent); font-weight: 500; font-size: 13px; }
.text-button svg { inline-size: 16px; block-size: 16px; flex: none; }
.text-button:hover { background: var(--_hover); }
.note { display: flex; align-items: center; gap: 8px; margin: 0; padding: 7px 16px;
  color: var(--_muted); background: var(--_hover); font-size: 12.5px;
  border-block-end: 1px solid var(--_border); }
.note svg { inline-size: 15px; block-size: 15px; flex: none; }
.note.bad { color: light-dark(#b3261e, #ff9b93); }

.body { flex: 1 1 auto; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain;
  scrollbar-width: thin; scrollbar-color: var(--_border) transparent; }
.list { list-style: none; margin: 0; padding: 0; }
.item { position: relative; display: flex; align-items: stretch; }
.item + .item { border-block-start: 1px solid var(--_border); }
.item.new { animation: arrive .25s ease-out; }
.item:hover, .item:focus-within { background: var(--_hover); }
.link { flex: 1; min-inline-size: 0; display: flex; gap: 12px; padding-block: 12px;
  padding-inline: 16px 4px; color: inherit; text-decoration: none; }
.content { flex: 1; min-inline-size: 0; }
a.link:hover .subject { text-decoration: underline; text-underline-offset: 2px;
  text-decoration-thickness: 1px; }
.level { flex: none; inline-size: 32px; block-size: 32px; padding: 7px; border-radius: 50%;
  color: var(--_level); background: color-mix(in srgb, var(--_level) 13%, transparent); }
.level.own { display: grid; place-items: center; padding: 0; overflow: hidden; font-size: 17px;
  line-height: 1; color: var(--_text); }
.level img { inline-size: 100%; block-size: 100%; object-fit: cover; }
.debug { --_level: var(--_muted); }
.info { --_level: var(--notification-bell-info, light-dark(#0a62c4, #74b4ff)); }
.success { --_level: var(--notification-bell-success, light-dark(#177245, #56c985)); }
.warning { --_level: var(--notification-bell-warning, light-dark(#8f5b00, #e3ab3b)); }
.problem { --_level: var(--notification-bell-error, light-dark(#c0262d, #ff857d)); }
/* In the sender's direction, but aligned as the page is. */
.subject, .text { text-align: -webkit-match-parent; text-align: match-parent; }
.subject { font-weight: 600; overflow-wrap: anywhere; }
.text { overflow-wrap: anywhere; white-space: pre-line; display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 3; line-clamp: 3; overflow: hidden; }
.subject + .text { color: var(--_muted); }
.meta { color: var(--_muted); font-size: 12.5px; margin-block-start: 2px; overflow-wrap: anywhere; }
.tick { flex: none; align-self: flex-start; inline-size: 32px; block-size: 32px; margin: 8px;
  margin-inline: 0 8px; padding: 7px; border-radius: 8px; color: var(--_muted); }
.tick:hover { color: var(--_accent);
  background: color-mix(in srgb, var(--_accent) 12%, transparent); }

.tail, .foot { display: flex; align-items: center; justify-content: center; padding: 6px;
  border-block-start: 1px solid var(--_border); color: var(--_muted); font-size: 13px; }
a.text-button { text-decoration: none; }
.text-button[aria-disabled="true"] { opacity: .6; cursor: progress; }

.state { display: flex; flex-direction: column; align-items: center; text-align: center;
  padding: 40px 24px 44px; gap: 4px; }
.state-icon { inline-size: 52px; block-size: 52px; padding: 13px; margin-block-end: 10px;
  border-radius: 50%; color: var(--_level);
  background: color-mix(in srgb, var(--_level) 12%, transparent); }
.state b { font-weight: 600; font-size: 15px; }
.state span { color: var(--_muted); text-wrap: balance; }
.state button { margin-block-start: 8px; }
.bone { display: grid; grid-template-columns: 32px 1fr; gap: 8px 12px; padding: 14px 16px; }
.bone i { display: block; block-size: 11px; border-radius: 6px; background: var(--_border);
  animation: breathe 1.6s ease-in-out infinite; }
.bone i:first-child { grid-row: span 2; block-size: 32px; border-radius: 50%; }
.bone i:last-child { inline-size: 62%; }

@keyframes open { from { opacity: 0; transform: translateY(-6px); } }
@keyframes arrive { from { opacity: 0;
  background: color-mix(in srgb, var(--_accent) 16%, transparent); } }
@keyframes breathe { 50% { opacity: .45; } }
@media (prefers-reduced-motion: reduce) {
  * { animation: none !important; transition: none !important; }
}
@media (pointer: coarse) {
  .tick { inline-size: 40px; block-size: 40px; padding: 10px; margin-block: 4px; }
}
@media (forced-colors: active) {
  .badge { forced-color-adjust: none; background: Highlight; color: HighlightText; }
  .button:hover, .button[aria-expanded="true"] {
    outline: 2px solid Highlight; outline-offset: -2px; }
  .level, .state-icon { border: 1px solid CanvasText; }
  .item:hover, .item:focus-within { outline: 1px solid Highlight; outline-offset: -1px; }
}
`;

let styleSheet;

function sharedStyleSheet() {
  if (!styleSheet) {
    styleSheet = new CSSStyleSheet();
    styleSheet.replaceSync(STYLE);
  }
  return styleSheet;
}

/** An element; `part` doubles as the class that the style sheet knows it by. */
function make(tag, name = "", properties = {}, ...children) {
  const element = document.createElement(tag);
  if (name) {
    element.className = name;
    element.setAttribute("part", name);
  }
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function icon(name, label = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What may be linked to: http(s) only, whatever the server lets through. */
function safeUrl(url) {
  try {
    const { protocol, href } = new URL(url, document.baseURI);
    return url && /^https?:$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}

function kindOf(level) {
  if (level >= 40) return "problem";
  if (level >= 30) return "warning";
  if (level >= 25) return "success";
  return level >= 20 ? "info" : "debug";
}

// --- The clients of the page ------------------------------------------------------------------

const clients = new Map();

/** Bells of an inbox share a client, which outlives them for a moment: page swaps are short. */
function acquireClient(options) {
  const key = new URL(options.inbox, document.baseURI).href;
  let entry = clients.get(key);
  if (!entry) {
    entry = { client: new globalThis[CLIENT_CLASS](options), holders: 0, timer: null };
    clients.set(key, entry);
    entry.client.start();
  }
  clearTimeout(entry.timer);
  entry.holders += 1;
  const release = () => {
    entry.holders -= 1;
    if (entry.holders) return;
    entry.timer = setTimeout(() => {
      entry.client.stop();
      clients.delete(key);
    }, RELEASE_AFTER);
  };
  return { client: entry.client, release };
}

// --- One row of the list ----------------------------------------------------------------------

/** The list item of one message: built once, its time kept current. */
class Row {
  constructor(item, wording, { onFollow, onTick }) {
    this.item = item;
    this.date = new Date(item.date);
    const data = item.data ?? {};
    const said = (value) => (typeof value === "string" ? value.trim() : "");
    const title = said(data.title);
    const text = said(item.text) || said(item.message);
    const url = safeUrl(item.url);

    this.time = make("time", "time");
    if (!Number.isNaN(this.date.getTime())) {
      this.time.dateTime = item.date;
      this.time.title = wording.full.format(this.date);
    }
    const meta = make("div", "meta");
    if (said(data.actor)) meta.append(make("bdi", "actor", {}, said(data.actor)), " · ");
    meta.append(this.time);

    const content = make("div", "content");
    if (title) content.append(make("div", "subject", { dir: "auto" }, title));
    if (text && text !== title) content.append(make("div", "text", { dir: "auto" }, text));
    content.append(meta);
    const sign = levelIcon(item, said(data.icon), wording);
    const link = make(url ? "a" : "div", "link", url ? { href: url } : {}, sign, content);
    if (url) {
      link.addEventListener("click", (event) => onFollow(item, event));
      link.addEventListener("auxclick", (event) => event.button === 1 && onFollow(item, event));
    }

    const label = `${wording.say("mark_read")}: ${title || text}`;
    this.tick = make("button", "tick", { type: "button", title: wording.say("mark_read") });
    this.tick.setAttribute("aria-label", label);
    this.tick.append(icon("check"));
    this.tick.addEventListener("click", () => onTick(item));

    this.element = make("li", "item", {}, link, this.tick);
    this.element.classList.add(kindOf(item.level));
    this.refresh(wording);
  }

  /** Every list brings new objects; mostly they say the same. */
  shows(item) {
    return item === this.item || JSON.stringify(item) === JSON.stringify(this.item);
  }

  refresh(wording) {
    if (this.time.dateTime) setText(this.time, wording.ago(this.date));
  }
}

/** The sender's own icon (a picture's address, or a sign such as an emoji), else the level's. */
function levelIcon(item, own, wording) {
  const kind = kindOf(item.level);
  const label = ["success", "warning", "problem"].includes(kind) ? wording.say(kind) : "";
  const ofLevel = () => make("span", "level", {}, icon(kind, label));
  if (/^(https?:\/)?\/[^/]/.test(own) && safeUrl(own)) {
    const image = make("img", "", { alt: "", src: safeUrl(own), loading: "lazy" });
    const holder = make("span", "level", {}, image);
    holder.classList.add("own");
    image.addEventListener("error", () => holder.replaceWith(ofLevel()), { once: true });
    return holder;
  }
  if (own && [...own].length <= 4 && !/[\w/]/.test(own)) {
    const holder = make("span", "level", { "aria-hidden": "true" }, own);
    holder.classList.add("own");
    return holder;
  }
  return ofLevel();
}

// --- The element ------------------------------------------------------------------------------

/**
 * Attributes: `inbox` and `mark-all` (URLs of REST), `socket` (URL; without it the bell polls),
 * `csrf-header`, `lang`, `theme` (`light` or `dark`; by default that of the page). A link inside
 * is shown until the element is upgraded, and leads to the page with all messages. Texts are a
 * JSON object in `<script type="application/json">` inside.
 *
 * The element is public as `globalThis.customElements.get("notification-bell")`; its `client` is
 * the inbox client.
 */
export class NotificationBell extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["inbox", "mark-all", "socket", "csrf-header", "lang"];

  #client = null;
  #detach = null; // undoes everything that connecting did
  #wording = null;
  #parts = {};
  #rows = new Map();
  #shown = []; // the items of the last rendering
  #frame = null;
  #clock = null;
  #isLoadingMore = false;
  #hasLoadFailed = false;
  #hasRefused = false;
  #news = [];
  #announcedAt = -Infinity;
  #announceTimer = null;

  /** The inbox client, shared by the bells of the same inbox; null while not in a page. */
  get client() {
    return this.#client;
  }

  /** Whether the panel is open. */
  get open() {
    return this.#parts.panel?.matches(":popover-open") ?? false;
  }

  set open(open) {
    this.#parts.panel?.togglePopover(Boolean(open));
  }

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    this.#connect();
  }

  disconnectedCallback() {
    this.#detach?.();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after || !this.#detach) return;
    if (name === "lang") {
      this.#reword();
      return;
    }
    this.#detach();
    this.#connect();
  }

  // --- Life -----------------------------------------------------------------------------------

  #connect() {
    const abort = new AbortController();
    const { signal } = abort;
    let release = () => {};
    this.#detach = () => {
      abort.abort();
      release();
      this.#detach = this.#client = null;
      this.#stopClock();
      clearTimeout(this.#announceTimer);
      this.#announceTimer = null;
      this.#news = [];
      this.#cancelFrame();
    };
    if (!this.hasAttribute("inbox")) return;
    if (!globalThis[CLIENT_CLASS]) {
      const again = () => {
        this.#detach();
        this.#connect();
      };
      globalThis.addEventListener(CLIENT_READY, again, { once: true, signal });
      return;
    }

    ({ client: this.#client, release } = acquireClient({
      inbox: this.getAttribute("inbox"),
      markAll: this.getAttribute("mark-all") ?? undefined,
      socket: this.getAttribute("socket"),
      csrfHeader: this.getAttribute("csrf-header") ?? undefined,
    }));
    const on = (type, listener) => this.#client.addEventListener(type, listener, { signal });
    on("change", () => this.#schedule());
    on("status", () => this.#schedule());
    on("message", ({ detail }) => this.#arrived(detail));
    on("error", ({ detail }) => {
      // It stays until the panel is closed or something else is tried, whatever lists do meanwhile.
      if (detail.action !== null) this.#hasRefused = true;
      this.#schedule();
    });
    const place = () => this.open && this.#place();
    globalThis.addEventListener("resize", place, { signal });
    document.addEventListener("scroll", place, { signal, capture: true, passive: true });
    this.#reword();
  }

  #build() {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sharedStyleSheet()];
    const p = this.#parts;
    p.badge = make("span", "badge", { hidden: true });
    p.badge.setAttribute("aria-hidden", "true");
    p.icon = make("span", "icon", {}, icon("bell"));
    p.button = make("button", "button", { type: "button" }, p.icon, p.badge);
    p.button.setAttribute("aria-haspopup", "dialog");
    p.button.setAttribute("aria-expanded", "false");

    p.title = make("h2", "title", { id: "title" });
    p.markAll = make("button", "text-button", { type: "button" }, icon("checks"), make("span"));
    p.markAll.part.add("mark-all");
    p.note = make("p", "note");
    p.list = make("ul", "list", { role: "list" });
    p.state = make("div", "state");
    p.more = make("button", "text-button", { type: "button" });
    p.more.part.add("more");
    p.rest = make("span", "rest");
    p.tail = make("div", "tail", {}, p.more, p.rest);
    p.body = make("div", "body", {}, p.list, p.tail, p.state);
    p.all = make("a", "text-button");
    p.all.part.add("all");
    p.foot = make("div", "foot", {}, p.all);
    p.panel = make("div", "panel", { popover: "auto", tabIndex: -1, role: "dialog" });
    p.panel.setAttribute("aria-labelledby", "title");
    p.panel.append(make("div", "head", {}, p.title, p.markAll), p.note, p.body, p.foot);
    p.status = make("div", "away", { role: "status" });
    // What stands in the light DOM is for before the upgrade; only read from then on.
    const slot = make("slot", "", { hidden: true });
    root.append(p.button, p.panel, p.status, slot);

    p.button.popoverTargetElement = p.panel;
    p.panel.addEventListener("beforetoggle", (event) => this.#beforeToggle(event));
    p.panel.addEventListener("toggle", (event) => this.#toggled(event));
    p.markAll.addEventListener("click", () => this.#markAll());
    p.more.addEventListener("click", () => this.#loadMore());
    slot.addEventListener("slotchange", () => this.#detach && this.#reword());
  }

  #reword() {
    const language = this.lang || this.closest("[lang]")?.lang || navigator.language;
    this.#wording = new Wording(readTexts(this), language);
    for (const row of this.#rows.values()) row.element.remove();
    this.#rows.clear();
    this.#render();
  }

  // --- Opening and closing --------------------------------------------------------------------

  #beforeToggle({ newState }) {
    const { button, panel } = this.#parts;
    const isOpening = newState === "open";
    button.setAttribute("aria-expanded", String(isOpening));
    if (isOpening) {
      this.#hasLoadFailed = false;
      this.#render(true);
      // It cannot be measured before it is shown; this is still before it is painted.
      requestAnimationFrame(() => this.#place());
    } else if (panel.contains(this.shadowRoot.activeElement)) {
      button.focus({ preventScroll: true });
    }
  }

  #toggled({ newState }) {
    if (newState === "open") {
      this.#place();
      if (!this.#parts.panel.contains(this.shadowRoot.activeElement)) {
        this.#parts.panel.focus({ preventScroll: true });
      }
      this.#startClock();
    } else {
      this.#stopClock();
      this.#hasRefused = false;
    }
  }

  /** Below the button where there is room, else above; always inside the window. */
  #place() {
    const { button, panel } = this.#parts;
    if (!this.open) return;
    const gap = 8;
    const anchor = button.getBoundingClientRect();
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const isRtl = getComputedStyle(this).direction === "rtl";
    const wanted = isRtl ? anchor.left : anchor.right - panel.offsetWidth;
    const left = Math.max(gap, Math.min(wanted, width - panel.offsetWidth - gap));
    const below = height - anchor.bottom - 2 * gap;
    const above = anchor.top - 2 * gap;
    const isBelow = below >= 320 || below >= above;
    // Through the object model: a policy without inline styles allows it.
    Object.assign(panel.style, {
      left: `${left}px`,
      top: isBelow ? `${Math.max(gap, anchor.bottom + gap)}px` : "auto",
      bottom: isBelow ? "auto" : `${height - anchor.top + gap}px`,
      maxHeight: `${Math.max(160, Math.min(600, isBelow ? below : above))}px`,
    });
  }

  #startClock() {
    this.#stopClock();
    this.#clock = setInterval(() => {
      for (const row of this.#rows.values()) row.refresh(this.#wording);
    }, TICK);
  }

  #stopClock() {
    clearInterval(this.#clock);
    this.#clock = null;
  }

  // --- What a person does ---------------------------------------------------------------------

  #follow(item, event) {
    this.#client.markRead(item.id);
    const opensElsewhere = event.button || event.metaKey || event.ctrlKey || event.shiftKey;
    if (!opensElsewhere) this.open = false;
  }

  #tickOff(item) {
    this.#hasRefused = false;
    this.#client.markRead(item.id);
  }

  #markAll() {
    this.#hasRefused = false;
    // What is on the screen: what arrived since the last rendering nobody has seen.
    this.#client.markAllRead(this.#shown.map((item) => item.id));
  }

  async #loadMore() {
    if (this.#isLoadingMore || !this.#client) return;
    this.#isLoadingMore = true;
    this.#schedule();
    this.#hasLoadFailed = !(await this.#client.loadMore());
    this.#isLoadingMore = false;
    this.#schedule();
  }

  // --- Announcing -----------------------------------------------------------------------------

  #arrived(item) {
    const { icon: bell } = this.#parts;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches && !document.hidden) {
      const turn = (degrees) => ({ transform: `rotate(${degrees}deg)` });
      const swing = [turn(0), turn(14), turn(-11), turn(6), turn(0)];
      const timing = { duration: 520, easing: "ease-in-out" };
      if (!bell.getAnimations().length) bell.animate(swing, timing);
    }
    this.#news.push(item);
    if (this.#announceTimer !== null) return;
    const wait = Math.max(100, this.#announcedAt + ANNOUNCE_EVERY - performance.now());
    this.#announceTimer = setTimeout(() => {
      const news = this.#news;
      this.#announceTimer = null;
      this.#announcedAt = performance.now();
      this.#news = [];
      const [{ data, text }] = news;
      const summary = news.length > 1 ? "arrived_many" : "arrived";
      const said = this.#wording.say(summary, { count: news.length, text: data?.title || text });
      this.#parts.status.textContent = said;
    }, wait);
  }

  // --- Rendering ------------------------------------------------------------------------------

  /** Render once for all that changes before the next frame; hidden pages get no frames. */
  #schedule() {
    if (this.#frame) return;
    const render = () => {
      this.#frame = null;
      this.#render();
    };
    if (document.hidden) {
      const timer = setTimeout(render, 250);
      this.#frame = () => clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(render);
      this.#frame = () => cancelAnimationFrame(frame);
    }
  }

  #cancelFrame() {
    this.#frame?.();
    this.#frame = null;
  }

  #render(isOpen = this.open) {
    if (!this.#client) return;
    const { badge, button } = this.#parts;
    const count = this.#client.unread;
    const name = this.#wording.say("notifications");
    badge.hidden = !count;
    if (count) setText(badge, count > MAX_BADGE ? `${MAX_BADGE}+` : String(count));
    const label = count ? `${name}, ${this.#wording.say("unread", { count })}` : name;
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    if (isOpen) this.#renderPanel(count);
    // Nothing of an inbox stays in the document longer than it is in the inbox.
    else if (this.#rows.size) this.#renderRows([]);
  }

  #renderPanel(count) {
    const p = this.#parts;
    const say = (key, values) => this.#wording.say(key, values);
    const { items, hasMore, loaded, status } = this.#client;
    this.#shown = items.slice(0, MAX_SHOWN);
    const isOut = status === "signed-out";

    setText(p.title, say("notifications"));
    setText(p.markAll.lastChild, say("mark_all_read"));
    p.markAll.hidden = !count || !loaded;
    this.#renderNote(loaded && !isOut);
    this.#renderRows(this.#shown);
    this.#renderState(this.#shown.length || (hasMore && loaded) ? "" : this.#stateName);

    const left = Math.max(0, count - this.#shown.length);
    const canLoad = loaded && hasMore && items.length < MAX_SHOWN;
    p.more.hidden = !canLoad;
    setText(p.more, say(this.#isLoadingMore ? "loading" : "load_more"));
    p.more.setAttribute("aria-disabled", String(this.#isLoadingMore));
    p.rest.hidden = canLoad || !loaded || !left;
    setText(p.rest, say("more", { count: left }));
    p.tail.hidden = p.more.hidden && p.rest.hidden;
    const fallback = safeUrl(this.querySelector("a[href]")?.getAttribute("href"));
    p.foot.hidden = !fallback;
    if (fallback && p.all.href !== fallback) p.all.href = fallback;
    setText(p.all, say(isOut ? "sign_in" : "see_all"));

    // A few rows that were left unread should not look like the end of the list.
    if (canLoad && items.length < FEW && !this.#hasLoadFailed) this.#loadMore();
  }

  get #stateName() {
    const { loaded, status, error } = this.#client;
    if (status === "signed-out") return "signed_out";
    if (loaded) return "empty";
    return error ? "error" : "loading";
  }

  #renderNote(isShown) {
    const { note } = this.#parts;
    const { status } = this.#client;
    let text = "";
    if (this.#hasRefused) text = "refused";
    else if (status === "offline") text = "offline";
    // A page that was set up to poll has nothing to excuse.
    else if (status === "polling" && this.hasAttribute("socket")) text = "polling";
    note.hidden = !text || !isShown;
    note.classList.toggle("bad", text === "refused");
    if (note.hidden || note.dataset.text === text) return;
    note.dataset.text = text;
    note.replaceChildren(
      icon({ refused: "problem", offline: "offline" }[text] ?? "info"),
      make("span", "", {}, this.#wording.say(text)),
    );
  }

  #renderState(name) {
    const { state } = this.#parts;
    const key = name && `${name} ${this.#wording.language}`;
    state.hidden = !name;
    if (state.dataset.key === key) return;
    state.dataset.key = key;
    state.className = name === "loading" ? "" : "state";
    if (!name) {
      state.replaceChildren();
    } else if (name === "loading") {
      const bone = () => make("div", "bone", {}, make("i"), make("i"), make("i"));
      const word = make("span", "away", {}, this.#wording.say("loading"));
      state.replaceChildren(word, bone(), bone(), bone());
    } else {
      const sign = { empty: "checks", error: "warning", signed_out: "person" }[name];
      const picture = make("div", "state-icon", {}, icon(sign));
      picture.classList.add({ empty: "success", error: "warning" }[name] ?? "debug");
      state.replaceChildren(
        picture,
        make("b", "", {}, this.#wording.say(name)),
        make("span", "", {}, this.#wording.say(`${name}_hint`)),
      );
      if (name === "error") {
        const retry = make("button", "text-button", { type: "button" }, this.#wording.say("retry"));
        retry.addEventListener("click", () => this.#client?.refresh());
        state.append(retry);
      }
    }
  }

  /** Bring the rows in order, touching only those that differ, and keep the focus near. */
  #renderRows(items) {
    const { list, panel } = this.#parts;
    const focused = this.shadowRoot.activeElement;
    const focusedRow = focused?.closest(".item");
    const focusedIndex = focusedRow ? [...list.children].indexOf(focusedRow) : -1;
    const isUpdate = list.childElementCount > 0;

    const wanted = new Map(items.map((item) => [item.id, item]));
    for (const [id, row] of this.#rows) {
      if (row.shows(wanted.get(id))) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = list.firstElementChild;
    for (const item of items) {
      const row = this.#rows.get(item.id);
      if (row && row.element === next) {
        next = next.nextElementSibling;
        continue;
      }
      list.insertBefore((row ?? this.#addRow(item, isUpdate)).element, next);
    }
    list.hidden = !items.length;

    if (!focused || (!panel.contains(focused) && focused.isConnected)) return;
    if (focused.isConnected && this.shadowRoot.activeElement === focused) return;
    if (focused.isConnected) {
      focused.focus({ preventScroll: true }); // moved, not removed
    } else {
      const near = list.children[Math.min(focusedIndex, list.childElementCount - 1)];
      (near?.querySelector(".tick") ?? panel).focus({ preventScroll: true });
    }
  }

  #addRow(item, isNew) {
    const row = new Row(item, this.#wording, {
      onFollow: (followed, event) => this.#follow(followed, event),
      onTick: (ticked) => this.#tickOff(ticked),
    });
    row.element.classList.toggle("new", isNew && item === this.#shown[0]);
    this.#rows.set(item.id, row);
    return row;
  }
}

if (globalThis.customElements && !customElements.get("notification-bell")) {
  customElements.define("notification-bell", NotificationBell);
}
