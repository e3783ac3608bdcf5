// The page's one connection to Python: a worker that begins with the first request and is kept until it is stopped.
//
//   await python.ask("run", { code })             { printed, outputs: [{ mime, data }], error }
//   await python.ask("check", { task, code })     { passed, report, html, printed, error }
//   python.stop()                                 what was asked for is rejected with { stopped: true }
//   python.addEventListener("state", ({ detail }) => { detail.state, detail.text })
import { first as size } from "./sizes.js";

export { size };
const SECONDS = 60;
const MARK = `python ${new URL("./", import.meta.url).pathname}`;

// Whether Python has run in this browser before, so that its files need not be fetched again.
function hasStarted() {
  try { return localStorage.getItem(MARK) !== null; } catch { return false; }
}

function remember() {
  try { localStorage.setItem(MARK, "started"); } catch { /* then the size is told again */ }
  navigator.serviceWorker?.register(new URL("offline.js", import.meta.url)).catch(() => {});
}

// Why Python cannot run here, as a sentence, or nothing.
export function obstacle() {
  if (location.protocol === "file:")
    return "Python does not start in a page that was opened as a file. Serve the folder (python -m http.server), or read this page on the web.";
  if (typeof Worker === "undefined" || typeof WebAssembly === "undefined")
    return "This browser has no " + (typeof Worker === "undefined" ? "workers" : "WebAssembly") + ", which Python needs here.";
  return "";
}

class Python extends EventTarget {
  state = "off";
  text = "";
  #worker = null;
  #asked = new Map();
  #last = 0;
  #timer = 0;

  // `seconds` is the time that the code may take, without what has to be loaded for it.
  ask(kind, request, { seconds = SECONDS } = {}) {
    return new Promise((resolve, reject) => {
      const ask = { id: ++this.#last, kind, request, seconds, resolve, reject };
      const why = obstacle();
      if (why) return this.#end("failed", why, [ask]);
      this.#asked.set(ask.id, ask);
      this.#send(ask);
    });
  }

  stop() {
    if (this.#worker) this.#end("stopped", "Stopped.");
  }

  #send({ id, kind, request }) {
    try {
      this.#start();
      this.#worker.postMessage({ id, kind, request });
    } catch (error) {
      this.#end("failed", `Python did not start: ${error.message}.`);
    }
  }

  #start() {
    if (this.#worker) return;
    this.#set("starting", hasStarted() ? "Starting Python" : `Starting Python: ${size}, once`);
    this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#end("failed", `Python did not start: ${event.message || "a file could not be fetched"}. Is there a connection? Try again.`);
    });
  }

  #hear({ id, progress, ready, broken, running, found, error, ended }) {
    const ask = this.#asked.get(id);
    if (progress) this.#set("starting", progress);
    if (ready) {
      this.#set("ready", "Python is ready.");
      remember();
    }
    if (broken) this.#end("failed", `Python did not start: ${broken}. Is there a connection? Try again.`);
    if (running) {
      this.#set("running", "Running");
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#late(ask), 1000 * ask.seconds);
    }
    if (found || error) {
      clearTimeout(this.#timer);
      this.#asked.delete(id);
      if (ended) {
        const memory = /memory|allocat/i.test(error) ? " The memory of the page was used up." : "";
        return this.#end("failed", `Python came to an end: ${error}.${memory} What you typed is still here; the next run starts anew.`, [ask]);
      }
      if (this.#asked.size === 0) this.#set("ready", "");
      if (found) ask.resolve(found);
      else ask.reject(new Error(error));
    }
  }

  // Only ending the worker ends a loop; what else was asked for comes from the next one.
  #late(ask) {
    const others = [...this.#asked.values()].filter((other) => other !== ask);
    const time = ask.seconds === 1 ? "1 second" : `${ask.seconds} seconds`;
    this.#end("stopped", `Stopped after ${time}: does a loop never end?`, [ask]);
    for (const other of others) {
      this.#asked.set(other.id, other);
      this.#send(other);
    }
  }

  #end(state, text, asks = [...this.#asked.values()]) {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = null;
    this.#asked.clear();
    this.#set(state, text);
    for (const { reject } of asks) reject(Object.assign(new Error(text), { stopped: state === "stopped" }));
  }

  #set(state, text) {
    Object.assign(this, { state, text });
    this.dispatchEvent(new CustomEvent("state", { detail: { state, text } }));
  }
}

export const python = new Python();
