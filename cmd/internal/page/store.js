// What the browser keeps: the works of the page, in a database that its tabs
// share, and for each tab which works were removed.

import { $ } from './tools.js';

// Two tabs share the database, and tell each other what has changed.
export const tabs = globalThis.BroadcastChannel && new BroadcastChannel('coclico');

// removed are the ids of works that this tab's history may still name. They
// outlive the page as the history does, unless the browser keeps nothing.
export const removed = {
  ids: new Set(),
  key: (id) => `coclico removed ${id}`,

  add(id) {
    this.ids.add(id);
    try {
      sessionStorage.setItem(this.key(id), '');
    } catch {
      // The page knows it, until it is loaded again.
    }
  },

  has(id) {
    try {
      return this.ids.has(id) || sessionStorage.getItem(this.key(id)) !== null;
    } catch {
      return false;
    }
  },
};

const note = (text) => { $('#kept').textContent = text; };

export const store = {
  // open opens the database; without one nothing outlives the page.
  open() {
    this.opening ??= this.connect().finally(() => { this.opening = undefined; });
    return this.opening;
  },

  async connect() {
    try {
      this.db = await new Promise((resolve, reject) => {
        const request = indexedDB.open('coclico', 1);
        request.onupgradeneeded = () => request.result.createObjectStore('works', { keyPath: 'id' });
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      this.db.onclose = () => note('This browser has cleared what it kept for this page: the pictures made before are gone when the page is closed.');
    } catch {
      this.db = undefined;
      note('This browser keeps nothing for this page: pictures are gone when the page is closed.');
    }
  },

  // use returns the result of a request for the works. It is there when the
  // transaction is complete: only then has a write found room. A browser closes
  // the database when it clears a site's data; a new one is empty.
  async use(mode, ask) {
    for (let again = false; this.db; again = true) {
      const { db } = this;
      try {
        return await new Promise((resolve, reject) => {
          const transaction = db.transaction('works', mode);
          const request = ask(transaction.objectStore('works'));
          transaction.oncomplete = () => resolve(request.result);
          transaction.onabort = () => reject(transaction.error);
        });
      } catch (error) {
        if (again || error?.name === 'QuotaExceededError') throw error;
        if (db === this.db) await this.open();
      }
    }
    return undefined;
  },

  async all() { return await this.use('readonly', (works) => works.getAll()).catch(() => {}) ?? []; },
  get(id) { return this.use('readonly', (works) => works.get(id)); },

  // put keeps a work, unless there is no room. Then it is unkept: what is kept of
  // it, if anything, is older.
  async put(work) {
    const { controller, unwanted, urls, unkept, ...kept } = work;
    try {
      await this.use('readwrite', (works) => works.put(kept));
      work.unkept = false;
      tabs?.postMessage({ id: work.id }); // only now: another tab would read what is older
    } catch {
      work.unkept = true;
      note('This browser has no room for more: the newest pictures are gone when the page is closed.');
    }
  },

  async remove(id) {
    await this.use('readwrite', (works) => works.delete(id));
    tabs?.postMessage({ id });
  },
};
