/**
 * Tabs without a browser: each is the real inbox client on real sockets and requests. Asked by lines
 * of JSON, it answers so. What no tab may ever show is found here, at every change.
 */

import readline from "node:readline";

import "../../static/realtime/inbox-client.js";
import { webSocketFor } from "./websocket.mjs";

globalThis.CustomEvent ??= class CustomEvent extends Event {
  constructor(type, { detail = null, ...options } = {}) {
    super(type, options);
    this.detail = detail;
  }
};

const InboxClient = globalThis[Symbol.for("stored_messages.InboxClient")];
const tabs = new Map();

class Tab {
  lists = 0;
  #listBegan = null;
  #listTook = 0; // the last one
  posts = 0;
  frames = 0;
  connections = 0;
  liveAt = null; // since when its socket is up
  downAt = Date.now();
  deliveries = 0; // `stored` frames
  #heard = []; // what came by these to try the live path, the last ones
  announced = new Map();
  violations = [];
  newsAt = 0; // when an event came last
  recent = []; // what happened last, and when
  socket = null;
  #cookies = new Map();

  constructor({ name, user, origin, session, pageSize }) {
    Object.assign(this, { name, user, origin });
    this.#cookies.set("sessionid", session);
    const tab = this;
    const RealSocket = webSocketFor(() => ({ Cookie: this.#cookie, Origin: origin }));
    this.client = new InboxClient({
      inbox: `${origin}/messages/inbox/`,
      socket: `${origin}/ws/inbox/`,
      pageSize,
      platform: {
        fetch: (url, init) => this.#fetch(url, init),
        console: { info() {} },
        window: undefined,
        document: undefined,
        BroadcastChannel: undefined,
        localStorage: null,
        sessionStorage: null,
        WebSocket: class extends RealSocket {
          constructor(url) {
            super(url);
            tab.connections += 1;
            tab.socket = this;
          }
          heard(data) {
            tab.frames += 1;
            tab.note(data.slice(0, 120));
            if (!data.startsWith('{"type":"sync"')) tab.newsAt = Date.now();
            if (data.startsWith('{"type":"stored"')) tab.#arrived(data);
            super.heard(data);
          }
        },
      },
    });
    this.client.addEventListener("change", () => this.#inspect());
    this.client.addEventListener("status", ({ detail }) => {
      this.note(detail);
      this.liveAt = detail === "live" ? Date.now() : null;
      if (detail !== "live") this.downAt ??= Date.now();
      else this.downAt = null;
    });
    this.client.addEventListener("message", ({ detail }) => this.#announce(detail));
    this.client.start();
  }

  get #cookie() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async #fetch(url, init) {
    if (init.method === "POST") {
      this.posts += 1;
      return this.#ask(url, init);
    }
    this.lists += 1;
    this.#listBegan = Date.now();
    this.note("asks for a list");
    try {
      const answer = await this.#ask(url, init);
      this.note(`gets ${answer.status}, ${answer.headers.get("X-Unread-Count")} unread`);
      return answer;
    } finally {
      this.#listTook = Date.now() - this.#listBegan;
      this.#listBegan = null;
    }
  }

  note(what) {
    this.recent = [...this.recent.slice(-29), `${new Date().toISOString().slice(14, 23)} ${what}`];
  }

  async #ask(url, init) {
    const headers = { ...init.headers, Cookie: this.#cookie };
    const response = await fetch(url, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(";");
      const [name, value] = pair.split("=");
      this.#cookies.set(name, value);
    }
    return response;
  }

  #arrived(data) {
    this.deliveries += 1;
    const number = /"message":"for [^:"]*: (live\.[^"]+)"/.exec(data)?.[1];
    if (number) this.#heard = [...this.#heard.slice(-99), number];
  }

  #inspect() {
    const ids = new Set();
    for (const { id, message } of this.client.items) {
      if (ids.has(id)) this.violations.push(`shows ${id} twice`);
      ids.add(id);
      const names = /^for ([^:]*):/.exec(message)?.[1].split(",") ?? [];
      if (!names.includes(this.user) && !names.includes("everybody"))
        this.violations.push(`shows "${message}"`);
    }
  }

  #announce({ id, position }) {
    const arrival = `${id} ${position}`;
    this.announced.set(arrival, (this.announced.get(arrival) ?? 0) + 1);
    if (this.announced.get(arrival) > 1) this.violations.push(`announces ${id} twice`);
  }

  get state() {
    const { client, lists, posts, frames, deliveries, connections, violations } = this;
    const { liveAt, newsAt } = this;
    const heard = this.#heard;
    const { unread, hasMore, status, loaded } = client;
    const ids = client.items.map(({ id }) => id);
    const listTook = this.#listBegan ? Date.now() - this.#listBegan : this.#listTook;
    const counts = { lists, listTook, posts, frames, deliveries, connections };
    return { user: this.user, unread, hasMore, status, loaded, ids, liveAt, newsAt, violations, heard, ...counts };
  }
}

const COMMANDS = {
  open: (command) => void tabs.set(command.name, new Tab(command)),
  recent: ({ name }) => tabs.get(name).recent,
  states: () => Object.fromEntries([...tabs].map(([name, tab]) => [name, tab.state])),
  async act({ name, action, draw }) {
    const { client } = tabs.get(name);
    if (action === "markRead") {
      const item = client.items[Math.floor(draw * client.items.length)];
      return item ? client.markRead(item.id) : false;
    }
    return client[action]();
  },
  pause: ({ name }) => void tabs.get(name).socket?.pause(),
  resume: ({ name }) => void tabs.get(name).socket?.resume(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const reply = (answer) => process.stdout.write(`${JSON.stringify({ id: command.id, ...answer })}\n`);
  Promise.resolve()
    .then(() => COMMANDS[command.command](command))
    .then(
      (done) => reply({ done }),
      (error) => reply({ error: String(error.stack ?? error) }),
    );
}
