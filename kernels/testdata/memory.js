// For node --require: gives a Go program its memory, as the simd128 kernels
// need it.
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...args) => {
  const result = await instantiate(...args);
  globalThis.coclicoMemory = (result.instance ?? result).exports.mem;
  return result;
};
