// node node.mjs SITE PICTURE OUTPUT VECTORS STEPS: encodes a picture with the
// site's program and paints it, into OUTPUT.coclico and OUTPUT.png. VECTORS is
// whether the program gets its memory, as in the worker, for the simd128 kernels.
// A decode is canceled in its middle before that, and a broken file refused, as
// are a HEIC and an AVIF, which the program leaves to the browser.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';

const [dir, picture, output, vectors, steps] = process.argv.slice(2);
const read = (name) => new Uint8Array(fs.readFileSync(path.join(dir, name)));
const site = JSON.parse(fs.readFileSync(path.join(dir, 'site.json')));

await import(path.join(dir, site.runtime));
const go = new Go();
let copies = 0; // of bytes into the program, whose memory never shrinks
const copy = go.importObject.gojs['syscall/js.copyBytesToGo'];
go.importObject.gojs['syscall/js.copyBytesToGo'] = (sp) => { copies++; copy(sp); };
const { instance } = await WebAssembly.instantiate(read(site.program.path), go.importObject);
if (vectors === 'true') globalThis.coclicoMemory = instance.exports.mem;
go.run(instance);

const { coclico } = globalThis;
const files = Object.entries(site.model).map(([name, file]) => [name, read(file.path)]);
await coclico.open(Object.fromEntries(files));
const never = new AbortController().signal;

copies = 0;
const encoded = await coclico.encode(new Uint8Array(fs.readFileSync(picture)), {}, () => {}, never);
assert.equal(copies, 1, 'the picture is not copied once');
const file = Uint8Array.from(Buffer.from(encoded.file, 'base64url'));
assert.equal(file.length, encoded.bytes);
assert.deepEqual((await coclico.parse(file, {}, () => {}, never)).map, encoded.map);

const controller = new AbortController();
let seen = 0;
await assert.rejects(coclico.decode(file, {}, ({ step }) => { seen = step; if (step === 1) setTimeout(() => controller.abort()); }, controller.signal), { name: 'AbortError' });
assert.ok(seen < 17, 'the decode was not canceled in its middle');
await assert.rejects(coclico.decode(file.subarray(0, 40), {}, () => {}, never));
await assert.rejects(coclico.encode(new Uint8Array(10), {}, () => {}, never));
for (const name of ['gray.heic', 'limited.avif']) {
  const file = new Uint8Array(fs.readFileSync(path.join('../internal/picture/heif/testdata', name)));
  await assert.rejects(coclico.encode(file, {}, () => {}, never), /picture that this page cannot decode; save it as JPEG first/);
}
await assert.rejects(coclico.decode(file, { steps: 'many' }, () => {}, never), /steps/);

let previews = 0;
const start = performance.now();
const png = await coclico.decode(file, { steps }, ({ step, steps, preview }) => {
  assert.equal(preview.rgba.length, 4 * preview.width * preview.height);
  assert.equal(step, previews++);
  assert.ok(step <= steps);
}, never);
console.log(`decode: ${((performance.now() - start) / 1000).toFixed(2)} s, ${previews} previews`);
assert.ok(previews > 1);
fs.writeFileSync(`${output}.coclico`, file);
fs.writeFileSync(`${output}.png`, png);
process.exit(0);
