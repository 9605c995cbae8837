import type { InboxClient, InboxMessage, InboxStatus, InboxErrorDetail } from "./inbox-client.js";

/**
 * `<notification-bell>`: a button with a count and a panel with the messages.
 *
 * Attributes: `inbox`, `mark-all`, `socket` (URLs; without `socket` the bell polls),
 * `csrf-header`, `lang`, `theme` (`light` or `dark`; by default that of the page); with
 * `notification-extras.js` also `toasts` and `count-in-title`, and with `notification-desktop.js`
 * after it `desktop`, with `notification-sound.js` `sound` (empty, or the address of a file); with
 * `notification-keys.js` `keys`.
 *
 * Inside: a link, which is shown until the element is upgraded and leads to the page with all
 * messages; `<script type="application/json">` with texts; the slots `icon`, `empty`, `header`, `footer`.
 *
 * Parts: `button`, `icon`, `badge`, `panel`, `head`, `title`, `mark-all`, `tabs`, `tab`, `note`,
 * `body`, `newer`, `list`, `item`, `link`, `level`, `content`, `subject`, `text`, `meta`, `actor`,
 * `time`, `tick`, `dismiss`, `tail`, `more`, `state`, `state-icon`, `retry`, `undo`, `foot`, `all`;
 * of what it does besides `toasts`, `toast`, `toast-close`, `toast-summary`, `offer`, `desktop-on`,
 * `desktop-off`, `help`, `keys`.
 * An `item` also has the part `read` or `unread`, and `debug`, `info`, `success`, `warning` or
 * `problem`; the buttons that are words have `text-button`.
 *
 * Custom properties: `--notification-bell-` and one of `font`, `font-size`, `background`, `text`, `muted`,
 * `border`, `hover`, `accent`, `badge`, `badge-text`, `info`, `success`, `warning`, `error`,
 * `radius`, `width`, `size`.
 */
export class NotificationBell extends HTMLElement {
  /** The inbox client, shared by the bells of the same inbox; null while not in a page. */
  readonly client: InboxClient | null;
  /** Whether the panel is open. */
  open: boolean;
  /**
   * What a row shows in place of the level's sign and the texts: a node or a text. Nothing for what
   * the bell would show. It stands inside the message's link, so it should hold no other. It is for
   * the rows that are drawn from then on; opening the panel draws them all.
   */
  renderItem?: ((message: InboxMessage) => Node | string | null | undefined | void) | null;
  /** A list item like those of the panel; its link and buttons work anywhere in the shadow tree. */
  drawItem(message: InboxMessage): HTMLElement;
  /** A text in the bell's language, by its key. */
  say(key: string, values?: Readonly<Record<string, string | number>>): string;

  addEventListener<K extends keyof NotificationBellEventMap>(
    type: K,
    listener: (this: NotificationBell, event: NotificationBellEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof NotificationBellEventMap>(
    type: K,
    listener: (this: NotificationBell, event: NotificationBellEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

export interface MessagesDetail {
  readonly messages: readonly InboxMessage[];
}

/** They bubble and are composed. */
export interface InboxBellEvents {
  /** A message has arrived. */
  "inbox:message": CustomEvent<{ readonly message: InboxMessage }>;
  /** The number of unread messages is another. */
  "inbox:count": CustomEvent<{ readonly unread: number }>;
  "inbox:status": CustomEvent<{ readonly status: InboxStatus }>;
  /** Something failed. Cancelled, it is not written to the console. */
  "inbox:error": CustomEvent<InboxErrorDetail>;

  /** What a person asked this bell for, and the server did. */
  "inbox:read": CustomEvent<MessagesDetail>;
  "inbox:unread": CustomEvent<MessagesDetail>;
  "inbox:dismiss": CustomEvent<MessagesDetail>;

  /** The same before it is done. Cancelled, it is not done. */
  "inbox:before-read": CustomEvent<MessagesDetail>;
  "inbox:before-unread": CustomEvent<MessagesDetail>;
  "inbox:before-dismiss": CustomEvent<MessagesDetail>;
  /** A link is followed. Cancelled, the browser stays where it is; the message is read all the same. */
  "inbox:before-follow": CustomEvent<MessagesDetail>;
}

export interface NotificationBellEventMap extends HTMLElementEventMap, InboxBellEvents {}

declare global {
  interface HTMLElementTagNameMap {
    "notification-bell": NotificationBell;
  }
  interface HTMLElementEventMap extends InboxBellEvents {}
  interface DocumentEventMap extends InboxBellEvents {}
}
