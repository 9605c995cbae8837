import type { InboxClient } from "./inbox-client.js";

/**
 * `<notification-bell>`: a button with a count and a panel with the unread messages.
 *
 * Attributes: `inbox`, `mark-all`, `socket` (URLs; without `socket` the bell polls), `csrf-header`,
 * `lang`, `theme` (`light` or `dark`; by default that of the page).
 *
 * Parts: `button`, `icon`, `badge`, `panel`, `head`, `title`, `mark-all`, `note`, `body`, `list`,
 * `item`, `link`, `level`, `content`, `subject`, `text`, `meta`, `actor`, `time`, `tick`, `tail`,
 * `more`, `rest`, `state`, `state-icon`, `foot`, `all`.
 *
 * Custom properties: `--notification-bell-` and one of `font`, `background`, `text`, `muted`,
 * `border`, `hover`, `accent`, `badge`, `badge-text`, `info`, `success`, `warning`, `error`,
 * `radius`, `width`, `size`.
 */
export class NotificationBell extends HTMLElement {
  /** The inbox client, shared by the bells of the same inbox; null while not in a page. */
  readonly client: InboxClient | null;
  /** Whether the panel is open. */
  open: boolean;
}

declare global {
  interface HTMLElementTagNameMap {
    "notification-bell": NotificationBell;
  }
}
