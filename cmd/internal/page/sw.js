// The service worker of the static site. It asks the network first and answers
// from the cache where that fails, so that the site works without a network.
// The program and the model are worker.js's, which keeps them in the same cache.
'use strict';

// The page registers sw.js?VERSION. Sites of one host have caches of their own:
// the name of one is VERSION PATH, as worker.js has it.
const path = new URL('./', self.location).pathname;
const cacheName = `${self.location.search.slice(1)} ${path}`;

self.addEventListener('install', (event) => event.waitUntil((async () => {
  const { shell } = await (await fetch('site.json', { cache: 'no-cache' })).json();
  const cache = await caches.open(cacheName);
  await cache.addAll(shell.map((file) => new Request(file, { cache: 'no-cache' })));
  await self.skipWaiting();
})()));

self.addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith('coclico-') && name.endsWith(` ${path}`) && name !== cacheName) await caches.delete(name);
  }
  await self.clients.claim();
})()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && new URL(request.url).origin === self.location.origin) {
    event.respondWith(fetch(request).catch(async (error) => {
      const cache = await caches.open(cacheName);
      const kept = await cache.match(request, { ignoreSearch: true });
      if (kept) return kept;
      throw error;
    }));
  }
});
