// The worker: Python, beside the page. It loads what a request needs and hands the request to lossprimer.page.
import { loadPyodide } from "./pyodide/pyodide.module.js";
import { later, version } from "./sizes.js";

const here = new URL("./", import.meta.url).href;
const files = `${here}pyodide/`;
const cacheName = (version) => `python ${here} ${version}`;

// Pyodide waits for ever where a file of the interpreter cannot be had: the first one that fails is told.
let fail;
const failed = new Promise((_, reject) => (fail = reject));

// The page's policy does not reach into a worker: what is typed here asks no other host either.
const { fetch } = self;
self.fetch = async (request, options) => {
  const { origin, pathname } = new URL(request.url ?? request, here);
  if (origin !== location.origin) throw new TypeError("A page asks no other host.");
  const name = pathname.split("/").at(-1);
  try {
    const response = await fetch(request, options);
    if (!response.ok) throw new TypeError(`${response.status}`);
    return response;
  } catch (error) {
    fail(new Error(`${name} could not be fetched (${error.message})`));
    throw error;
  }
};
for (const name of ["XMLHttpRequest", "WebSocket", "EventSource", "WebTransport"]) delete self[name];

const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (fetched, imports) => {
  try {
    // A server that does not know the kind of file does not keep it from being used.
    const response = await fetched;
    return response.headers.get("content-type")?.startsWith("application/wasm")
      ? await instantiateStreaming.call(WebAssembly, response, imports)
      : await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  } catch (error) {
    fail(error);
    throw error;
  }
};

class NotFetched extends Error {}

// Figures are drawn where there is no window, and progress bars need threads.
const ENVIRONMENT = { MPLBACKEND: "agg", TQDM_DISABLE: "1" };

let page, packages, python;

async function start() {
  python = await loadPyodide({ indexURL: files, packages: ["numpy", "lossprimer"], env: ENVIRONMENT });
  packages = Object.values((await (await self.fetch(`${files}pyodide-lock.json`)).json()).packages);
  page = python.pyimport("lossprimer.page");
}
const started = Promise.race([start(), failed]);
started.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ broken: String(error?.message ?? error) }),
);

// The packages that bring these modules, and what those need, as far as they are not there yet.
function missing(modules) {
  const found = new Map();
  const add = (entry) => {
    if (!entry || found.has(entry.name) || entry.name in python.loadedPackages) return;
    found.set(entry.name, entry);
    for (const name of entry.depends) add(packages.find((other) => other.name.toLowerCase() === name.toLowerCase()));
  };
  for (const module of modules) add(packages.find(({ imports }) => imports.includes(module)));
  return [...found.values()];
}

// Load what brings these modules; tells whether there was anything to load.
async function load(modules) {
  const wanted = missing(modules);
  if (wanted.length === 0) return false;
  const bytes = wanted.reduce((sum, entry) => sum + (later[entry.file_name] ?? 0), 0);
  const asked = wanted.filter(({ imports }) => imports.some((name) => modules.includes(name)));
  const names = asked.map(({ name }) => name).join(", ");
  postMessage({ progress: `Loading ${names}: ${Math.max(1, Math.round(bytes / 1e6))} MB, once` });
  const quiet = { messageCallback() {}, errorCallback() {} };
  await python.loadPackage(wanted.map(({ name }) => name.toLowerCase()), quiet);
  const left = missing(modules);
  if (left.length) throw new NotFetched(`${names} could not be fetched. Is there a connection? Try again.`);
  return true;
}

// Keep what was fetched for a time without a connection, when offline.js answers. A new edition of the site drops it.
async function keep() {
  if (!self.caches) return;
  const name = cacheName(version);
  for (const other of await caches.keys()) if (other.startsWith(cacheName("")) && other !== name) await caches.delete(other);
  const cache = await caches.open(name);
  const fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
  for (const address of new Set([import.meta.url, `${files}pyodide.module.js`, `${here}sizes.js`, ...fetched]))
    if (address.startsWith(here) && !(await cache.match(address))) await cache.add(address);
}

async function answer({ id, kind, request }) {
  try {
    await started;
    const text = JSON.stringify(request);
    await load(JSON.parse(page.needs(text)));
    for (;;) {
      postMessage({ id, running: true });
      const found = JSON.parse(page.answer(kind, text));
      if (!(await load(found.missing))) {
        delete found.missing;
        return postMessage({ id, found });
      }
    }
  } catch (error) {
    // An error of Python is a fault of the request; any other one has ended Python.
    const fault = error instanceof NotFetched || error?.constructor?.name === "PythonError";
    const said = String(error?.message ?? error).trim();
    postMessage({ id, error: fault ? said.split("\n").at(-1) : said, ended: !fault });
  }
}

// One request after the other; what was fetched is kept when there is time.
let queue = Promise.resolve();
let waiting = 0;
onmessage = ({ data }) => {
  waiting += 1;
  queue = queue.then(() => answer(data)).then(() => {
    waiting -= 1;
    if (waiting === 0) setTimeout(() => keep().catch(() => {}), 1000);
  });
};
