/** A message, as REST and the socket describe it. */
export interface InboxMessage {
  /** Opaque outside the server. */
  readonly id: string;
  /** The text as it was stored; may contain HTML. */
  readonly message: string;
  /** The text to show. */
  readonly text: string;
  /** Django's levels plus one: 11, 21, 26, 31, 41; other numbers are possible. */
  readonly level: number;
  readonly level_tag: string;
  readonly tags: string;
  readonly extra_tags: string;
  /** ISO 8601. */
  readonly date: string;
  /** http(s), or a path of the site. */
  readonly url: string | null;
  readonly data: InboxMessageData;
  /** Order of arrival; opaque, but strings compare. */
  readonly position: string;
  readonly stamp: number;
  readonly broadcast: boolean;
  readonly read_at: string | null;
}

/** What the application attached; these keys have a meaning, others are its own. */
export interface InboxMessageData {
  readonly title?: string;
  readonly actor?: string;
  readonly icon?: string;
  readonly group?: string;
  readonly [key: string]: unknown;
}

export type InboxStatus = "connecting" | "live" | "polling" | "offline" | "signed-out";

export interface InboxErrorDetail {
  /** With `status`, an HTTP status, where the server answered. */
  readonly error: Error & { readonly status?: number };
  /** The method that failed; null for a list, which is tried again by itself. */
  readonly action: "markRead" | "markUnread" | "dismiss" | "markAllRead" | "loadMore" | null;
}

export interface InboxEventMap {
  /** Anything that the properties show has changed. */
  change: CustomEvent<undefined>;
  /** A message has arrived. */
  message: CustomEvent<InboxMessage>;
  status: CustomEvent<InboxStatus>;
  error: CustomEvent<InboxErrorDetail>;
}

/** What the client takes from the browser, for tests and for custom transports. */
export interface InboxPlatform {
  fetch(url: string, init: RequestInit): Promise<Response>;
  WebSocket: new (
    url: string,
  ) => Pick<WebSocket, "readyState" | "close"> &
    Partial<Pick<WebSocket, "onopen" | "onmessage" | "onclose">>;
  BroadcastChannel: (new (name: string) => BroadcastChannel) | undefined;
  /** Web Locks: with them and inbox-tabs.js, the tabs of a browser share one socket. */
  locks: LockManager | undefined;
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Milliseconds that never go back. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  window: EventTarget | undefined;
  document: (EventTarget & Pick<Document, "baseURI" | "visibilityState">) | undefined;
  localStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  sessionStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  console: Pick<Console, "info">;
}

export interface InboxClientOptions {
  /** URL of the list. */
  inbox: string | URL;
  /** URL of the list of everything; `../archive/`, seen from `inbox`, by default. */
  archive?: string | URL;
  /** URL to mark all read; `../mark_all_read/`, seen from the list, by default. */
  markAll?: string | URL;
  /** URL of the socket, or its path; without one the client polls. */
  socket?: string | URL | null;
  /** The request header that carries the CSRF token; `X-CSRFToken` by default. */
  csrfHeader?: string;
  /** Messages to a page, 20 by default, at most 100. */
  pageSize?: number;
  platform?: Partial<InboxPlatform>;
}

export interface DismissOptions {
  /** Milliseconds in which it can be undone; 0 by default. */
  delay?: number;
  signal?: AbortSignal;
  /** Asked when the time is over: while it returns true, the time is not. */
  isHeld?(): boolean;
}

/** Everything that the user got and did not dismiss; the client's `change` event covers it. */
export interface InboxArchive {
  /** The messages that are loaded, newest first; unread ones have a `read_at` of null. */
  readonly items: readonly InboxMessage[];
  readonly loaded: boolean;
  readonly hasMore: boolean;
  /** Why the last request failed; null when it did not. */
  readonly error: (Error & { readonly status?: number }) | null;
  /** Load, and keep current. Opening again asks anew, and shows what is known meanwhile. */
  open(): void;
  /** Cost nothing any more. */
  close(): void;
  /** Load the next page. Resolves to whether there was one and it came. */
  loadMore(): Promise<boolean>;
}

/** A user's unread messages, kept true while the page lives. It has no user interface. */
export class InboxClient extends EventTarget {
  constructor(options: InboxClientOptions);

  /** The unread messages that are loaded, newest first; with what the user is just doing. */
  readonly items: readonly InboxMessage[];
  /** How many are unread; before the first list, how many the last page view knew of. */
  readonly unread: number;
  /** Whether a list has come since the user is known. */
  readonly loaded: boolean;
  /** Whether there are unread messages that are not loaded. */
  readonly hasMore: boolean;
  /** Opaque key of the inbox's owner; null while it is not known. */
  readonly user: string | null;
  readonly status: InboxStatus;
  /** All messages, read or not. Costs nothing until it is opened. */
  readonly all: InboxArchive;
  /** Why the last list failed; null when it did not. */
  readonly error: (Error & { readonly status?: number }) | null;

  /**
   * Keep the socket though the page is hidden, for a title or a sound that tells of news. False by
   * default: hidden pages let go of it after a minute.
   */
  background: boolean;

  /** Begin. Starting what runs already does nothing. */
  start(): void;
  /** Let go of the socket, the timers and the listeners. What is known stays readable. */
  stop(): void;
  /** Ask the server now. Resolves when the answer, or its failure, is in. */
  refresh(): Promise<void>;
  /** Load the next page. Resolves to whether there was one and it came. */
  loadMore(): Promise<boolean>;
  /**
   * Mark one message read: shown at once, taken back with an `error` event when the server
   * refuses. Resolves to whether the server did it. The request survives a navigation. With
   * inbox-tabs.js, what no server answers is kept, also over the end of the page, and sent later.
   */
  markRead(id: string): Promise<boolean>;
  /** Mark one message unread again. Shown at once and taken back in the same way. */
  markUnread(id: string): Promise<boolean>;
  /**
   * Remove one message from inbox and archive, for good. Shown at once and taken back in the same
   * way. With a `delay` it is sent that much later, or when the page is hidden or left; until then
   * `signal` undoes it, and the promise resolves to false.
   */
  dismiss(id: string, options?: DismissOptions): Promise<boolean>;
  /**
   * Mark read what is shown (`ids`; by default all that is loaded) and everything older than what
   * is loaded. What arrived after the user looked stays unread. With `from`, it and everything older
   * is meant instead: for who still shows messages that lie below what is loaded by now.
   */
  markAllRead(ids?: readonly string[], from?: InboxMessage): Promise<boolean>;

  addEventListener<K extends keyof InboxEventMap>(
    type: K,
    listener: (this: InboxClient, event: InboxEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof InboxEventMap>(
    type: K,
    listener: (this: InboxClient, event: InboxEventMap[K]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
