// node worker.mjs WORKER: fetches a file with worker.js from a host that first
// sends one of another version, and then the right one; and starts a program that
// ends.
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import vm from 'node:vm';

const right = new TextEncoder().encode('a file of this version');
const wrong = new TextEncoder().encode('a file of that version');
const file = { path: 'model/x', bytes: right.length, sha256: createHash('sha256').update(right).digest('hex') };

let sent;
const kept = new Map();
Object.assign(globalThis, {
  self: globalThis,
  location: new URL('https://example.com/site/worker.js'),
  caches: { open: async () => ({ match: async (path) => kept.get(path)?.clone(), put: async (path, response) => { kept.set(path, response); } }) },
  fetch: async (path, { cache } = {}) => {
    assert.equal(cache, 'no-cache', 'the answer may be an old one');
    return new Response(sent);
  },
});
vm.runInThisContext(fs.readFileSync(process.argv[2], 'utf8'));
const get = () => bytesOf(file, 'coclico-1', () => {});

sent = wrong;
await assert.rejects(get(), /another version/);
assert.equal(kept.size, 0);
sent = right;
assert.deepEqual(await get(), right);
assert.equal(kept.size, 1);
sent = wrong;
assert.deepEqual(await get(), right, 'what is kept is not used');

// Without digests a file has the right length at least.
kept.clear();
Object.defineProperty(globalThis, 'crypto', { value: {} });
assert.deepEqual(await get(), wrong);
kept.clear();
sent = right.subarray(1);
assert.equal((await get()).length, right.length - 1);

// A program that ends is reported, and a call that is aborted does not wait for it.
const posted = [];
const program = { path: 'codec.wasm', bytes: 8, sha256: '' };
let open;
Object.assign(globalThis, {
  postMessage: (message) => posted.push(message),
  Go: class { run() { return Promise.resolve(); } },
  coclico: { open: () => new Promise((resolve) => { open = resolve; }) },
});
sent = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
onmessage({ data: { site: { version: 'coclico-1', program, model: {} }, id: 1, call: 'parse', args: [] } });
while (!open) await new Promise((resolve) => setTimeout(resolve));
assert.ok(posted.some(({ ended }) => ended), 'nobody hears that the program has ended');
onmessage({ data: { id: 1, abort: true } });
await new Promise((resolve) => setTimeout(resolve));
assert.equal(posted.at(-1).error?.name, 'AbortError', 'a call that is aborted waits for the model');

// What still comes after a file has failed is not told: it would hide the reason.
posted.length = 0;
kept.clear();
const late = { path: 'model/late', bytes: 3, sha256: '' };
let release;
const held = new Promise((resolve) => { release = resolve; });
caches.open = async () => ({ match: async (path) => { if (path === late.path) { await held; return new Response('abc'); } }, put: async () => {} });
sent = new Uint8Array(1); // too short for the program
await assert.rejects(load({ version: 'coclico-1', program, model: { late } }));
assert.ok(posted.at(-1).error, 'nobody hears that the model did not load');
release();
await new Promise((resolve) => setTimeout(resolve, 50));
assert.ok(posted.at(-1).error, 'progress is told after the failure');
