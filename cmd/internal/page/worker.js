// The worker of the static site: package codec as WebAssembly, and the model.
// The page sends {id, call, args} and {id, abort}; it gets {loading, error},
// {id, step}, {id, result} and {id, error}, or {ended} if the program has ended.
'use strict';

const calls = new Map(); // AbortControllers of what is running
let ready;

self.onmessage = ({ data }) => {
  if (data.abort) {
    calls.get(data.id)?.abort();
    return;
  }
  ready ??= load(data.site);
  ready.catch(() => {}); // the page is told
  if (data.call) run(data);
};

async function run({ id, call, args }) {
  const controller = new AbortController();
  calls.set(id, controller);
  let asked = false; // an error of the program is about the input, one before is not
  try {
    await Promise.race([ready, aborted(controller.signal)]);
    await new Promise((resolve) => setTimeout(resolve)); // an abort that has come meanwhile is heard
    controller.signal.throwIfAborted();
    asked = true;
    const onStep = (step) => self.postMessage({ id, step });
    self.postMessage({ id, result: await self.coclico[call](...args, onStep, controller.signal) });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message, refused: asked && error.name !== 'AbortError' } });
  } finally {
    calls.delete(id);
  }
}

// aborted fails when a signal aborts.
const aborted = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

// load fetches the program and the model, which the site lists, and starts them.
async function load(site) {
  const failed = new AbortController();
  try {
    const { program, model } = site;
    const total = [program, ...Object.values(model)].reduce((sum, file) => sum + file.bytes, 0);
    let done = 0;
    // After a failure it would hide the reason: a file of the cache still comes.
    const progress = (n) => failed.signal.aborted || self.postMessage({ loading: { done: done += n, total } });
    const get = async (file) => {
      try {
        const data = await bytesOf(file, site.version, progress, failed.signal);
        if (data.length !== file.bytes) throw new Error(`${data.length} bytes, not ${file.bytes}`);
        return data;
      } catch (error) {
        throw new Error(`${file.path}: ${error.message}`);
      }
    };
    const names = Object.keys(model);
    const [code, ...weights] = await Promise.all([program, ...names.map((name) => model[name])].map(get));
    if (!self.Go) self.importScripts(site.runtime);
    const go = new self.Go();
    const { instance } = await WebAssembly.instantiate(code, go.importObject);
    self.coclicoMemory = instance.exports.mem;
    go.run(instance).finally(() => self.postMessage({ ended: true }));
    await self.coclico.open(Object.fromEntries(names.map((name, i) => [name, weights[i]])));
    self.postMessage({ loading: null });
  } catch (error) {
    ready = undefined; // another call tries again
    failed.abort(); // the other files
    self.postMessage({ loading: null, error: { message: error.message } });
    throw error;
  }
}

// bytesOf returns a file, from this version's cache if the browser has one.
async function bytesOf(file, version, progress, signal) {
  const held = self.coclicoFiles?.[file.path]; // in one file with everything
  if (held) {
    const packed = Uint8Array.from(atob(held), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    const data = new Uint8Array(await new Response(plain).arrayBuffer());
    progress(data.length);
    return data;
  }
  const cache = self.caches && await self.caches.open(`${version} ${new URL('./', self.location).pathname}`).catch(() => null);
  const kept = await cache?.match(file.path);
  if (kept) {
    const data = new Uint8Array(await kept.arrayBuffer());
    progress(data.length);
    return data;
  }
  const response = await fetch(file.path, { cache: 'no-cache', signal });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const data = new Uint8Array(file.bytes);
  let n = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (n + value.length > data.length) throw new Error(`more than ${file.bytes} bytes`);
    data.set(value, n);
    n += value.length;
    progress(value.length);
  }
  if (n < data.length) return data.subarray(0, n);
  if (!await isListed(data, file)) throw new Error('a file of another version; load the page again in a few minutes');
  await cache?.put(file.path, new Response(data)).catch(() => {}); // a full disk is no reason to stop
  return data;
}

// isListed reports whether data is a file of this version: what comes first to an
// address may be an older one. A browser that has no digests, as without HTTPS,
// has no cache either that could keep it.
async function isListed(data, file) {
  if (!self.crypto?.subtle) return true;
  const sum = new Uint8Array(await self.crypto.subtle.digest('SHA-256', data));
  return Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('') === file.sha256;
}
