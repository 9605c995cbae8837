/**
 * `<notification-bell>`: a button with a count and a panel with the messages, on top of the inbox
 * client, which `inbox-client.js` registers. `notification-bell.d.ts` describes it for its users.
 */

const CLIENT_CLASS = Symbol.for("stored_messages.InboxClient");
const CLIENT_READY = "stored_messages:InboxClient";

const MAX_SHOWN = 100;
const MAX_BADGE = 99;
const GAP = 8;
const ANNOUNCE_EVERY = 5000;
const TICK = 20_000;
const RELEASE_AFTER = 1000;
const UNDO_FOR = 6000;

// --- Texts and times

/** A text with a count may be an object of plural categories. `{name}` is replaced. */
const ENGLISH = {
  notifications: "Notifications",
  unread: "{count} unread",
  mark_all_read: "Mark all as read",
  mark_read: "Mark as read",
  load_more: "Load more",
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
  close: "Close",
  desktop: "Show notifications on the desktop?",
  desktop_on: "Turn on",
  desktop_off: "No, thanks",
  keys: "Keyboard shortcuts",
  keys_move: "Next, previous",
  keys_open: "Open",
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

/** Up to so many minutes, count in units of so many. */
const STEPS = [
  [0.75, Infinity, "second"],
  [45, 1, "minute"],
  [22 * 60, 60, "hour"],
  [7 * 1440, 1440, "day"],
];

/** Words and times in a language. */
class Wording {
  constructor(texts, language) {
    let locale;
    try {
      [locale] = Intl.getCanonicalLocales(language);
    } catch {
      // Not a language tag: the browser's own.
    }
    this.texts = texts;
    this.plural = new Intl.PluralRules(locale);
    this.number = new Intl.NumberFormat(locale);
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    this.full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
    this.day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  }

  say(key, values = {}, number = values.count) {
    let text = this.texts[key];
    if (typeof text === "object") text = text[this.plural.select(number)] ?? text.other;
    return String(text ?? key).replace(/\{(\w+)\}/g, (hole, name) => {
      const value = values[name];
      return typeof value === "number" ? this.number.format(value) : (value ?? hole);
    });
  }

  /** "5 minutes ago"; a date when it is more than a week. */
  ago(date) {
    const minutes = Math.max(0, (Date.now() - date) / 60_000); // clocks differ: never in the future
    const step = STEPS.find(([limit]) => minutes < limit);
    if (!step) return this.day.format(date);
    const [, size, unit] = step;
    return this.relative.format(-Math.round(minutes / size), unit);
  }
}

// --- Looks

const CIRCLE = "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z";
const ICONS = {
  bell: "M6 10a6 6 0 0 1 12 0c0 5 1 6 2 7q1 1-1 1H5q-2 0-1-1c1-1 2-2 2-7Z M10 21a2 2 0 0 0 4 0",
  mark_read: "m5 13 4 4L19 8",
  mark_unread: "M4 6h16v13H4Z m0 1 8 6 8-6",
  dismiss: "m7 7 10 10 M17 7 7 17",
  debug: "m8 7-5 5 5 5 M16 7l5 5-5 5",
  info: `M12 11v6 M12 7.5v.1 ${CIRCLE}`,
  success: `m8 12 3 3 5-6 ${CIRCLE}`,
  warning: "M12 9v5 M12 17v.1 M12 3 2 20h20Z",
  problem: `m9 9 6 6 M15 9l-6 6 ${CIRCLE}`,
};

const STYLE = `
:host {
  --_background: var(--notification-bell-background, light-dark(#fff, #1b1e23));
  --_text: var(--notification-bell-text, light-dark(#1c2024, #eceef1));
  --_muted: var(--notification-bell-muted, light-dark(#5b6470, #a0a8b3));
  --_border: var(--notification-bell-border, light-dark(#dfe3e8, #353b44));
  --_hover: var(--notification-bell-hover, light-dark(#f4f6f8, #252a31));
  --_accent: var(--notification-bell-accent, light-dark(#0a62c4, #74b4ff));
  --_width: min(var(--notification-bell-width, 28.5em), 100vw - 16px);
  --_size: var(--notification-bell-size, 40px);
  /* Of what the page says around it, these alone matter inside. */
  all: initial; color: inherit; color-scheme: inherit; visibility: inherit;
  display: inline-block; vertical-align: middle; inline-size: var(--_size); block-size: var(--_size);
  /* The size that its reader has chosen, whatever the page does with its own. */
  font: medium/1.45 var(--notification-bell-font, system-ui, sans-serif);
  overflow-wrap: break-word;
}
:host([hidden]), [hidden] { display: none !important; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
*, ::before { box-sizing: border-box; margin: 0; padding: 0; }
button, a { font: inherit; color: inherit; background: none; border: 0; text-decoration: none; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; }
svg { display: block; inline-size: 100%; fill: none; stroke: currentColor; stroke-width: 1.75;
  stroke-linecap: round; stroke-linejoin: round; }
.away { position: fixed; clip-path: inset(50%); }

.button, .panel, .toasts { font-size: var(--notification-bell-font-size, .875em); }
.button { position: relative; display: grid; place-items: center; inline-size: 100%;
  block-size: 100%; border-radius: 8px; }
.button:hover, .button[aria-expanded="true"] {
  background: color-mix(in srgb, currentColor 12%, transparent); }
.button:focus-visible { outline-color: currentColor; }
.icon { inline-size: 55%; }
.badge { position: absolute; inset-block-start: 2px; inset-inline-start: 52%; unicode-bidi: plaintext;
  min-inline-size: 1.64em; padding-inline: .36em; border-radius: 1em; font-weight: 600;
  font-size: min(.79em, 12px); line-height: 1.64;
  background: var(--notification-bell-badge, #d1242f);
  color: var(--notification-bell-badge-text, #fff); }

.panel { inline-size: var(--_width); background: var(--_background); color: var(--_text);
  border: 1px solid var(--_border);
  border-radius: var(--notification-bell-radius, 12px); outline: none;
  box-shadow: 0 8px 40px #0004; }
.panel:popover-open { display: flex; flex-direction: column; }
.head { display: flex; flex-wrap: wrap; align-items: center; padding: 10px 8px 0; padding-inline-start: 16px; }
.title { font-size: 1.07em; font-weight: 600; }
.mark-all { margin-inline-start: auto; }
.text-button, .note { display: flex; align-items: center; gap: 6px; min-block-size: 32px;
  padding: 4px 8px; border-radius: 8px; color: var(--_accent); font-weight: 500; }
.text-button, .note span, .newer, .meta { font-size: .93em; }
.text-button svg, .note svg { flex: none; inline-size: 1.2em; }
.text-button:hover, .note, .item:hover, .item:focus-within { background: var(--_hover); }
.tabs { display: flex; gap: 20px; padding-inline: 16px; border-block-end: 1px solid var(--_border); }
.tab { min-block-size: 36px; min-inline-size: 32px; margin-block-end: -1px; font-weight: 500;
  border-block-end: 2px solid #0000; }
.tab[aria-selected="true"] { color: var(--_text); border-color: var(--_accent); }
.note { flex: none; padding: 6px 16px; border-radius: 0; }
.note span { flex: 1; }
.note.problem { color: var(--_level); }

.body { flex: 1; min-block-size: 5.5em; overflow-y: auto; overscroll-behavior: contain; }
.body:has(.list[hidden]) { flex: none; }
.newer { position: sticky; z-index: 1; inset-block-start: 8px; display: block;
  margin: 8px auto -40px; min-block-size: 32px; padding: 4px 14px; border-radius: 16px;
  color: var(--_background); background: var(--_accent); }
.item { position: relative; display: grid; grid-template: auto 1fr / 1fr auto; }
.item + .item, .tail, .foot { border-block-start: 1px solid var(--_border); }
.unread::before { content: ""; position: absolute; inset-block-start: calc(min(1.14em, 6.2vw) + 9px); inset-inline-start: 5px;
  border: 3px solid var(--_accent); border-radius: 3px; }
.link { grid-row: span 2; display: flex; gap: 12px; padding-block: 12px; padding-inline: 16px 4px; }
.link, .content, .title { min-inline-size: 0; }
a:hover .subject { text-decoration: underline; }
.level, .state-icon { flex: none; display: grid; place-items: center; inline-size: 1.78em;
  block-size: 1.78em; border-radius: 50%; overflow: hidden; font-size: min(1.285em, 7vw); color: var(--_level);
  background: color-mix(in srgb, var(--_level) 12%, transparent); }
.level svg { inline-size: 1em; }
.level img { inline-size: 100%; block-size: 100%; object-fit: cover; }
.debug { --_level: var(--_muted); }
.info { --_level: var(--notification-bell-info, var(--_accent)); }
.success { --_level: var(--notification-bell-success, light-dark(#177245, #56c985)); }
.warning { --_level: var(--notification-bell-warning, light-dark(#8f5b00, #e3ab3b)); }
.problem { --_level: var(--notification-bell-error, light-dark(#c0262d, #ff857d)); }
/* In the sender's direction, but aligned as the page is. */
.subject, .text { text-align: -webkit-match-parent; text-align: match-parent; }
/* Beside the dot, as if a sign stood there. */
.content:first-child { padding-block-start: .43em; }
.unread .subject { font-weight: 600; }
.text { white-space: pre-line; display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 3; overflow: hidden; }
.subject + .text, .meta, .state, .note, .tab, .tick, .dismiss { color: var(--_muted); }
.meta { margin-block-start: 2px; }
.tick, .dismiss { inline-size: clamp(28px, 2em, 12vw); aspect-ratio: 1; margin: 10px 8px 2px; padding: 5px;
  border-radius: 8px; }
.dismiss { margin-block: 0 10px; }
.tick:hover, .dismiss:hover { color: var(--_accent); }
[name$="er"] { display: grid; justify-self: stretch; padding-inline: 16px; }
::slotted([slot$="er"]) { margin-block: 8px; }
.tail, .foot, .state { display: grid; justify-items: center; padding-block: 6px; }

.state { text-align: center; padding: 40px 24px; gap: 4px; }
.state-icon { font-size: 2.1em; padding: .44em; margin-block-end: 10px; }
.state b { font-size: 1.07em; color: var(--_text); }
@media (hover: hover) { .item:not(:hover, :focus-within) .dismiss { opacity: 0; } }
@media (pointer: coarse) {
  .tick, .dismiss { inline-size: 40px; padding: 10px; margin: 2px 2px 0; }
}
@media (forced-colors: active) {
  .button:hover, .button[aria-expanded="true"], .item:hover, .item:focus-within {
    outline: 1px solid Highlight; outline-offset: -1px; }
  .level, .state-icon, .newer, .badge { border: 1px solid; }
  .newer { color: ButtonText; }
  .tab { margin-block-end: 0; border-color: Canvas; }
  .tab[aria-selected="true"] { border-color: Highlight; }
}
`;

let styleSheet;

/** An element with its parts, which are its classes too, and with properties, attributes, children. */
function make(tag, parts, ...given) {
  const element = document.createElement(tag);
  element.className = element.part = parts;
  for (const one of given.filter(Boolean)) {
    if (typeof one === "string" || one.nodeType) {
      element.append(one);
      continue;
    }
    for (const key in one) {
      if (key in element) element[key] = one[key];
      else element.setAttribute(key, one[key]);
    }
  }
  return element;
}

const makeButton = (parts, onclick, ...given) =>
  make("button", parts, { type: "button", onclick }, ...given);

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) =>
    document.createElementNS("http://www.w3.org/2000/svg", tag),
  );
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  svg.ariaHidden = "true";
  return svg;
}

/** What may be linked to: http(s) only, whatever the server lets through. */
function safeUrl(url) {
  try {
    const { href } = new URL(url, document.baseURI);
    return url && /^https?:/.test(href) ? href : null;
  } catch {
    return null;
  }
}

function kindOf(level) {
  if (level < 20) return "debug";
  if (level < 25) return "info";
  if (level < 30) return "success";
  return level < 40 ? "warning" : "problem";
}

// --- The clients of the page

const clients = new Map();
const announced = new WeakSet(); // by any bell

/** Like bells share a client, which outlives them for a moment: page swaps are short. */
function acquireClient(options) {
  const key = JSON.stringify(options);
  const entry = clients.get(key) ?? { client: new globalThis[CLIENT_CLASS](options), holders: 0 };
  clients.set(key, entry);
  entry.client.start();
  entry.holders += 1;
  const release = () => {
    entry.holders -= 1;
    setTimeout(() => {
      if (entry.holders || clients.get(key) !== entry) return;
      entry.client.stop();
      clients.delete(key);
    }, RELEASE_AFTER);
  };
  return [entry.client, release];
}

// --- One row of the list

const said = (value) => (typeof value === "string" ? value.trim() : "");

/** The list item of one message. */
class Row {
  constructor(item, wording, custom) {
    this.date = new Date(item.date);
    this.time = make("time", "time");
    if (+this.date) {
      this.time.dateTime = item.date;
      this.time.title = wording.full.format(this.date);
    }
    const { data } = item;
    const [title, actor, own] = [data?.title, data?.actor, data?.icon].map(said);
    const text = said(item.text) || said(item.message);
    const href = safeUrl(item.url);
    const kind = kindOf(item.level);
    const state = item.read_at ? "read" : "unread";

    const line = (part, words) => words && make("div", part, { dir: "auto" }, words);
    const from = actor && make("bdi", "actor", actor);
    const meta = make("div", "meta", from, actor && " · ", this.time);
    const lines = [line("subject", title), text !== title && line("text", text), meta];
    const content = make("div", "content", ...(custom ? [custom] : lines));
    const picture = !custom && sign(kind, own, wording);
    const link = make(href ? "a" : "div", "link", href && { href }, picture, content);

    const button = (part, action) => {
      const does = wording.say(action);
      const ariaLabel = [does, title || text || actor].filter(Boolean).join(": ");
      return makeButton(part, null, { title: does, ariaLabel }, icon(action));
    };
    const tick = button("tick", item.read_at ? "mark_unread" : "mark_read");
    const drop = button("dismiss", "dismiss");
    this.element = make("li", `item ${kind} ${state}`, link, tick, drop);
    this.element.dataset.id = item.id;
    this.element.message = item; // for whoever clicks on it
    this.refresh(wording);
  }

  /** Every list brings new objects; mostly they say the same. */
  shows(item) {
    const { message } = this.element;
    return item === message || JSON.stringify(item) === JSON.stringify(message);
  }

  refresh(wording) {
    if (this.time.dateTime) this.time.textContent = wording.ago(this.date);
  }
}

/** The sender's own icon (a picture's address, or a sign such as an emoji), else the level's. */
function sign(kind, own, wording) {
  // It tells the level, whatever is to be seen.
  const ariaLabel = wording.texts[kind];
  const holder = make("span", "level", ariaLabel ? { role: "img", ariaLabel } : { ariaHidden: "true" });
  const showLevel = () => holder.replaceChildren(icon(kind));
  const src = /^(https?:\/)?\/[^/]/.test(own) && safeUrl(own);
  if (src) {
    const image = make("img", "", { alt: "", loading: "lazy", src });
    image.addEventListener("error", showLevel);
    holder.append(image);
  } else if (/^([^\w/]|.{2,40})$/s.test(own) && [...new Intl.Segmenter().segment(own)].length === 1) {
    holder.append(own);
  } else {
    showLevel();
  }
  return holder;
}

const hasModifier = (event) => event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;

const focusOn = (element) => element.focus({ preventScroll: true });

const rowsOf = (list) => [...list.children];

/** The control of a row that is like this one, or its first. */
function controlOf(row, like) {
  const controls = [...row.querySelectorAll("a.link, button")];
  return controls.find(({ className }) => className === like?.className) ?? controls[0];
}

// --- The element

export class NotificationBell extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["inbox", "mark-all", "socket", "csrf-header", "lang"];

  #client = null;
  #detach = null; // undoes everything that connecting did
  #wording = null;
  #parts = {};
  #rows = new Map();
  #tab = "unread";
  #shown = []; // the messages of the last rendering
  #done = new WeakSet(); // what a person did something to
  #seen = []; // what was unread then
  #from = undefined; // what comes first of it, if that and all older is not the same
  #top = ""; // the position that the list is held at while somebody reads
  #under = 0; // how many more were unread below them
  #user = null;
  #count = null; // as told last
  #due = null; // the rendering that comes with the next frame
  #isLoadingMore = false;
  #hasLoadFailed = false;
  #isRefused = false;
  #undo = null; // takes back the last dismissal
  #news = [];
  #announcing = undefined; // the timer of the next announcement
  #tailWatch = null;

  get client() {
    return this.#client;
  }

  get open() {
    return this.#parts.panel?.matches(":popover-open") ?? false;
  }

  set open(open) {
    this.#parts.panel?.togglePopover(Boolean(open));
  }

  say(key, values) {
    return this.#wording.say(key, values);
  }

  drawItem(message) {
    return this.#makeRow(message).element;
  }

  connectedCallback() {
    if (!this.shadowRoot) this.#build();
    this.#connect();
  }

  disconnectedCallback() {
    this.#detach?.();
  }

  attributeChangedCallback(_name, before, after) {
    if (before !== after && this.#detach) this.#connect();
  }

  // --- Life

  #connect() {
    this.#detach?.();
    const abort = new AbortController();
    const on = (target, type, listener, options) =>
      target.addEventListener(type, listener, { signal: abort.signal, ...options });
    let release = () => {};
    const clock = setInterval(() => {
      for (const row of this.#rows.values()) row.refresh(this.#wording);
    }, TICK);
    this.#detach = () => {
      abort.abort();
      clearInterval(clock);
      clearTimeout(this.#announcing);
      this.#turnTo("unread");
      release();
      this.#detach = this.#client = this.#count = this.#announcing = null;
      this.#news = [];
    };
    if (!this.hasAttribute("inbox")) return;
    if (!globalThis[CLIENT_CLASS]) {
      on(globalThis, CLIENT_READY, () => this.#connect());
      return;
    }

    const [inbox, markAll, socket, csrfHeader] = NotificationBell.observedAttributes.map((name) =>
      this.getAttribute(name),
    );
    const url = new URL(inbox, document.baseURI);
    [this.#client, release] = acquireClient({ inbox: url, markAll, socket, csrfHeader });
    on(this.#client, "change", () => this.#schedule());
    on(this.#client, "message", ({ detail }) => this.#arrived(detail));
    on(this.#client, "error", ({ detail }) => this.#failed(detail));
    on(this.#client, "status", ({ detail: status }) => {
      this.#tell("status", { status });
      this.#schedule();
    });
    on(globalThis, "resize", () => this.#place());
    on(document, "scroll", () => this.#place(), { capture: true, passive: true });
    this.#reword();
  }

  #build() {
    const p = this.#parts;
    const named = { "aria-labelledby": "title" };
    p.badge = make("span", "badge", { ariaHidden: "true", hidden: true });
    p.icon = make("span", "icon", make("slot", "", { name: "icon" }, icon("bell")));
    const closed = { ariaExpanded: "false", ariaHasPopup: "dialog" };
    p.button = makeButton("button", null, closed, p.icon, p.badge);

    p.title = make("h2", "title", { id: "title" });
    p.markAll = makeButton("text-button mark-all", () => this.#markAll());
    const tabs = ["unread", "all"].map((id) =>
      makeButton("tab", () => this.#turnTo(id), { id, role: "tab", "aria-controls": "body" }),
    );
    p.tabs = make("div", "tabs", { role: "tablist" }, named, ...tabs);
    p.note = make("p", "note");
    p.newer = makeButton("newer", () => this.#showNewer());
    p.list = make("ul", "list", { role: "list" });
    p.more = makeButton("text-button more", () => this.#loadMore());
    p.tail = make("div", "tail", p.more);
    p.state = make("div", "state");
    const body = { id: "body", role: "tabpanel" };
    p.body = make("div", "body", body, named, p.newer, p.list, p.tail, p.state);
    p.all = make("a", "text-button all");
    const panel = { popover: "auto", role: "dialog", tabIndex: -1 };
    const head = make("div", "head", p.title, p.markAll);
    const header = make("slot", "", { name: "header" });
    p.foot = make("div", "foot", make("slot", "", { name: "footer" }), p.all);
    p.panel = make("div", "panel", panel, named, head, header, p.tabs, p.note, p.body, p.foot);
    p.status = make("div", "away", { role: "status" });
    // The light DOM is for before the upgrade; only read from then on.
    const slot = make("slot", "", { hidden: true });

    p.button.popoverTargetElement = p.panel;
    p.panel.addEventListener("beforetoggle", (event) => this.#toggles(event));
    p.panel.addEventListener("keydown", (event) => this.#pressed(event));
    slot.addEventListener("slotchange", () => this.#reword());
    const load = ([{ isIntersecting }]) => {
      if (isIntersecting && !this.#hasLoadFailed) this.#loadMore();
    };
    this.#tailWatch = new IntersectionObserver(load, { root: p.body, rootMargin: "200px" });
    this.#tailWatch.observe(p.more);
    const root = this.attachShadow({ mode: "open" });
    if (!styleSheet) {
      styleSheet = new CSSStyleSheet();
      styleSheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [styleSheet];
    root.addEventListener("click", (event) => this.#clicked(event));
    root.addEventListener("auxclick", (event) => event.button === 1 && this.#clicked(event));
    root.append(p.button, p.panel, p.status, slot);
    // Not before it is in the document: the panel wants the focus, not the page.
    p.panel.autofocus = true;
  }

  /** Say everything anew: the language, the texts or the way to show a message may be others. */
  #reword() {
    if (!this.#client) return;
    const p = this.#parts;
    const language = this.lang || this.closest("[lang]")?.lang || navigator.language;
    this.#wording = new Wording(readTexts(this), language);
    p.title.textContent = this.say("notifications");
    p.markAll.replaceChildren(icon("mark_read"), this.say("mark_all_read"));
    for (const tab of p.tabs.children) tab.textContent = this.say(`tab_${tab.id}`);
    for (const row of this.#rows.values()) row.element.remove();
    this.#rows.clear();
    p.note.name = p.state.name = null;
    this.#render();
  }

  // --- Opening, closing, moving

  #toggles({ newState }) {
    const { button, panel } = this.#parts;
    const isOpening = newState === "open";
    button.ariaExpanded = isOpening;
    if (isOpening) {
      this.#hasLoadFailed = false;
      this.#place(true);
      this.#render(true);
    } else {
      const isNowhere = document.activeElement === document.body;
      if (isNowhere || panel.matches(":focus-within")) focusOn(button);
      this.#isRefused = false;
      this.#undo = null;
      this.#turnTo("unread");
      this.#render(false);
    }
  }

  /**
   * Below the button or above, where there is more room; always inside the window. Nothing of the
   * panel is measured, so that it is in its place when it is painted first.
   */
  #place(isOpen = this.open) {
    if (!isOpen) return;
    const { left, right, top, bottom } = this.#parts.button.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const wanted = this.matches(":dir(rtl)") ? `${left}px` : `${right}px - var(--_width)`;
    const x = `clamp(${GAP}px, ${wanted}, ${clientWidth - GAP}px - var(--_width))`;
    const isBelow = top + bottom < clientHeight;
    const room = isBelow ? clientHeight - Math.max(0, bottom) : Math.min(top, clientHeight);
    const y = `${clientHeight - room + GAP}px`;
    // Through the object model: a policy without inline styles allows it.
    const { style } = this.#parts.panel;
    style.inset = isBelow ? `${y} auto auto ${x}` : `auto auto ${y} ${x}`;
    style.maxHeight = `min(43em, ${room - 2 * GAP}px)`;
  }

  /** Show the other list. That of everything is kept true only while somebody looks at it. */
  #turnTo(tab) {
    if (!this.#client || tab === this.#tab) return;
    const { all } = this.#client;
    this.#tab = tab;
    this.#top = "";
    this.#shown = [];
    this.#hasLoadFailed = false;
    this.#parts.body.scrollTop = 0;
    if (tab === "all") all.open();
    else all.close();
    this.#render();
  }

  /** Arrows, Home and End move between rows, on the same control of each, and between tabs. */
  #pressed(event) {
    // The controls that the page has put there have keys of their own.
    if (hasModifier(event) || this.contains(event.target)) return;
    const { list, tabs } = this.#parts;
    const focused = this.shadowRoot.activeElement;
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    let next;
    if (tabs.contains(focused) && /^Arrow(Left|Right)$/.test(event.key)) {
      next = focused.nextSibling ?? focused.previousSibling;
      next.click();
    } else if (step && list.childElementCount) {
      const rows = rowsOf(list);
      const index = rows.indexOf(focused?.closest(".item")) + step;
      next = controlOf(rows[Math.max(0, Math.min(index, rows.length - 1))], focused);
    }
    if (!next) return;
    next.focus();
    event.preventDefault();
  }

  // --- What a person does

  /** Tell the page. False when it says no. */
  #tell(name, detail, cancelable = false) {
    const options = { detail, cancelable, bubbles: true, composed: true };
    return this.dispatchEvent(new CustomEvent(`inbox:${name}`, options));
  }

  /** Do something to messages, unless the page says no; tell when the server has done it. */
  async #act(name, messages, perform) {
    if (!this.#tell(`before-${name}`, { messages }, true)) return;
    this.#isRefused = false;
    for (const item of messages) this.#done.add(item);
    if (await perform(this.#client)) this.#tell(name, { messages });
    else for (const item of messages) this.#done.delete(item);
  }

  #clicked(event) {
    const control = event.target.closest("a.link, button");
    const item = control?.closest(".item")?.message;
    if (!item) return;
    if (control.matches("a")) {
      if (!this.#tell("before-follow", { messages: [item] }, true)) event.preventDefault();
      if (!event.button && !hasModifier(event)) this.open = false;
      if (!item.read_at) this.#turn(item);
    } else if (control.matches(".dismiss")) {
      this.#dismiss(item);
    } else if (control.matches(".tick")) {
      this.#turn(item);
    }
  }

  #turn(item) {
    const [name, mark] = item.read_at ? ["unread", "markUnread"] : ["read", "markRead"];
    this.#act(name, [item], (client) => client[mark](item.id));
  }

  async #dismiss(item) {
    const undo = new AbortController();
    const { note } = this.#parts;
    // Nobody is hurried who is about to undo it.
    const isHeld = () => this.#undo === undo && note.matches(":hover, :focus-within");
    const options = { delay: UNDO_FOR, signal: undo.signal, isHeld };
    await this.#act("dismiss", [item], (client) => {
      this.#undo = undo;
      this.#announce("dismissed");
      return client.dismiss(item.id, options);
    });
    if (this.#undo === undo) this.#undo = null;
    const hadFocus = note.contains(this.shadowRoot.activeElement);
    this.#render();
    const row = this.#rows.get(item.id);
    if (hadFocus && row) focusOn(controlOf(row.element, { className: "dismiss" }));
  }

  #markAll() {
    // What was listed: what arrived since the last rendering nobody has seen.
    const ids = this.#seen.map((item) => item.id);
    this.#act("read", this.#seen, (client) => client.markAllRead(ids, this.#from));
  }

  async #loadMore() {
    if (this.#isLoadingMore || !this.#client) return;
    this.#isLoadingMore = true;
    this.#schedule();
    this.#hasLoadFailed = !(await this.#source.loadMore());
    this.#isLoadingMore = false;
    this.#schedule();
    // It may still be in view: then this tells so.
    this.#tailWatch.unobserve(this.#parts.more);
    this.#tailWatch.observe(this.#parts.more);
  }

  #showNewer() {
    const { body, panel } = this.#parts;
    body.scrollTop = 0;
    focusOn(panel);
    this.#render();
  }

  // --- Telling

  #failed(detail) {
    if (detail.action) {
      // It stays until the panel is closed or something else is tried.
      this.#isRefused = true;
      this.#announce("refused");
    }
    this.#schedule();
    if (this.#tell("error", detail, true)) console.warn("notification-bell:", detail.error);
  }

  #arrived(item) {
    this.#tell("message", { message: item });
    if (announced.has(item) || !this.checkVisibility()) return;
    announced.add(item);
    this.#news.push(item);
    const announce = () => {
      const { length: count, 0: first } = this.#news.splice(0);
      this.#announcing = first && setTimeout(announce, ANNOUNCE_EVERY);
      if (!first) return;
      const text = said(first.data?.title) || said(first.text);
      this.#announce(count > 1 || !text ? "arrived_many" : "arrived", { count, text });
    };
    this.#announcing ??= setTimeout(announce, 100);
  }

  #announce(key, values) {
    this.#parts.status.textContent = this.say(key, values);
  }

  // --- Rendering

  /** Render once for all that changes before the next frame; hidden pages get no frames. */
  #schedule() {
    if (this.#due) return;
    const render = () => this.#due === render && this.#render();
    this.#due = render;
    requestAnimationFrame(render);
    setTimeout(render, 250);
  }

  get #source() {
    return this.#tab === "all" ? this.#client.all : this.#client;
  }

  #render(isOpen = this.open) {
    this.#due = null;
    if (!this.#client) return;
    const { badge, button } = this.#parts;
    const { unread: count, loaded, status, user } = this.#client;
    if (user !== this.#user) {
      this.#user = user;
      this.#shown = [];
      this.#isRefused = false;
      this.#undo = null;
    }
    const name = this.say("notifications");
    const number = this.#wording.number.format(Math.min(count, MAX_BADGE));
    const shown = count > MAX_BADGE ? `${number}+` : number;
    // Its name says what is to be seen, or those who speak to their computer cannot name it.
    const label = count ? `${name}, ${this.#wording.say("unread", { count: shown }, count)}` : name;
    badge.hidden = !count;
    badge.textContent = shown;
    if (button.ariaLabel !== label) button.ariaLabel = label;
    if (isOpen) this.#renderPanel(count);
    // Nothing of an inbox stays in the document longer than it is in the inbox.
    else if (this.#rows.size) this.#renderRows([]);
    if ((loaded || status === "signed-out") && count !== this.#count) {
      this.#count = count;
      this.#tell("count", { unread: count });
    }
  }

  #renderPanel(count) {
    const p = this.#parts;
    const root = this.shadowRoot;
    const focused = root.activeElement;
    const index = focused === p.more ? Infinity : rowsOf(p.list).indexOf(focused?.closest(".item"));
    const { items: known, hasMore, loaded } = this.#source;
    const isOut = this.#client.status === "signed-out";

    // Who reads further down, or has the focus in the list, keeps the place: what arrives above
    // waits behind a button that says how many.
    const isReading = p.body.scrollTop > 8 || index >= 0;
    this.#top = (isReading && (this.#top || this.#shown[0]?.position)) || "";
    // In a storm what somebody reads may come to lie below what is loaded: it is there all the same.
    const bottom = hasMore && this.#top && known.at(-1)?.position;
    const sunken = this.#shown.filter(({ position }) => position < bottom);
    sunken.sort((a, b) => (a.position < b.position ? 1 : -1));
    const items = [...known, ...sunken.filter((one) => !this.#done.has(one))];
    // Nothing may be left of what was read.
    if (!items.some(({ position }) => position <= this.#top)) this.#top = "";
    const isOld = ({ position }) => !this.#top || position <= this.#top;
    const old = items.filter(isOld);
    this.#shown = old.slice(0, MAX_SHOWN);
    this.#seen = this.#client.items.filter(isOld);
    // Between what is read and what is loaded may be what nobody has seen.
    this.#from = this.#top && !this.#seen.length ? this.#shown[0] : undefined;
    if (this.#from) this.#seen = this.#shown.filter((item) => !item.read_at);
    let newer = items.length - old.length;
    // Of those that are not loaded only the count is known.
    if (!sunken.length) this.#under = count - items.length;
    else newer = Math.max(newer, count - this.#under - old.length);

    for (const tab of p.tabs.children) {
      const isChosen = tab.id === this.#tab;
      tab.ariaSelected = isChosen;
      tab.tabIndex = isChosen ? 0 : -1;
    }
    p.tabs.hidden = isOut;
    p.markAll.hidden = !count || !this.#client.loaded;
    this.#renderNote(loaded && !isOut);
    p.newer.hidden = !newer;
    p.newer.textContent = this.say("arrived_many", { count: newer });
    this.#renderRows(this.#shown);
    // The server may refuse what was done to them.
    if (this.#top) this.#shown.push(...sunken.filter((one) => this.#done.has(one)));
    this.#renderState(items.length || (hasMore && loaded) ? "" : this.#stateName);
    p.tail.hidden = !loaded || !hasMore || known.length >= MAX_SHOWN;
    p.more.textContent = this.say(this.#isLoadingMore ? "loading" : "load_more");
    p.more.ariaDisabled = this.#isLoadingMore;
    const href = safeUrl(this.querySelector(":scope > a:not([slot])")?.href);
    p.all.hidden = !href;
    p.foot.hidden = !href && !this.querySelector('[slot="footer"]');
    if (href) p.all.href = href;
    p.all.textContent = this.say(isOut ? "sign_in" : "see_all");

    // What had the focus may have been moved, or have gone.
    const isThere = !focused || focused.checkVisibility();
    if (isThere && root.activeElement !== focused) focusOn(focused);
    if (isThere) return;
    const rows = rowsOf(p.list);
    const near = rows[Math.min(index, rows.length - 1)];
    focusOn(near ? controlOf(near, focused) : p.panel);
  }

  get #stateName() {
    const { loaded, error } = this.#source;
    if (this.#client.status === "signed-out") return "signed_out";
    if (loaded) return this.#tab === "all" ? "empty_all" : "empty";
    return error ? "error" : "loading";
  }

  #renderNote(isShown) {
    const { note } = this.#parts;
    const { status } = this.#client;
    let name = "";
    if (this.#isRefused) name = "refused";
    else if (this.#undo) name = "dismissed";
    // A page that was set up to poll has nothing to excuse.
    else if (status === "offline" || (status === "polling" && this.hasAttribute("socket"))) name = status;
    note.hidden = !name || !isShown;
    if (note.name === name) return;
    note.name = name;
    note.classList.toggle("problem", this.#isRefused);
    const picture = icon({ polling: "info", dismissed: "dismiss" }[name] ?? "warning");
    const undo = () => this.#undo?.abort();
    const button = name === "dismissed" && makeButton("text-button undo", undo, this.say("undo"));
    note.replaceChildren(picture, make("span", "", this.say(name)), button || "");
  }

  #renderState(name) {
    const { state } = this.#parts;
    if (state.name === name) return;
    state.name = name;
    state.hidden = !name;
    state.replaceChildren();
    if (!name) return;
    const kind = { error: "warning", signed_out: "debug", loading: "debug" }[name] ?? "success";
    const picture = make("div", "state-icon", icon(kind === "debug" ? "bell" : kind));
    picture.classList.add(kind);
    const again = () => (this.#tab === "all" ? this.#client.all.open() : this.#client.refresh());
    // The page may have put something of its own there.
    const slot = make("slot", "", { name: name.replace("_all", "") }, picture);
    slot.append(make("b", "", this.say(name)), name === "loading" ? "" : this.say(`${name}_hint`));
    if (name === "error") slot.append(makeButton("text-button retry", again, this.say("retry")));
    state.append(slot);
  }

  /** Bring the rows in order, touching only those that differ. */
  #renderRows(items) {
    const { list } = this.#parts;
    const wanted = new Map(items.map((item) => [item.id, item]));
    for (const [id, row] of this.#rows) {
      if (row.shows(wanted.get(id))) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = list.firstElementChild;
    for (const item of items) {
      const row = this.#rows.get(item.id) ?? this.#makeRow(item);
      this.#rows.set(item.id, row);
      if (row.element === next) next = next.nextElementSibling;
      else list.insertBefore(row.element, next);
    }
    list.hidden = !items.length;
  }

  #makeRow(item) {
    let custom = null;
    try {
      custom = this.renderItem?.(item);
    } catch (error) {
      this.#failed({ error, action: null });
    }
    return new Row(item, this.#wording, custom);
  }
}

if (globalThis.customElements && !customElements.get("notification-bell")) {
  customElements.define("notification-bell", NotificationBell);
}
