/**
 * A sound when something arrives (attribute `sound`): in one tab of the browser, and once for what
 * arrives within some seconds. Two notes are made here; a file that the attribute names may take
 * their place.
 *
 * It comes after notification-extras.js, from which it has how tabs agree on who tells. Loading it
 * twice is harmless.
 */

const LOADED = Symbol.for("stored_messages.notification-sound");
const EXTRAS = Symbol.for("stored_messages.notification-extras");

const PAUSE = 3000; // milliseconds
const PATIENCE = 500;

// When, in seconds, and how high, in hertz: the second begins while the first fades.
const NOTES = [
  [0, 659.26],
  [0.13, 880],
];
const ATTACK = 0.012;
const FADE = 0.7;
const VOLUME = 0.14;

class Chime {
  #audio = null;
  #files = new Map(); // by address: what they hold, or null
  #notBefore = 0;
  #isRefused = false;

  async ring(url, key) {
    const now = performance.now();
    if (this.#isRefused || now < this.#notBefore) return;
    this.#notBefore = Infinity;
    let end;
    const isOver = new Promise((resolve) => (end = resolve));
    try {
      if (!(await this.#wake())) this.#waitForSomebody();
      else if ((await claim(key)) && (await claim("sound", false, isOver))) await this.#play(url);
    } finally {
      end();
      this.#notBefore = now + PAUSE; // or now, after one that was longer
      this.#audio?.suspend(); // an open device costs energy
    }
  }

  async #wake() {
    // Chromium would write a warning.
    if (navigator.userActivation?.hasBeenActive === false) return false;
    this.#audio ??= new AudioContext();
    // Where it is not allowed this has no answer.
    await Promise.race([this.#audio.resume(), new Promise((end) => setTimeout(end, PATIENCE))]);
    return this.#audio.state === "running";
  }

  /** Browsers want somebody to have done something in a page before it is heard. */
  #waitForSomebody() {
    this.#isRefused = true;
    console.debug("notification-sound: the browser wants a click in the page first");
    const done = new AbortController();
    const options = { capture: true, signal: done.signal };
    const allow = async () => {
      done.abort();
      await this.#wake();
      this.#audio.suspend();
      this.#isRefused = false;
      this.#notBefore = 0;
    };
    document.addEventListener("click", allow, options);
    document.addEventListener("keydown", allow, options);
  }

  /** Until it is over. */
  async #play(url) {
    const file = url ? await this.#load(url) : null;
    const sources = file ? [this.#playFile(file)] : NOTES.map((note) => this.#playNote(...note));
    const length = 1000 * (file?.duration ?? FADE);
    await new Promise((resolve) => {
      sources.at(-1).onended = resolve;
      setTimeout(resolve, length + PAUSE); // a device that is taken away plays nothing to its end
    });
  }

  #playNote(delay, frequency) {
    const audio = this.#audio;
    const start = audio.currentTime + delay;
    const tone = new OscillatorNode(audio, { frequency });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(VOLUME, start + ATTACK);
    volume.gain.exponentialRampToValueAtTime(VOLUME / 1000, start + FADE);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + FADE);
    return tone;
  }

  #playFile(buffer) {
    const source = new AudioBufferSourceNode(this.#audio, { buffer });
    source.connect(this.#audio.destination);
    source.start();
    return source;
  }

  /** By a request like the bell's own: a policy for media need not allow it. */
  async #load(url) {
    if (this.#files.has(url)) return this.#files.get(url);
    let file = null;
    try {
      const answer = await fetch(url);
      file = await this.#audio.decodeAudioData(await answer.arrayBuffer());
    } catch (error) {
      console.warn(`notification-sound: ${url} cannot be played`, error);
    }
    this.#files.set(url, file);
    return file;
  }
}

const chime = new Chime();

const { claim, listen } = globalThis.document?.[EXTRAS] ?? {};

if (globalThis.document && !document[LOADED]) {
  if (!claim) throw new Error("notification-sound.js comes after notification-extras.js");
  document[LOADED] = true;
  listen("message", (bell, { message: { id, position } }) => {
    if (!bell.hasAttribute("sound")) return;
    const key = `${bell.client?.user} ${id} ${position} sound`;
    const failed = (error) => console.debug("notification-sound:", error); // no device, say
    chime.ring(bell.getAttribute("sound"), key).catch(failed);
  });
  listen("count", (bell) => {
    if (bell.hasAttribute("sound")) bell.client.background = true; // it is for who looks elsewhere
  });
}
