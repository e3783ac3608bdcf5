// A service worker for this folder alone: without a connection, Python starts from what worker.js has kept. It controls
// no page, and while there is a connection it changes nothing.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const kept = async (error) => (await caches.match(event.request, { ignoreVary: true })) ?? Promise.reject(error);
  if (event.request.method === "GET") event.respondWith(fetch(event.request).catch(kept));
});
