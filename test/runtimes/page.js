/** Runs the suite in a page. `globalThis.report` is a promise of the report. */
globalThis.DENSEHEAD_RUNTIME = "chromium";
globalThis.DENSEHEAD_GPU = navigator.gpu;
globalThis.report = start();

async function start() {
  globalThis.DENSEHEAD_WASM = {
    baseline: await bytesOf("densehead.wasm"),
    relaxed: await bytesOf("densehead-relaxed.wasm"),
  };
  const { run } = await import("./suite.js");
  return await run();
}

async function bytesOf(name) {
  const response = await fetch(name);
  return new Uint8Array(await response.arrayBuffer());
}
