// Small tools of the page's modules.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const count = new Intl.NumberFormat('en');
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

export const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
export const toBase64URL = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
export const toHex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, '0'));
export const randomName = () => toHex(crypto.getRandomValues(new Uint8Array(12))).join('');
export const plural = (n, noun) => `${count.format(n)} ${noun}${n === 1 ? '' : 's'}`;

// orAbort returns what a promise does, but fails as soon as the signal aborts.
export const orAbort = (promise, signal) => new Promise((resolve, reject) => {
  promise.then(resolve, reject);
  signal?.addEventListener('abort', () => reject(signal.reason));
  if (signal?.aborted) reject(signal.reason);
});

// say has a screen reader speak.
export function say(text) { $('#said').textContent = text; }

export const download = (blob, name) => Object.assign(element('a'), { href: URL.createObjectURL(blob), download: name }).click();

// drawMap draws a color map, a pixel each.
export function drawMap(canvas, { size, rgb }) {
  const samples = fromBase64(rgb);
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    image.data.set([samples[3 * i], samples[3 * i + 1], samples[3 * i + 2], 255], 4 * i);
  }
  canvas.width = canvas.height = size;
  canvas.getContext('2d').putImageData(image, 0, 0);
}
