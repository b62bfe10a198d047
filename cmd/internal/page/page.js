// The page: pictures are dropped, an engine turns them into files of about 110
// bytes and paints those, and the browser keeps both. See package page.

import { findEngine } from './engines.js';
import { removed, store, tabs } from './store.js';
import { $, $$, count, download, drawMap, element, fromBase64, orAbort, pause, plural, randomName, say, toBase64URL, toHex } from './tools.js';

// What another tab has changed.
tabs?.addEventListener('message', async ({ data: { id, cancel } }) => {
  if (cancel) {
    works.get(id)?.controller?.abort();
    return;
  }
  const kept = await store.get(id);
  const work = works.get(id);
  if (!kept) {
    if (work) forget(work);
  } else if (!work) {
    works.set(id, kept);
    showTiles();
  } else if (!work.controller) {
    Object.assign(work, kept, { unkept: false }); // run may be waiting with it
    showTile(work);
  }
  if (id !== shown) return;
  if (kept) showWork(works.get(id));
  else leave();
});

// ---- Works
//
// A work is a picture on its way: {id, created, name, input, file, map, info,
// width, height, encoding, overrides, state, error, painting, job, unkept,
// controller, unwanted}. Its state is encoding, waiting, painting, done, canceled
// or failed. A controller is there while this tab is at it; unwanted is what was
// canceled before.

const works = new Map();
let engine;
let begin; // resolves begun: there is an engine, and what the browser keeps is shown
const begun = new Promise((resolve) => { begin = resolve; });
let shown; // the id of the work that is open

const isBusy = (work) => ['encoding', 'waiting', 'painting'].includes(work.state);

function newWork(properties) {
  const work = { id: randomName(), created: Date.now(), name: '', encoding: {}, overrides: {}, ...properties };
  works.set(work.id, work);
  return work;
}

async function change(work, properties, keep = true) {
  Object.assign(work, properties);
  if (!works.has(work.id)) return;
  if (keep) await store.put(work);
  showTile(work);
  if (work.id === shown) showWork(work);
}

// refuse says why a file is not taken.
function refuse(reason) {
  say(reason);
  $('#where').textContent = reason;
}

const isCoded = (file) => /\.coclico$/i.test(file.name);

// maxFile is more than the bytes of the longest .coclico file.
const maxFile = 140_000;

// readCoded returns a .coclico file as a link holds it.
async function readCoded(file) {
  if (file.size > maxFile) throw new Error(`${file.name} is too long for a .coclico file (at most ${plural(maxFile, 'byte')}).`);
  try {
    return toBase64URL(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    throw new Error(`${file.name} cannot be read: ${error.message}`);
  }
}

// take takes files: pictures, and .coclico files.
async function take(files) {
  await begun;
  const taken = [];
  for (const file of files) {
    if (isCoded(file)) {
      const coded = await readCoded(file).catch((error) => refuse(error.message));
      if (coded !== undefined) taken.push(newWork({ name: file.name.replace(/\.coclico$/i, ''), file: coded, state: 'waiting' }));
    } else if (file.type.startsWith('image/') || !file.type) {
      taken.push(newWork({ name: file.name || 'Pasted picture', input: file, state: 'encoding' }));
    } else {
      refuse(`${file.name} is not a picture.`);
    }
  }
  if (!taken.length) return;
  showTiles();
  open(taken[0]);
  for (const work of taken) run(work);
}

// Two queues: files are made while something is painted. What is aborted while
// it waits fails at once and is not run; what comes after it waits no less.
const queue = () => {
  let last = Promise.resolve();
  return (signal, f) => {
    const turn = orAbort(last, signal).then(f);
    last = Promise.allSettled([last, turn]).then(() => {}); // what they return is not kept
    return turn;
  };
};
const encodes = queue();
const decodes = queue();

// run brings a work to its end. If another tab is at it, run waits, and resumes
// the work if that tab is closed before the end.
async function run(work) {
  work.unwanted = false;
  const alone = (f) => navigator.locks ? navigator.locks.request(`work-${work.id}`, f) : f();
  await alone(async () => {
    const kept = await store.get(work.id).catch(() => {}); // the page works without
    // Where nothing is kept, only the page knows that a call before has ended it.
    const latest = work.unkept || !kept ? work : kept;
    if (!works.has(work.id) || !isBusy(latest)) return;
    const controller = work.controller = new AbortController();
    if (work.unwanted) controller.abort();
    const { signal } = controller;
    const watch = (event) => watchWork(work, event);
    try {
      if (work.state === 'encoding') {
        await change(work, { error: undefined });
        await encodes(signal, async () => {
          const { file, map, info, width, height, warnings } = await engine.encode(work.input, work.encoding, watch, signal);
          await change(work, { file, map, info, width, height, warnings, state: 'waiting', painting: undefined, job: undefined, progress: undefined });
        });
        say(`${work.name}: ${plural(fromBase64(work.file).length, 'byte')}`);
        if (work.id === shown && $('#gallery').hidden) rewrite(work);
      } else {
        await change(work, { state: 'waiting', error: undefined });
      }
      await decodes(signal, async () => {
        await change(work, { state: 'painting' });
        const painting = await paint(work, watch, signal);
        await change(work, { painting, state: 'done', job: undefined, progress: undefined });
      });
      say(`${work.name || 'The picture'} is painted.`);
    } catch (error) {
      const canceled = error.name === 'AbortError' || signal.aborted;
      await change(work, { state: canceled ? 'canceled' : 'failed', error: canceled ? undefined : error.message, job: undefined, progress: undefined });
      if (!canceled) say(`${work.name}: ${error.message}`);
    } finally {
      work.controller = undefined;
    }
  });
}

// paint resumes the job of an earlier page, if the server still has it.
async function paint(work, watch, signal) {
  for (;;) {
    try {
      return await engine.decode(work.file, work.overrides, watch, signal, work.job);
    } catch (error) {
      const lost = work.job && error.status === 404;
      if (!lost && !(error instanceof TypeError) && !error.after) throw error;
      signal.throwIfAborted();
      if (lost) {
        work.job = undefined;
        continue;
      }
      watch({ busy: true });
      await orAbort(pause(1000 * (error.after || 2)), signal);
      watch({ busy: false });
    }
  }
}

function watchWork(work, event) {
  if (event.source) {
    const { map, info, width, height } = event.source;
    change(work, { map, info, width, height, ...event.job && { job: event.job } });
    return;
  }
  if (event.preview) drawPreview(work, event.preview);
  change(work, { progress: { ...work.progress, ...event, preview: undefined } }, false);
}

// previews are of works that are being painted; they are not kept.
const previews = new Map();

async function drawPreview(work, preview) {
  let picture;
  if (preview.rgba) {
    picture = element('canvas', { width: preview.width, height: preview.height });
    picture.getContext('2d').putImageData(new ImageData(new Uint8ClampedArray(preview.rgba.buffer), preview.width), 0, 0);
  } else {
    picture = new Image();
    picture.src = preview;
    await picture.decode();
  }
  if (work.state !== 'painting') return;
  previews.set(work.id, picture);
  if (work.id === shown) showPicture($('#open .painting canvas'), picture);
  const tile = tiles.get(work.id);
  if (tile) showPicture($('canvas', tile), picture);
}

function showPicture(canvas, picture) {
  canvas.width = picture.naturalWidth ?? picture.width;
  canvas.height = picture.naturalHeight ?? picture.height;
  canvas.getContext('2d').drawImage(picture, 0, 0);
}

// ---- Links
//
// #BASE64URL, or #BASE64URL?seed=7&size=256 for what the file does not hold. A work
// that has no file is #/ID, which means nothing to another browser.

function linkOf(work) {
  if (!work.file) return `#/${work.id}`;
  const more = new URLSearchParams(work.overrides).toString();
  return `#${work.file}${more && `?${more}`}`;
}

const parameters = ['size', 'steps', 'strength', 'guidance', 'seed', 'color_guidance'];

// showHash shows what the address names.
function showHash(focus) {
  const [name, query] = location.hash.slice(1).split('?');
  const given = new URLSearchParams(query);
  const gallery = name === '/gallery' && engine.info?.archive;
  likeness?.abort(); // the user is elsewhere now
  $('#pictures').hidden = Boolean(gallery);
  $('#gallery').hidden = !gallery;
  for (const a of $$('nav a')) {
    if ((a.dataset.page === 'gallery') === Boolean(gallery)) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  if (gallery) {
    showGallery(Object.fromEntries(given));
    if (focus) refocus($('#gallery-title'));
    return;
  }
  const work = workOf(name, given);
  if (!work) {
    select(undefined);
    $('#open').replaceChildren();
    document.body.classList.remove('opened');
    return;
  }
  rewrite(work); // open would add it, and Back lead here again
  open(work, focus);
}

// rewrite writes a work into the current entry of the history. The entry names it
// by its ID too: the link of one that is removed makes no other.
function rewrite(work) {
  history.replaceState({ id: work.id }, '', linkOf(work));
}

// leave shows no work, after the open one is removed. The gallery may be in front
// of it.
function leave() {
  if ($('#gallery').hidden) history.replaceState(null, '', '#/');
  showHash();
}

// workOf returns the work that an address names, a new one if it is a link of
// another browser's.
function workOf(name, given) {
  if (name.startsWith('/')) return works.get(name.slice(1));
  if (!/^[A-Za-z0-9_-]{20,}$/.test(name) || name.length % 4 === 1) return undefined; // which no base64 has
  const overrides = Object.fromEntries(parameters.filter((p) => given.has(p)).map((p) => [p, given.get(p)]));
  const link = linkOf({ file: name, overrides });
  const known = [...works.values()].reverse().find((w) => w.file === name && linkOf(w) === link);
  if (known) return known;
  if (removed.has(history.state?.id)) {
    history.replaceState(null, '', '#/'); // nor does it when the page is loaded again
    return undefined;
  }
  const work = newWork({ file: name, overrides, name: given.get('name') ?? '', state: 'waiting' });
  showTiles();
  run(work);
  return work;
}

// refocus moves a focus that is lost, since what had it is hidden or gone.
function refocus(element) {
  const at = document.activeElement;
  if (!at || at === document.body || !at.checkVisibility()) element?.focus({ preventScroll: true });
}

// open shows a work. With focus, as when the user went there, a keyboard and a
// screen reader resume at its title: what they were at may be hidden now.
function open(work, focus) {
  select(work.id);
  if (location.hash !== linkOf(work)) history.pushState({ id: work.id }, '', linkOf(work));
  $('#pictures').hidden = false;
  $('#gallery').hidden = true;
  document.body.classList.add('opened');
  showWork(work, true);
  if (focus) $('#open .title').focus({ preventScroll: true });
}

// ---- The open work

// urlOf returns an address of a blob of a work. The previous one is released.
function urlOf(work, kind) {
  work.urls ??= {};
  const blob = work[kind];
  if (work.urls[kind]?.blob !== blob) {
    if (work.urls[kind]) URL.revokeObjectURL(work.urls[kind].url);
    work.urls[kind] = blob && { blob, url: URL.createObjectURL(blob) };
  }
  return work.urls[kind]?.url;
}

function showWork(work, fresh) {
  const root = $('#open');
  let article = root.firstElementChild;
  if (fresh || article?.dataset.id !== work.id) {
    article = $('#work').content.firstElementChild.cloneNode(true);
    article.dataset.id = work.id;
    root.replaceChildren(article);
    listenToWork(article, work.id);
    wipe(article, 0);
  }
  const bytes = work.file && fromBase64(work.file);
  if (bytes && !article.dataset.file) wipe(article, 200);
  article.dataset.file = work.file ?? '';
  const title = work.name || (work.file ? 'A picture from a link' : 'A picture');
  $('.title', article).textContent = title;
  article.setAttribute('aria-label', title);
  article.dataset.state = work.state;

  const input = $('.input', article);
  input.hidden = !work.input;
  if (work.input && input.src !== urlOf(work, 'input')) input.src = urlOf(work, 'input');
  if (work.map) drawMap($('.map', article), work.map);
  $('.map', article).hidden = !work.map;
  const layers = $('.layers', article);
  layers.style.setProperty('--shape', work.info?.whole ? `${work.width} / ${work.height}` : '1');
  const range = $('.wipe', article);
  range.min = work.input ? 0 : 100;
  $('.marks', article).hidden = range.hidden = !bytes;
  $('[data-at="0"]', article).hidden = !work.input;

  $('.size', article).hidden = $('.written', article).hidden = $('.otherwise', article).hidden = !bytes;
  $('.versus', article).hidden = !bytes || !work.input;
  $('.save-file', article).hidden = !bytes;
  $('.like', article).hidden = !bytes || !engine.info?.archive;
  if (bytes) showBytes(article, work, bytes);
  showState(article, work);
  showPainting(article, work);
}

function showBytes(article, work, bytes) {
  $('.size strong', article).textContent = count.format(bytes.length);
  $('.size span', article).textContent = 'bytes';
  if (work.input) {
    const times = work.input.size / bytes.length;
    $('.versus', article).textContent = `${/jpe?g/.test(work.input.type) ? 'The JPEG' : 'The picture’s file'} has ${count.format(work.input.size)}: ${count.format(Math.round(times))} times as many.`;
  }
  const hex = $('.hex', article);
  if (hex.dataset.of !== work.file) {
    hex.dataset.of = work.file;
    hex.replaceChildren(...hexOf(work, bytes));
  }
  if (work.info && !hex.firstElementChild?.classList.contains('header')) hex.replaceChildren(...hexOf(work, bytes));
  for (const [kind, size] of Object.entries(partsOf(work) ?? {})) {
    $(`.legend .${kind} + .amount`, article).textContent = plural(Math.round(10 * size) / 10, 'byte');
  }
  $('.link input', article).value = new URL(linkOf(work), location.href).href;
  $('.like', article).href = `#/gallery?file=${work.file}`;
  const name = (work.name || 'picture').replace(/\.[a-z]+$/i, '');
  Object.assign($('.save-file', article), { download: `${name}.coclico` });
  $('.save-painting', article).download = `${name} painted.png`;
  showForm(article, work);
}

// partsOf returns the parts of a work's file with their bytes, once they are known.
function partsOf({ info }) {
  const split = info?.split;
  return split && { header: split.header + (split.prompt ?? 0), color: split.color, clip: split.clip };
}

// hexOf returns the bytes in hexadecimal, marked by what they are about. Parts
// do not end at bytes; a byte is marked as its larger part.
function hexOf(work, bytes) {
  const parts = partsOf(work);
  const hex = toHex(bytes);
  const spans = [];
  let from = 0;
  let end = 0;
  for (const [kind, size] of Object.entries(parts ?? { clip: bytes.length })) {
    end += size;
    const to = kind === 'clip' ? hex.length : Math.round(end);
    spans.push(element('span', { className: `part ${parts ? kind : ''}`, textContent: hex.slice(from, to).join(' ') + (to < hex.length ? ' ' : '') }));
    from = to;
  }
  return spans;
}

const busy = 'The server is busy or away; it is asked again';

function showState(article, work) {
  const { state, progress = {}, error } = work;
  const bar = $('progress', article);
  const left = progress.seconds_left > 1 ? `, about ${plural(Math.ceil(progress.seconds_left), 'second')} left` : '';
  const steps = progress.steps ? `step ${progress.step} of ${progress.steps}${left}` : 'starting';
  const text = {
    encoding: progress.busy ? busy : progress.candidates ? `Trying seed ${progress.candidate + 1} of ${progress.candidates}` : 'Encoding',
    waiting: 'Waiting for the pictures before it',
    painting: progress.busy ? busy : progress.position && !progress.steps ? `${progress.position - 1 || 'No'} before it in the server’s queue` : `Painting, ${steps}`,
    canceled: 'Canceled.',
    failed: `It failed: ${error}`,
    done: (work.warnings ?? []).map((w) => `About the picture: ${w}.`).join(' '),
  }[state];
  const line = $('.state', article);
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
  bar.hidden = !isBusy(work);
  if (progress.candidates) bar.value = (progress.candidate + progress.step / progress.steps) / progress.candidates;
  else if (progress.steps) bar.value = progress.step / progress.steps;
  else bar.removeAttribute('value');
  showButtons(article, work);
}

// showButtons shows what can be done now. The focus of the one that goes is the
// other one's, or the title's.
function showButtons(article, work) {
  const [cancel, again] = [$('.cancel', article), $('.again', article)];
  const focused = [cancel, again].includes(document.activeElement);
  cancel.hidden = !isBusy(work);
  again.hidden = !['canceled', 'failed'].includes(work.state) || !(work.file || work.input);
  if (focused) refocus([cancel, again].find((button) => !button.hidden) ?? $('.title', article));
}

async function showPainting(article, work) {
  const layer = $('.painting', article);
  const save = $('.save-painting', article);
  save.hidden = !work.painting;
  if (!work.painting) {
    delete article.dataset.painted;
    const preview = previews.get(work.id);
    layer.hidden = !preview && !work.map;
    if (preview) showPicture($('canvas', layer), preview);
    else if (work.map) drawMap($('canvas', layer), work.map);
    return;
  }
  layer.hidden = false;
  save.href = urlOf(work, 'painting');
  const picture = new Image();
  picture.src = save.href;
  await picture.decode().catch(() => {});
  if (article.isConnected && picture.naturalWidth) showPicture($('canvas', layer), picture);
  article.dataset.painted = linkOf(work);
  previews.delete(work.id);
}

// wipe moves the boundary between picture, map (100) and painting (200).
function wipe(article, at) {
  const range = $('.wipe', article);
  range.value = at;
  const share = (from) => `${100 - Math.min(Math.max(at - from, 0), 100)}%`;
  const layers = $('.layers', article);
  layers.style.setProperty('--map', share(0));
  layers.style.setProperty('--painting', share(100));
  layers.style.setProperty('--edge', `${at % 100}%`);
  layers.classList.toggle('between', at % 100 > 0);
  range.setAttribute('aria-valuetext', at < 50 ? 'picture' : at < 150 ? 'color map' : 'painting');
  for (const mark of $$('.marks button', article)) mark.setAttribute('aria-pressed', String(Number(mark.dataset.at) === Number(at)));
}

function listenToWork(article, id) {
  const work = () => works.get(id);
  $('.wipe', article).oninput = (event) => wipe(article, Number(event.target.value));
  for (const mark of $$('.marks button', article)) mark.onclick = () => wipe(article, Number(mark.dataset.at));
  $('.cancel', article).onclick = () => cancel(work());
  $('.again', article).onclick = () => repaint(work(), {});
  $('.remove', article).onclick = () => remove(work());
  $('.save-file', article).onclick = (event) => {
    event.preventDefault();
    download(new Blob([fromBase64(work().file)], { type: 'application/vnd.coclico' }), event.currentTarget.download);
  };
  $('.save-file', article).href = '#';
  $('.link input', article).onfocus = (event) => event.target.select();
  $('.copy', article).onclick = async (event) => {
    const input = $('.link input', article);
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      input.select();
      document.execCommand('copy');
    }
    event.target.textContent = 'Copied';
    say('The link is copied.');
    await pause(2000);
    event.target.textContent = 'Copy the link';
  };
  const form = $('form', article);
  form.oninput = () => showOutputs(form);
  form.onsubmit = (event) => {
    event.preventDefault();
    paintOtherwise(work(), form);
  };
}

function cancel(work) {
  if (work.controller) {
    work.controller.abort();
  } else {
    work.unwanted = true; // run is about to begin
    tabs?.postMessage({ id: work.id, cancel: true }); // or another tab is at it
  }
  say('Canceled.');
}

async function remove(work) {
  forget(work);
  await store.remove(work.id);
  say('Removed.');
  leave();
  $('#main').focus();
}

async function repaint(work, properties) {
  work.controller?.abort();
  while (work.controller) await pause(10);
  previews.delete(work.id);
  await change(work, { painting: undefined, progress: undefined, state: work.file ? 'waiting' : 'encoding', ...properties });
  run(work);
}

// ---- Painting otherwise

const sizesOf = ({ size, maxSize }) => [0.5, 1, 1.5, 2, 3, 4].map((f) => f * size).filter((s) => s % 8 === 0 && s <= maxSize && s >= 64);

// controls are the names of what the form changes.
const controls = ['strength', 'guidance', 'seed', 'candidates', 'size'];

// settings are what a work is painted with.
const settings = (work) => ({ ...work.info?.sampling, candidates: 1, size: '', ...work.encoding, ...work.overrides });

function showForm(article, work) {
  const form = $('form', article);
  if (!work.info || form.dataset.of === linkOf(work)) return;
  form.dataset.of = linkOf(work);
  const { size: sizes, candidates } = form.elements;
  sizes.replaceChildren(element('option', { value: '', textContent: `${engine.size} (the model’s own)` }),
    ...sizesOf(engine).filter((s) => s !== engine.size).map((s) => element('option', { value: s, textContent: s })));
  const now = settings(work);
  for (const name of controls) {
    const control = form.elements[name];
    control.value = now[name];
    control.dataset.was = control.value; // a range rounds it
  }
  candidates.disabled = !work.input;
  candidates.nextElementSibling.textContent = work.input ? 'Paints from so many seeds and keeps the one nearest to the picture, for a byte.' : 'A link does not hold the picture that candidates are compared with.';
  $('.note', form).textContent = work.input ? 'The file will hold it.' : 'The link will hold it.';
  showOutputs(form);
}

function showOutputs(form) {
  for (const input of $$('input[type=range]', form)) $('output', input.parentElement).textContent = input.value;
  checkSeed(form.elements.seed);
}

const maxSeed = 2n ** 64n - 1n;

// checkSeed has the browser report an invalid seed. A seed has 64 bits, more than
// a JavaScript number holds, so it stays a string.
function checkSeed(input) {
  const wrong = !/^[0-9]{1,20}$/.test(input.value) || BigInt(input.value) > maxSeed;
  input.setCustomValidity(wrong ? `The seed must be a whole number from 0 to ${maxSeed}.` : '');
}

// paintOtherwise writes the settings into a new file where the picture is at
// hand, and into the link where only a file is.
function paintOtherwise(work, form) {
  const changed = {};
  for (const name of controls) {
    const { value, dataset } = form.elements[name];
    if (value !== (dataset.was ?? value)) changed[name] = dataset.was = value;
  }
  const { size, ...sampling } = changed;
  const overrides = { ...work.overrides, ...size !== undefined && { size } };
  if (!overrides.size) delete overrides.size;
  if (work.input && Object.keys(sampling).length) {
    const encoding = { ...work.encoding, ...sampling };
    // Candidates that run no step are all the same; a server refuses them.
    const { steps, strength } = settings({ ...work, encoding });
    if (steps * strength < 1) {
      delete encoding.candidates;
      form.elements.candidates.value = form.elements.candidates.dataset.was = 1;
    }
    repaint(work, { encoding, overrides, state: 'encoding' });
    return;
  }
  repaint(work, { overrides: { ...overrides, ...sampling } });
  if (work.id === shown) rewrite(work);
}

// ---- All works

const tiles = new Map(); // of works, by their ids

// Tiles are drawn when they come near the window: there may be thousands.
const nearby = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const work = works.get(target.dataset.id);
    if (!isIntersecting || !work) continue;
    nearby.unobserve(target);
    target.dataset.near = 'yes';
    drawTile(work);
  }
}, { rootMargin: '50%' });

// showTiles shows the tiles of new works, the newest first.
function showTiles() {
  const list = [...works.values()].sort((a, b) => b.created - a.created);
  $('#history').hidden = !list.length;
  // A tile that is put in again, even at its own place, loses the focus.
  let there = $('#tiles').firstElementChild;
  for (const work of list) {
    if (there && there === tiles.get(work.id)) {
      there = there.nextElementSibling;
      continue;
    }
    if (!tiles.has(work.id)) tiles.set(work.id, newTile(work));
    $('#tiles').insertBefore(tiles.get(work.id), there);
    showTile(work);
  }
}

// forget removes a work from the page.
function forget(work) {
  work.controller?.abort();
  for (const kept of Object.values(work.urls ?? {})) if (kept) URL.revokeObjectURL(kept.url);
  works.delete(work.id);
  removed.add(work.id);
  previews.delete(work.id);
  tiles.get(work.id)?.remove();
  tiles.delete(work.id);
  $('#history').hidden = !works.size;
}

// select makes a work the open one, or none.
function select(id) {
  const before = shown;
  shown = id;
  markTile(before);
  markTile(id);
}

function markTile(id) {
  const link = tiles.get(id)?.firstElementChild;
  if (id === shown) link?.setAttribute('aria-current', 'true');
  else link?.removeAttribute('aria-current');
}

function newTile(work) {
  const canvas = element('canvas', { width: 8, height: 8 });
  canvas.setAttribute('aria-hidden', 'true');
  const bar = element('progress', { max: 1, hidden: true });
  bar.setAttribute('aria-label', 'Painting');
  const link = element('a', {}, canvas, element('span', { className: 'name' }), element('span', { className: 'state' }));
  link.onclick = (event) => {
    event.preventDefault();
    open(works.get(work.id), true);
    scrollTo({ top: 0, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  };
  const li = element('li', {}, link, bar);
  li.dataset.id = work.id;
  nearby.observe(li);
  return li;
}

function showTile(work) {
  const li = tiles.get(work.id);
  if (!li) return;
  $('a', li).href = linkOf(work);
  markTile(work.id);
  $('.name', li).textContent = work.name || 'A picture from a link';
  const { state, progress } = work;
  const bytes = work.file ? plural(fromBase64(work.file).length, 'byte') : '';
  $('.state', li).textContent = state === 'done' ? bytes : [bytes, state].filter(Boolean).join(', ');
  const bar = $('progress', li);
  bar.hidden = !isBusy(work);
  if (progress?.steps) bar.value = progress.step / progress.steps;
  else bar.removeAttribute('value');
  if (li.dataset.near) drawTile(work);
}

async function drawTile(work) {
  const canvas = $('canvas', tiles.get(work.id));
  const wanted = work.painting ? 'painting' : work.map ? 'map' : '';
  if (canvas.dataset.shows === wanted + work.file) return;
  canvas.dataset.shows = wanted + work.file;
  if (work.painting) {
    const picture = new Image();
    picture.src = urlOf(work, 'painting');
    await picture.decode().catch(() => {});
    if (picture.naturalWidth) showPicture(canvas, picture);
  } else if (work.map) {
    drawMap(canvas, work.map);
  }
}

async function clearAll() {
  if (!confirm('Clear all pictures and paintings from this browser?')) return;
  const all = [...works.values()];
  works.clear(); // one that is at work is not kept again
  for (const work of all) work.controller?.abort();
  try {
    await Promise.all(all.map(({ id }) => store.remove(id)));
  } finally {
    all.forEach(forget);
  }
  say('All pictures are cleared.');
  leave();
  $('#main').focus();
}

// ---- The gallery

let rows = []; // of the archive, as far as they are loaded
let next;      // what the next page follows; undefined before the first, null after the last
let loading;   // the next page, while it is on its way
let likeness;  // aborts the encoding of the picture that is looked for
let asked = 0; // how many lists were asked for: the last one is shown, whichever comes first

async function showGallery({ q, file, near }) {
  const { rows: total, words } = engine.info.archive;
  $('#gallery-count').textContent = `${plural(total, 'picture')} in the archive, each as its color map. Choose one to paint it.`;
  $('#words').disabled = !words;
  $('#words').value = q ?? '';
  $('#words').placeholder = words ? 'a lake at dusk' : 'the model knows no words';
  const query = q ? { q } : file ? { file } : near ? { near } : undefined;
  const found = $('#found');
  const turn = ++asked;
  try {
    if (query) {
      found.textContent = 'Searching';
      const { hits } = await engine.search(query);
      if (turn !== asked) return;
      found.replaceChildren(`${plural(hits.length, 'picture')}, the nearest first. `, element('a', { href: '#/gallery', textContent: 'Show all' }));
      showMaps(hits);
      $('#more').hidden = true;
      return;
    }
    found.textContent = '';
    if (next === undefined) await loadRows();
    if (turn === asked) showRows();
  } catch (error) {
    if (turn !== asked) return;
    found.textContent = error.message;
    showMaps([]);
    $('#more').hidden = true;
  }
}

// searchLike looks for what is like a picture, which the server may let wait. The
// address that the user goes to meanwhile, or another picture, ends it.
async function searchLike(blob) {
  const found = $('#found');
  likeness?.abort();
  const { signal } = likeness = new AbortController();
  const watch = (event) => { if (!signal.aborted) found.textContent = event.busy ? busy : 'Searching'; };
  watch({});
  try {
    const file = isCoded(blob) ? await readCoded(blob) : (await engine.encode(blob, {}, watch, signal)).file;
    if (signal.aborted) return;
    const hash = `#/gallery?file=${file}`;
    if (location.hash === hash) showHash(); // it does not change
    else location.hash = hash;
  } catch (error) {
    if (!signal.aborted) found.textContent = error.message;
  }
}

// showMore shows another page of the archive, and leads to its first map: the
// button may be gone after the last page. If no page comes now, those before it
// stay, and the button to try again.
async function showMore() {
  const found = $('#found');
  const turn = ++asked;
  found.textContent = '';
  try {
    const before = $('#maps').childElementCount;
    await loadRows();
    if (turn !== asked) return;
    showRows();
    focusMap($$('#maps a')[before]);
  } catch (error) {
    if (turn === asked) found.textContent = error.message;
  }
}

function showRows() {
  showMaps(rows);
  $('#more').hidden = !next;
}

function loadRows() {
  loading ??= engine.archive(next).then((page) => {
    rows = rows.concat(page.rows);
    next = page.next ?? null;
  }).finally(() => { loading = undefined; });
  return loading;
}

function showMaps(list) {
  const focused = $('#maps').contains(document.activeElement);
  $('#maps').replaceChildren(...list.filter((row) => row.map).map((row, i) => {
    const canvas = element('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    drawMap(canvas, row.map);
    const label = row.score === undefined ? row.name : `${row.name}, ${row.score.toFixed(2)}`;
    const link = element('a', { href: `#${row.file}?${new URLSearchParams({ name: row.name })}`, title: label, tabIndex: i ? -1 : 0 }, canvas);
    link.setAttribute('aria-label', label);
    return element('li', {}, link);
  }));
  if (focused) refocus($('#maps a') ?? $('#gallery-title'));
}

// focusMap makes a map the one that the Tab key stops at, and goes there.
function focusMap(link) {
  if (!link) return;
  for (const other of $$('#maps a[tabindex="0"]')) other.tabIndex = -1;
  link.tabIndex = 0;
  link.focus();
}

// The maps are one stop of the Tab key; arrows move between them.
$('#maps').onkeydown = (event) => {
  const links = $$('#maps a');
  const at = links.indexOf(document.activeElement);
  if (at < 0) return;
  const top = links[0].offsetTop;
  const across = links.findIndex((a) => a.offsetTop > top);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + (across < 0 ? links.length : across), ArrowUp: at - across, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || !links[to]) return;
  event.preventDefault();
  focusMap(links[to]);
};

// ---- Start

// The address names what is open: the skip link must leave it alone.
$('.skip').onclick = (event) => {
  event.preventDefault();
  $('#main').focus();
};

// listen comes first: a browser leaves a page that does not listen for the
// pictures that are dropped on it.
function listen() {
  for (const input of [$('#choose'), $('#camera')]) {
    input.onchange = () => {
      take([...input.files]);
      input.value = '';
    };
  }
  document.onpaste = (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) take(files);
  };
  const drop = document.body;
  drop.ondragover = (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    drop.classList.add('over');
  };
  drop.ondragleave = (event) => event.relatedTarget ?? drop.classList.remove('over');
  drop.ondrop = (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    drop.classList.remove('over');
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
    const folders = entries.filter((entry) => entry?.isDirectory).map(({ name }) => name);
    take([...event.dataTransfer.files].filter(({ name }) => !folders.includes(name)));
    for (const name of folders) refuse(`${name} is a folder; drop the pictures in it.`);
  };
  $('#clear').onclick = clearAll;
  $('#search').onsubmit = (event) => {
    event.preventDefault();
    const q = $('#words').value.trim();
    location.hash = q ? `#/gallery?${new URLSearchParams({ q })}` : '#/gallery';
  };
  $('#likeness').onchange = (event) => {
    const [blob] = event.target.files;
    event.target.value = '';
    if (blob) searchLike(blob);
  };
  $('#more').onclick = showMore;
}

function showLoading(loading, error) {
  const mb = (n) => (n / 1e6).toFixed(0);
  $('#where').textContent = error ? `The model did not load (${error}); it is tried again with the next picture.`
    : loading ? `Loading the model: ${mb(loading.done)} of ${mb(loading.total)} MB` : whereText;
}

let whereText = '';

async function start() {
  listen();
  await store.open();
  try {
    engine = await findEngine(showLoading, () => { $('#where').textContent = 'The server does not answer now; this page asks it again.'; });
  } catch (error) {
    $('#where').textContent = `This page cannot work: ${error.message}.`;
    return;
  }
  document.documentElement.dataset.engine = engine.name;
  whereText = engine.name === 'server' ? 'Pictures are sent to the server of this page, and kept in this browser.' : 'Pictures never leave this browser: it encodes and paints them itself.';
  showLoading(null);
  $('#model').hidden = !engine.builtIn;
  $('#real').textContent = engine.name === 'server'
    ? 'For photographs, get the real model with “coclico pull” and start the server with it: “coclico serve --model DIR”.'
    : 'For photographs, run “coclico pull” and “coclico serve”: the real model is too large for a browser.';
  $('[data-page=gallery]').hidden = !engine.info?.archive;
  for (const work of await store.all()) works.set(work.id, work);
  showTiles();
  addEventListener('hashchange', () => showHash(true));
  showHash();
  begin();
  for (const work of [...works.values()].sort((a, b) => a.created - b.created)) if (isBusy(work) && !work.controller) run(work);
  if (engine.warm && !navigator.connection?.saveData) engine.warm();
  document.documentElement.dataset.ready = 'yes';
}

start();
