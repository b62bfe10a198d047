// The engines of the page.
//
// An engine encodes and decodes; its data are those of the server's
// openapi.yaml. encode returns Encoded. decode returns the painting as a Blob;
// watch is told {position}, {step, steps, seconds_left, preview}, {source} and
// {job}, with which a later call resumes after a reload.

import { $, element, fromBase64, orAbort, pause, randomName } from './tools.js';

class Problem extends Error {
  constructor(message, status, after) {
    super(message);
    Object.assign(this, { status, after });
  }
}

// again returns after how many seconds a refused request is worth another try,
// undefined if it never is. It is a proxy that answers while its server is away,
// and nothing (0) if there is no proxy. The server itself says when to come back,
// unless that would change nothing.
function again({ status, headers }) {
  if (![0, 429, 502, 503, 504].includes(status)) return undefined;
  const text = headers.get('Retry-After') ?? '';
  if (status === 503 && !text && headers.get('Content-Type')?.startsWith('application/problem+json')) return undefined;
  const seconds = /^[0-9]+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 2 : Math.min(Math.max(seconds, 1), 3600);
}

async function problemOf(response) {
  const { detail, title } = await response.json().catch(() => null) ?? {};
  return new Problem(detail ?? title ?? `the server answers ${response.status}`, response.status, again(response));
}

// maxSilent is how many requests without an answer are tried again: those of some
// 20 seconds, in which a server restarts.
const maxSilent = 10;

// A Server is coclico serve.
class Server {
  constructor(info) {
    Object.assign(this, { info, name: 'server', builtIn: info.model.builtin, size: info.model.size, maxSize: info.limits.size });
  }

  async request(path, options = {}) {
    const response = await fetch(path, options).catch((error) => {
      if (error.name === 'AbortError') throw error;
      throw new Problem(`the server does not answer (${error.message})`, 0, 2);
    });
    if (response.ok) return response;
    throw await problemOf(response);
  }

  // patient tries again as long as the server is too busy. Where nothing answers,
  // it may be the request: a server may end the connection of one that is too
  // large. That is not sent without end.
  async patient(signal, watch, request) {
    let silent = 0; // how many requests in a row have had no answer
    for (let busy = false; ; busy = true) {
      try {
        const response = await request();
        if (busy) watch({ busy: false });
        return response;
      } catch (error) {
        silent = error.status === 0 ? silent + 1 : 0;
        if (!(error instanceof Problem) || !error.after || silent > maxSilent) throw error;
        signal?.throwIfAborted();
        watch({ busy: true });
        await orAbort(pause(1000 * error.after), signal);
      }
    }
  }

  async encode(blob, options, watch, signal) {
    const response = await this.patient(signal, watch, () => this.request(`v1/encode?${new URLSearchParams(options)}`, {
      method: 'POST', body: blob, signal, headers: { Accept: 'application/json', 'Content-Type': blob.type || 'application/octet-stream' },
    }));
    return response.json();
  }

  async decode(file, options, watch, signal, job) {
    const started = job ? Promise.resolve({ job }) : this.start(file, options, watch, signal);
    try {
      const { source, job } = await orAbort(started, signal);
      if (source) watch({ source, job });
      const picture = await this.events(job, watch, signal);
      return await (await this.request(picture, { signal })).blob();
    } catch (error) {
      if (signal.aborted) started.then(({ job }) => fetch(`${job}?client=${client}`, { method: 'DELETE', keepalive: true })).catch(() => {});
      throw error;
    }
  }

  // start asks for a decode. The signal does not abort the request: the server
  // may be at work already, and only its answer says what to cancel.
  async start(file, options, watch, signal) {
    const parameters = new URLSearchParams({ ...options, client });
    const response = await this.patient(signal, watch, () => this.request(`v1/decodes?${parameters}`, {
      method: 'POST', body: fromBase64(file), headers: { 'Content-Type': 'application/vnd.coclico' },
    }));
    const { source } = await response.json();
    return { source, job: new URL(response.headers.get('Location'), location.href).pathname };
  }

  // events watches a decode to its end and returns the path of its picture. An
  // EventSource comes back by itself after a lost connection, but not after an
  // answer that is no stream, which a status explains.
  events(job, watch, signal) {
    return new Promise((resolve, reject) => {
      const source = new EventSource(`${job}/events`);
      const end = (settle, value) => { source.close(); settle(value); };
      const on = (name, f) => source.addEventListener(name, (event) => event.data !== undefined && f(JSON.parse(event.data)));
      on('position', watch);
      on('step', watch);
      on('done', ({ picture }) => end(resolve, picture));
      on('canceled', () => end(reject, new DOMException('canceled elsewhere', 'AbortError')));
      on('shutdown', ({ finishing }) => finishing || end(reject, new Problem('the server stops; it paints this when it is back', 503, 2)));
      on('error', ({ problem }) => end(reject, new Problem(problem.detail ?? problem.title, problem.status)));
      source.onerror = () => {
        if (source.readyState !== EventSource.CLOSED) return;
        this.request(job).then((r) => r.json()).then(({ state, picture }) => {
          if (state === 'done') resolve(picture);
          // It is still at work: only the stream was refused, as by a proxy.
          else if (['queued', 'running'].includes(state)) reject(new Problem('the server sends no events now', 503, 2));
          else reject(new Problem(`the decode is ${state}`, 404));
        }).catch(reject);
      };
      signal.addEventListener('abort', () => end(reject, signal.reason));
      if (signal.aborted) end(reject, signal.reason);
    });
  }

  async archive(after) { return (await this.request(`v1/archive?${new URLSearchParams({ limit: 1000, ...after && { after } })}`)).json(); }
  async search(query) { return (await this.request(`v1/search?${new URLSearchParams({ k: 200, ...query })}`)).json(); }
}

// patience is for how many milliseconds a worker may not hear that a call is
// aborted: its program hears nothing in the middle of a step.
const patience = 2000;

// A Local engine is package codec in a worker of this browser.
class Local {
  constructor(list, onLoading, script = 'worker.js') {
    Object.assign(this, { list, onLoading, script, name: 'browser', builtIn: true, size: 128, maxSize: 512, calls: new Map() });
  }

  // send sends the worker a message, and starts one if none is at work.
  send(message) {
    this.worker ??= this.start();
    this.worker.postMessage({ site: this.list, ...message });
  }

  start() {
    const worker = new Worker(this.script);
    worker.onmessage = ({ data }) => this.heard(data);
    worker.onerror = (event) => this.fail(event.message || 'the worker cannot start');
    return worker;
  }

  // stop ends the worker. The next message starts another.
  stop() {
    if (!this.worker) return;
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
    this.worker = undefined;
    this.onLoading(null); // it will not tell that it has loaded the model
  }

  // fail ends a worker that answers no call any more. The calls are not tried
  // again: one of them may be the reason.
  fail(message) {
    this.stop();
    for (const { reject } of this.calls.values()) reject(new Error(message));
    this.calls.clear();
  }

  // warm loads the program and the model before they are needed.
  warm() { this.send({}); }

  heard({ id, step, result, error, loading, ended }) {
    if (ended) {
      this.fail('the program of this page has stopped, perhaps for want of memory');
      return;
    }
    if (loading !== undefined) {
      this.onLoading(loading, error?.message);
      return;
    }
    const call = this.calls.get(id);
    if (step) {
      if (call) call.begun = true;
      call?.watch(step);
      return;
    }
    this.calls.delete(id);
    if (!error) call?.resolve(result);
    else call?.reject(error.name === 'AbortError' ? new DOMException(error.message, 'AbortError') : Object.assign(new Error(error.message), { refused: error.refused }));
  }

  call(name, input, options, watch, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted(); // it will not abort again
      const id = randomName();
      const message = { id, call: name, args: [input, options] };
      this.calls.set(id, { message, resolve, reject, watch });
      signal?.addEventListener('abort', () => this.abort(id, signal.reason));
      this.send(message);
    });
  }

  // abort rejects a call at once. If the worker does not answer it soon, another
  // takes its place and the calls that are not aborted. But a call that has only
  // waited for one at work is no reason to begin that one anew: the worker drops
  // it when it hears.
  async abort(id, reason) {
    const call = this.calls.get(id);
    if (!call) return; // it is answered
    call.reject(reason);
    Object.assign(call, { aborted: true, watch: () => {} });
    this.send({ id, abort: true });
    await pause(patience);
    if (this.calls.get(id) !== call || !call.begun && [...this.calls.values()].some(({ begun, aborted }) => begun && !aborted)) return;
    this.stop();
    for (const [id, other] of [...this.calls]) {
      if (other.aborted) {
        this.calls.delete(id);
        continue;
      }
      other.begun = false;
      this.send(other.message);
    }
  }

  async encode(blob, options, watch, signal) {
    try {
      return await this.call('encode', new Uint8Array(await blob.arrayBuffer()), options, watch, signal);
    } catch (error) {
      if (!error.refused) throw error;
      // The browser may know a kind of picture that the program does not.
      const pixels = await this.pixels(blob).catch(() => { throw error; });
      return this.call('encode', pixels, options, watch, signal);
    }
  }

  async pixels(blob) {
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    const context = Object.assign(element('canvas'), { width, height }).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return { width, height, rgba: new Uint8Array(context.getImageData(0, 0, width, height).data.buffer) };
  }

  async decode(file, options, watch, signal) {
    const { size } = options; // of a link, too
    if (size && !(Number(size) <= this.maxSize)) throw new Error(`size ${size}: this browser paints up to ${this.maxSize}`);
    const bytes = fromBase64(file);
    watch({ source: await this.call('parse', bytes, {}, watch, signal) });
    let started;
    const timed = (step) => {
      if (!step.step) started = performance.now(); // also where another worker begins anew
      const left = (step.steps - step.step) * (performance.now() - started) / step.step / 1000;
      watch({ ...step, ...step.step && { seconds_left: left } });
    };
    return new Blob([await this.call('decode', bytes, options, timed, signal)], { type: 'image/png' });
  }
}

// findEngine asks for a server; without one this is a static site, whose engine
// tells onLoading how much of the model is loaded, or why it is not. It calls
// onWait before it waits for a server that is away.
export async function findEngine(onLoading, onWait) {
  const held = $('#worker'); // one file has everything
  if (held) return new Local(JSON.parse(held.dataset.list), onLoading, URL.createObjectURL(new Blob([held.textContent], { type: 'text/javascript' })));
  const ask = (path) => fetch(path, { cache: 'no-cache', headers: { Accept: 'application/json' } }).catch(() => Response.error());
  for (;;) {
    const info = await ask('v1/info');
    if (info.ok && info.headers.get('Content-Type')?.includes('json')) return new Server(await info.json());
    const site = await ask('site.json'); // as old as the files that it lists, and in the cache without a network
    if (site.ok) {
      const list = await site.json();
      navigator.serviceWorker?.register(`sw.js?${list.version}`).catch(() => {});
      return new Local(list, onLoading);
    }
    if (info.ok || info.status === 404 && site.status === 404) throw new Error('there is neither a server nor a model here');
    const problem = await problemOf(info.status === 404 ? site : info);
    if (!problem.after) throw problem;
    onWait();
    await pause(1000 * problem.after);
  }
}

// client tells this browser apart from others at the same address.
const client = localStorageItem('client', randomName);

function localStorageItem(key, make) {
  try {
    const name = `coclico-${key}`;
    if (!localStorage[name]) localStorage[name] = make();
    return localStorage[name];
  } catch {
    return make();
  }
}
