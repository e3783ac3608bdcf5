// The worker: Python, beside the page. It loads what a request needs and hands the request to lossprimer.page.
import { loadPyodide } from "./pyodide/pyodide.mjs";
import { later } from "./sizes.js";

const files = new URL("pyodide/", import.meta.url).href;
const tell = (text) => postMessage({ progress: text });
const megabytes = (bytes) => (bytes < 950_000 ? "under 1 MB" : `${Math.round(bytes / 1e6)} MB`);

// Pyodide only warns of some failures, and then waits for ever: they are reported from here.
const failed = new Promise((_, reject) => {
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (response, imports) => {
    try {
      response = await response;
      if (!response.ok) throw new Error(`${new URL(response.url).pathname}: ${response.status}`);
      return await instantiateStreaming.call(WebAssembly, response, imports);
    } catch (error) {
      reject(error);
      throw error;
    }
  };
});

let page, packages, python;

async function start() {
  python = await loadPyodide({ indexURL: files, packages: ["numpy", "lossprimer"], env: { MPLBACKEND: "agg" } });
  packages = Object.values((await (await fetch(`${files}pyodide-lock.json`)).json()).packages);
  page = python.pyimport("lossprimer.page");
}
const started = Promise.race([start(), failed]);
started.then(() => postMessage({ ready: true }), (error) => postMessage({ broken: String(error?.message ?? error) }));

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

async function load(modules) {
  const wanted = missing(modules);
  if (wanted.length === 0) return false;
  const bytes = wanted.reduce((sum, entry) => sum + (later[entry.file_name] ?? 0), 0);
  const names = wanted.filter(({ imports }) => modules.includes(imports[0]) || modules.some((name) => imports.includes(name)));
  tell(`Loading ${names.map(({ name }) => name).join(", ")}: ${megabytes(bytes)}, once`);
  await python.loadPackage(wanted.map(({ name }) => name.toLowerCase()), { messageCallback() {}, errorCallback() {} });
  const left = missing(modules);
  if (left.length) throw new Error(`${left.map(({ name }) => name).join(", ")} could not be fetched`);
  return true;
}

async function answer({ id, kind, request }) {
  try {
    await started;
    const text = JSON.stringify(request);
    await load(JSON.parse(page.needs(text)));
    for (;;) {
      postMessage({ id, running: true });
      const found = JSON.parse(page.answer(kind, text));
      if (await load(found.missing)) continue;
      delete found.missing;
      return postMessage({ id, found });
    }
  } catch (error) {
    // An error of Python is a fault of the request; any other one has ended Python.
    const python = error?.constructor?.name === "PythonError";
    postMessage({ id, error: python ? error.message.trim().split("\n").at(-1) : String(error?.message ?? error), ended: !python });
  }
}

let queue = Promise.resolve();
onmessage = ({ data }) => (queue = queue.then(() => answer(data)));
