// The service worker of the static site. It asks the network first and answers
// from the cache where that fails, so that the site works without a network.
// The program and the model are worker.js's, which keeps them in the same cache.
'use strict';

const version = self.location.search.slice(1); // the page registers sw.js?VERSION

self.addEventListener('install', (event) => event.waitUntil((async () => {
  const { shell } = await (await fetch('site.json', { cache: 'no-cache' })).json();
  const cache = await caches.open(version);
  await cache.addAll(shell.map((path) => new Request(path, { cache: 'no-cache' })));
  await self.skipWaiting();
})()));

self.addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith('coclico-') && name !== version) await caches.delete(name);
  }
  await self.clients.claim();
})()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && new URL(request.url).origin === self.location.origin) {
    event.respondWith(fetch(request).catch(async (error) => {
      const kept = await caches.match(request, { ignoreSearch: true });
      if (kept) return kept;
      throw error;
    }));
  }
});
