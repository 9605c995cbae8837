/** A WebSocket for Node, as far as a push-only socket needs one: it can also stop reading. */

import { randomBytes } from "node:crypto";
import http from "node:http";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

function masked(opcode, payload = Buffer.alloc(0)) {
  const mask = randomBytes(4);
  const body = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, body]);
}

/** The class for somebody with these headers (cookies, origin). */
export function webSocketFor(headers) {
  return class {
    readyState = 0;
    onopen = null;
    onmessage = null;
    onclose = null;
    #socket = null;
    #data = Buffer.alloc(0);
    #code = 1006;

    constructor(url) {
      this.request = http.get(url.replace(/^ws/, "http"), {
        agent: false,
        headers: {
          ...headers(),
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
          "Sec-WebSocket-Version": "13",
        },
      });
      this.request.on("error", () => this.#ended());
      this.request.on("response", (response) => {
        response.destroy();
        this.#ended();
      });
      this.request.on("upgrade", (_, socket, head) => this.#opened(socket, head));
    }

    close() {
      if (this.readyState === 3) return;
      this.readyState = 3;
      if (this.#socket) this.#socket.end(masked(CLOSE));
      else this.request.destroy();
      this.onclose = null;
    }

    heard(data) {
      this.onmessage?.({ data });
    }

    pause() {
      this.#socket?.pause();
    }

    resume() {
      this.#socket?.resume();
    }

    #opened(socket, head) {
      if (this.readyState === 3) {
        socket.destroy();
        return;
      }
      this.#socket = socket;
      this.readyState = 1;
      socket.on("error", () => this.#ended());
      socket.on("close", () => this.#ended());
      socket.on("end", () => this.#ended());
      this.onopen?.();
      socket.on("data", (data) => this.#read(data));
      if (head.length) this.#read(head);
    }

    #ended() {
      this.#socket?.destroy();
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.onclose?.({ code: this.#code });
    }

    #read(data) {
      this.#data = Buffer.concat([this.#data, data]);
      while (this.#data.length >= 2) {
        let start = 2;
        let length = this.#data[1] & 0x7f;
        if (length === 126) {
          if (this.#data.length < 4) return;
          length = this.#data.readUInt16BE(2);
          start = 4;
        } else if (length === 127) {
          if (this.#data.length < 10) return;
          length = Number(this.#data.readBigUInt64BE(2));
          start = 10;
        }
        if (this.#data.length < start + length) return;
        const payload = this.#data.subarray(start, start + length);
        const opcode = this.#data[0] & 0x0f;
        this.#data = this.#data.subarray(start + length);
        this.#hear(opcode, payload);
      }
    }

    #hear(opcode, payload) {
      if (this.readyState !== 1) return;
      if (opcode === TEXT) {
        this.heard(payload.toString());
      } else if (opcode === PING) {
        this.#socket.write(masked(PONG, payload));
      } else if (opcode === CLOSE) {
        this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        this.#socket.end(masked(CLOSE, payload));
        this.#ended();
      }
    }
  };
}
