/**
 * One key for each thing that is done in the panel (attribute `keys`), and `?` for what they are.
 *
 * They are heard while the focus is in the panel and nowhere else, as WCAG asks of single letters.
 * They press the panel's own buttons, so that all that holds for those holds here too. Loading it
 * twice is harmless.
 */

const LOADED = Symbol.for("stored_messages.notification-keys");

const STYLE = `
.help { flex: none; inline-size: 2em; aspect-ratio: 1; margin-inline-start: 4px; border-radius: 50%;
  border: 1px solid var(--_border); color: var(--_muted); line-height: 1; }
.mark-all[hidden] + .help { margin-inline-start: auto; }
.help:hover, .help[aria-expanded="true"] { color: var(--_accent); background: var(--_hover); }
/* Fingers alone. Without any pointer at all it may be a keyboard that is there alone. */
@media (hover: none) and (pointer: coarse) { .help:not([aria-expanded="true"]) { display: none; } }
.keys { flex: none; display: grid; grid-template-columns: auto 1fr; align-items: baseline;
  gap: 6px 14px; margin-block-start: 10px; padding: 10px 16px; background: var(--_hover); }
kbd { display: inline-block; min-inline-size: 1.8em; padding-inline: .4em; margin-inline-end: 4px;
  text-align: center; font: .93em ui-monospace, monospace; border-radius: 4px;
  border: 1px solid var(--_border); background: var(--_background); }
`;

/** What is told of them: keys, and the text that says what they do. */
const HELP = [
  [["J", "K"], "keys_move"],
  [["Enter", "O"], "keys_open"],
  [["E", "X"], "mark_read"],
  [["U"], "mark_unread"],
  [["#", "Delete"], "dismiss"],
];

const OWN_KEYS = "input, select, textarea, [contenteditable]";

const SIGNS = { "؟": "?", "№": "#" }; // of an Arabic keyboard, and of a Russian one

/** Where a keyboard has other letters, the one that stands on the key in English. */
function keyOf({ key, code, shiftKey }) {
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? [];
  const name = letter && !/^[a-z]$/i.test(key) ? letter : (SIGNS[key] ?? key);
  return shiftKey ? name : name.toLowerCase(); // capitals may be locked
}

let styleSheet;

class Keys {
  #bell;
  #root;
  #panel;
  #button = document.createElement("button");
  #list = document.createElement("dl");
  #lastRead = null;
  #hasDismissed = false; // since then
  #actions = {
    j: () => this.#step("ArrowDown"),
    k: () => this.#step("ArrowUp"),
    o: () => this.#row?.querySelector("a.link")?.click(),
    e: () => this.#read(),
    x: () => this.#read(),
    u: () => this.#takeBack(),
    "#": () => this.#press(".dismiss"),
    delete: () => this.#press(".dismiss"),
    "?": () => this.#explain(this.#list.hidden),
  };

  constructor(bell) {
    this.#bell = bell;
    this.#root = bell.shadowRoot;
    this.#panel = this.#root.querySelector(".panel");
    if (!styleSheet) {
      styleSheet = new CSSStyleSheet();
      styleSheet.replaceSync(STYLE);
    }
    this.#root.adoptedStyleSheets.push(styleSheet);
    const button = { type: "button", className: "help", part: "help", textContent: "?" };
    Object.assign(this.#button, button);
    this.#button.setAttribute("aria-controls", "keys");
    this.#button.addEventListener("click", this.#actions["?"]);
    Object.assign(this.#list, { id: "keys", className: "keys", part: "keys" });
    const head = this.#root.querySelector(".head");
    head.append(this.#button);
    head.after(this.#list);
    this.#explain(false);
    this.#panel.addEventListener("beforetoggle", () => {
      this.#lastRead = null;
      this.#explain(false);
    });
    this.#panel.addEventListener("keydown", (event) => this.#pressed(event));
    bell.addEventListener("inbox:before-dismiss", () => (this.#hasDismissed = true));
  }

  #pressed(event) {
    const { altKey, ctrlKey, metaKey, isComposing } = event;
    if (altKey || ctrlKey || metaKey || isComposing || !this.#bell.hasAttribute("keys")) return;
    const action = this.#actions[keyOf(event)];
    // The controls that the page has put there have keys of their own.
    const isElsewhere = this.#bell.contains(event.target);
    if (!action || isElsewhere || event.composedPath()[0].closest(OWN_KEYS)) return;
    event.preventDefault();
    event.stopPropagation(); // the page may mean something else by it
    // A key that is held moves on, and does no more than that.
    if (!event.repeat || /^[jk]$/.test(keyOf(event))) action();
  }

  get #row() {
    return this.#root.activeElement?.closest(".list > .item");
  }

  /** As the arrows do, but to the link where there is one: it is what Enter opens. */
  #step(key) {
    this.#panel.dispatchEvent(new KeyboardEvent("keydown", { key })); // for nobody else to hear
    this.#row?.querySelector("a.link")?.focus();
  }

  /** Press a button of the row, and go on to the next. */
  #press(name) {
    const button = this.#row?.querySelector(name);
    if (!button?.checkVisibility()) return; // the page does not offer it
    this.#step("ArrowDown");
    button.click();
  }

  #read() {
    const row = this.#row;
    if (!row?.matches(".unread")) return this.#step("ArrowDown");
    const { items, all } = this.#bell.client;
    this.#lastRead = [...items, ...all.items].find(({ id }) => id === row.dataset.id);
    this.#hasDismissed = false;
    this.#press(".tick");
  }

  /** Mark unread: this one, or what is not there any more because it was read or dismissed just now. */
  #takeBack() {
    const row = this.#row;
    if (row?.matches(".read")) return row.querySelector(".tick").click();
    const undo = this.#root.querySelector(".undo");
    if (undo && (this.#hasDismissed || !this.#lastRead)) {
      this.#hasDismissed = false;
      return undo.click();
    }
    if (!this.#lastRead) return;
    const read = this.#bell.drawItem({ ...this.#lastRead, read_at: new Date().toISOString() });
    this.#lastRead = null;
    read.hidden = true;
    this.#root.append(read);
    read.querySelector(".tick").click();
    read.remove();
  }

  #explain(isShown) {
    const [bell, button, list] = [this.#bell, this.#button, this.#list];
    button.hidden = !bell.hasAttribute("keys");
    button.title = button.ariaLabel = bell.say("keys");
    button.ariaExpanded = isShown;
    list.hidden = !isShown;
    list.replaceChildren();
    if (!isShown) return;
    const drop = this.#root.querySelector(".list .dismiss");
    for (const [keys, text] of HELP) {
      if (text === "dismiss" && drop && !drop.checkVisibility()) continue; // the page does not offer it
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      for (const key of keys) {
        const cap = document.createElement("kbd");
        cap.textContent = key;
        term.append(cap);
      }
      meaning.textContent = bell.say(text);
      list.append(term, meaning);
    }
  }
}

const known = new WeakSet();

if (globalThis.document && !document[LOADED]) {
  document[LOADED] = true;
  document.addEventListener("inbox:count", (event) => {
    const [bell] = event.composedPath(); // it may stand in another element's shadow tree
    if (!bell.hasAttribute("keys") || known.has(bell)) return;
    known.add(bell);
    new Keys(bell);
  });
}
