// What the browser keeps: the works of the page, in a database that its tabs
// share.

import { $ } from './tools.js';

// Two tabs share the database, and tell each other what has changed.
export const tabs = globalThis.BroadcastChannel && new BroadcastChannel('coclico');

export const store = {
  // open opens the database; without one nothing outlives the page.
  async open() {
    try {
      this.db = await this.done(Object.assign(indexedDB.open('coclico', 1), {
        onupgradeneeded: (event) => event.target.result.createObjectStore('works', { keyPath: 'id' }),
      }));
    } catch {
      $('#kept').textContent = 'This browser keeps nothing for this page: they are gone when it is closed.';
    }
  },
  done: (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }),
  works(mode = 'readwrite') { return this.db.transaction('works', mode).objectStore('works'); },
  async all() { return this.db ? this.done(this.works('readonly').getAll()) : []; },
  async get(id) { return this.db && this.done(this.works('readonly').get(id)); },
  async put(work) {
    const { controller, urls, ...kept } = work;
    if (this.db) await this.done(this.works().put(kept)).catch(() => { $('#kept').textContent = 'This browser has no room for more: the newest pictures are gone when the page is closed.'; });
    tabs?.postMessage({ id: work.id });
  },
  async remove(id) {
    if (this.db) await this.done(this.works().delete(id));
    tabs?.postMessage({ id });
  },
};
