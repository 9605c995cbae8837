/**
 * What a bell does only when it is asked to: toasts for arrivals (attribute `toasts`), and the
 * count in the page's title (attribute `count-in-title`).
 *
 * It listens to the bells' own events and draws with their means, so that everything about their
 * looks and texts holds here too. Loading it twice is harmless.
 */

const LOADED = Symbol.for("stored_messages.notification-extras");
const CLAIMED = "stored_messages:toasts";

const MAX_TOASTS = 3;
const SHOWN_FOR = 8000;
const LOCKED_FOR = 3000;
const GATHER = 250; // milliseconds; what arrives together is told together
const SETTLE = 100;
const SWAPPED = 1000;
const MAX_TITLES = 200;

const STYLE = `
.toasts { position: fixed; inset: auto 16px 16px auto; inline-size: min(25.5em, 100vw - 32px);
  border: 0; overflow: visible; background: none; color: inherit; text-align: start; }
.toasts:popover-open { display: grid; gap: 8px; }
.toasts:dir(rtl) { inset: auto auto 16px 16px; }
.toast { background: var(--_background); color: var(--_text); border: 1px solid var(--_border);
  border-radius: var(--notification-bell-radius, 12px); overflow: hidden;
  box-shadow: 0 8px 28px -6px rgb(0 0 0 / .28); animation: fade .2s ease-out; }
.toast .unread::before { content: none; }
.toast .item { display: flex; align-items: start; }
.toast .link { flex: 1; }
.toast .tick { margin-inline-end: 0; }
.close { flex: none; inline-size: clamp(28px, 2em, 12vw); aspect-ratio: 1; margin: 10px 8px; margin-inline-start: 0;
  padding: 5px; }
.toast:has(.summary) { display: flex; align-items: start; }
.summary { flex: 1; padding: 14px 16px; text-align: start; font-weight: 600; }
.summary:hover { background: var(--_hover); }
@keyframes fade { from { opacity: .3; } }
@media (prefers-reduced-motion: reduce) { .toast { animation: none; } }
`;

let styleSheet;

/** The toasts of one bell: they live in its shadow tree, above everything else on the page. */
class Toasts {
  #bell;
  #box = document.createElement("div");
  #timers = new Map(); // by toast
  #isPaused = false;
  #news = [];
  #arriving = 0; // how many these are
  #summary = null;
  #counted = 0;

  constructor(bell) {
    this.#bell = bell;
    const box = this.#box;
    Object.assign(box, { className: "toasts", popover: "manual", role: "region" });
    box.setAttribute("part", "toasts");
    const pause = (isPaused) => () => {
      this.#isPaused = isPaused || box.matches(":hover, :focus-within");
      for (const toast of this.#timers.keys()) this.#wait(toast);
    };
    box.addEventListener("pointerenter", pause(true));
    // Later: while it tells of leaving, Firefox still says that it hovers.
    box.addEventListener("pointerleave", () => setTimeout(pause(false)));
    box.addEventListener("focusin", pause(true));
    box.addEventListener("focusout", () => setTimeout(pause(false)));
    box.addEventListener("keydown", ({ key, target }) => {
      if (key === "Escape") this.#remove(target.closest(".toast"));
    });
    if (!styleSheet) {
      styleSheet = new CSSStyleSheet();
      styleSheet.replaceSync(STYLE);
    }
    bell.shadowRoot.adoptedStyleSheets.push(styleSheet);
    bell.shadowRoot.append(box);
  }

  /** What is read or gone, here or elsewhere, needs no telling any more. */
  keepUnread() {
    const { client } = this.#bell;
    for (const toast of this.#timers.keys()) {
      const { id } = toast.querySelector(".item")?.dataset ?? {};
      const isOver = id ? !client?.items.some((item) => item.id === id) : !client?.unread;
      if (isOver) this.#remove(toast);
    }
  }

  removeAll() {
    for (const toast of this.#timers.keys()) this.#remove(toast);
  }

  arrived(messages, count) {
    if (!this.#news.length) setTimeout(() => this.#tell(), GATHER);
    this.#news.push(...messages);
    this.#arriving += count;
  }

  async #tell() {
    const news = this.#news.splice(0);
    const count = this.#arriving;
    this.#arriving = 0;
    const { user } = this.#bell.client ?? {};
    const isMany = news.length > MAX_TOASTS;
    const claimed = isMany
      ? [this.#summary?.isConnected || (await claim(`${user} many`, false))]
      : await Promise.all(news.map(({ id, position }) => claim(`${user} ${id} ${position}`)));
    const isLooking = isOpen(this.#bell.client) || document.hidden;
    if (isLooking || !this.#bell.isConnected || user !== this.#bell.client?.user) return;
    const own = news.filter((_, index) => claimed[isMany ? 0 : index]);
    if (isMany && own.length) this.#summarize(count, news[0]);
    else for (const message of own) this.#add(this.#item(message));
    this.keepUnread();
  }

  /** A message as the panel draws it, with a button that closes the toast and no more. */
  #item(message) {
    const item = this.#bell.drawItem(message);
    item.querySelector(".dismiss").replaceWith(this.#closeButton(message));
    const toast = element("toast", item);
    item.role = "presentation"; // it stands in no list
    return toast;
  }

  #closeButton(message) {
    const close = this.#button("close", "toast-close", () => this.#remove(close));
    close.title = close.ariaLabel = this.#bell.say("close");
    close.append(this.#bell.drawItem(message).querySelector(".dismiss").firstChild);
    return close;
  }

  /** One toast for many, which counts on while more come. */
  #summarize(count, message) {
    if (!this.#summary?.isConnected) {
      this.#counted = 0;
      this.#summary = this.#button("summary", "toast-summary", () => {
        this.#remove(this.#summary);
        this.#bell.open = true;
      });
      element("toast", this.#summary, this.#closeButton(message));
    }
    this.#counted += count;
    this.#summary.textContent = this.#bell.say("arrived_many", { count: this.#counted });
    this.#add(this.#summary.parentNode);
  }

  #button(className, part, onClick) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className });
    button.setAttribute("part", part);
    button.addEventListener("click", onClick);
    return button;
  }

  #add(toast) {
    const box = this.#box;
    box.ariaLabel = this.#bell.say("notifications");
    box.prepend(toast);
    for (const old of [...box.children].slice(MAX_TOASTS)) this.#remove(old);
    this.#wait(toast);
    if (box.matches(":focus-within")) return;
    // Shown anew it is above whatever came to the top meanwhile.
    box.hidePopover();
    box.showPopover();
  }

  #wait(toast) {
    clearTimeout(this.#timers.get(toast));
    const timer = this.#isPaused ? null : setTimeout(() => this.#remove(toast), SHOWN_FOR);
    this.#timers.set(toast, timer);
  }

  #remove(inside) {
    const toast = inside?.closest(".toast");
    if (!toast) return;
    const hadFocus = toast.matches(":focus-within");
    clearTimeout(this.#timers.get(toast));
    this.#timers.delete(toast);
    toast.remove();
    const next = this.#box.querySelector("a, button");
    if (hadFocus) (next ?? this.#bell.shadowRoot.querySelector(".button")).focus();
    if (!this.#timers.size) this.#box.hidePopover();
    if (!next) this.#isPaused = false;
  }
}

function element(name, ...children) {
  const made = document.createElement("div");
  made.className = name;
  made.setAttribute("part", name);
  made.append(...children);
  return made;
}

/**
 * Whether no tab of this browser has shown this yet: from now on this one has. What is stored
 * reaches the other tabs a moment later, so a lock stands for it until then, and until `isOver`.
 */
function claim(key, isRemembered = true, isOver = null) {
  const take = () => {
    if (!isRemembered) return true;
    const taken = JSON.parse(localStorage.getItem(CLAIMED) ?? "[]");
    if (taken.includes(key)) return false;
    localStorage.setItem(CLAIMED, JSON.stringify([...taken, key].slice(-200)));
    return true;
  };
  const hold = new Promise((resolve) => {
    const done = new AbortController();
    const end = async () => {
      await isOver;
      done.abort();
      resolve();
    };
    AbortSignal.timeout(LOCKED_FOR).addEventListener("abort", end);
    addEventListener("pagehide", resolve, { signal: done.signal });
  });
  return new Promise((resolve) => {
    // Without locks, or where storage is forbidden: better twice than never.
    if (!navigator.locks) return resolve(true);
    const held = (lock) => {
      resolve(lock !== null && take());
      return lock && hold;
    };
    const options = { ifAvailable: true };
    navigator.locks.request(`${CLAIMED} ${key}`, options, held).catch(() => resolve(true));
  });
}

const toasts = new WeakMap(); // by bell
const counts = new WeakMap(); // of what is unread, by bell
const bells = new Set(); // of the page, as far as they were heard
const arrivals = new Map(); // of this moment, by bell
const listeners = []; // to those

/** Whoever has a panel open sees the list instead. */
const isOpen = (client) => [...bells].some((bell) => bell.open && bell.client === client);

function toggled({ currentTarget, newState }) {
  const { client } = currentTarget.getRootNode().host;
  if (newState !== "open") return;
  for (const bell of bells) if (bell.client === client) toasts.get(bell)?.removeAll();
}

function meet(bell) {
  for (const one of bells) if (!one.isConnected) bells.delete(one); // pages may be swapped
  bells.add(bell);
  bell.shadowRoot.querySelector(".panel").addEventListener("beforetoggle", toggled);
}

/**
 * `listener(bell, messages, count)` hears what arrives in the same moment. Where a list brings so
 * many that it holds nothing else, there are more than it holds: as many as the count grew by.
 */
function onArrivals(listener) {
  listeners.push(listener);
}

function deliver(bell, messages) {
  arrivals.delete(bell);
  meet(bell);
  const { unread, items } = bell.client ?? { unread: 0, items: [] };
  const grown = messages.length < items.length ? 0 : unread - (counts.get(bell) ?? unread);
  counts.set(bell, unread);
  for (const listener of listeners) listener(bell, messages, Math.max(messages.length, grown));
}

function toastsOf(bell) {
  if (!toasts.has(bell)) toasts.set(bell, new Toasts(bell));
  return toasts.get(bell);
}

/** The count before the page's title, whatever the page makes of that meanwhile. */
class TitleCount {
  #bell = null;
  #count = 0;
  #ofPage = new Map(); // its own titles, by what was made of them: it may bring one of these back
  #timer = null;

  show(bell, count) {
    if (!this.#bell) {
      // Not at once: two that insist on their titles would never come to an end.
      const changed = () => (this.#timer ??= setTimeout(() => this.#changed(), SETTLE));
      const what = { childList: true, characterData: true, subtree: true };
      new MutationObserver(changed).observe(document.head, what);
    }
    this.#bell = bell;
    this.#count = count;
    this.#write();
  }

  #changed() {
    this.#timer = null;
    this.#write();
    // The next page of a site that swaps them may be one without a bell, and be there only now.
    setTimeout(() => this.#write(), SWAPPED);
  }

  #write() {
    const count = this.#bell.isConnected ? this.#count : 0;
    const own = this.#ofPage.get(document.title) ?? document.title;
    const title = count ? `(${count > 99 ? "99+" : count}) ${own}` : own;
    if (title === document.title) return;
    if (count) this.#ofPage.set(title, own);
    if (this.#ofPage.size > MAX_TITLES) this.#ofPage.delete(this.#ofPage.keys().next().value);
    document.title = title;
  }
}

const titleCount = new TitleCount();

function listen(type, listener) {
  // The path, because a bell may stand in another element's shadow tree.
  document.addEventListener(`inbox:${type}`, (event) => {
    const [bell] = event.composedPath();
    listener(bell, event.detail);
  });
}

if (globalThis.document && !document[LOADED]) {
  document[LOADED] = { claim, listen, onArrivals }; // for the other scripts
  listen("message", (bell, { message }) => {
    if (!arrivals.has(bell)) {
      arrivals.set(bell, []);
      queueMicrotask(() => deliver(bell, arrivals.get(bell)));
    }
    arrivals.get(bell).push(message);
  });
  onArrivals((bell, messages, count) => {
    // A bell that the page does not show leaves it to those that are shown.
    const isSeen = bell.checkVisibility() && !document.hidden;
    if (isSeen && bell.hasAttribute("toasts")) toastsOf(bell).arrived(messages, count);
  });
  listen("count", (bell, { unread }) => {
    meet(bell);
    counts.set(bell, unread);
    toasts.get(bell)?.keepUnread();
    if (!bell.hasAttribute("count-in-title")) return;
    bell.client.background = true; // a title is read in tabs that nobody looks at
    titleCount.show(bell, unread);
  });
}
