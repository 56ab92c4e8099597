/** Runs page.js in headless Chromium: `chromium.js <consumer> <browser> [--thin]`. */
import { createReadStream, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { launchBrowser } from "./browser.js";

const [consumer, executablePath, thin] = process.argv.slice(2);
const folder = join(consumer, "chromium");

await build({
  entryPoints: [join(consumer, "page.js")],
  outfile: join(folder, "page.js"),
  bundle: true,
  format: "esm",
  target: "es2023",
  conditions: ["browser"],
  platform: "browser",
  logLevel: "warning",
});
writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');

const fromConsumer = createRequire(join(consumer, "package.json"));
/** Everything that the server has. */
const files = {
  "/": { type: "text/html", path: join(folder, "index.html") },
  "/page.js": { type: "text/javascript", path: join(folder, "page.js") },
  "/densehead.wasm": { type: "application/wasm", path: fromConsumer.resolve("densehead/densehead.wasm") },
  "/densehead-relaxed.wasm": {
    type: "application/wasm",
    path: fromConsumer.resolve("densehead/densehead-relaxed.wasm"),
  },
};

/** So that the page has shared memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const server = createServer((request, response) => {
  const file = files[request.url];
  response.writeHead(file ? 200 : 404, { "content-type": file?.type ?? "text/plain", ...ISOLATION });
  if (file) createReadStream(file.path).pipe(response);
  else response.end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const browser = await launchBrowser(executablePath);
try {
  const page = await browser.newPage();
  if (thin === "--thin") await page.addInitScript({ content: "globalThis.DENSEHEAD_THIN = true;" });
  page.on("console", (message) => console.log(message.text()));
  page.on("pageerror", (error) => console.log(error.stack ?? String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const report = await page.evaluate(() => globalThis.report);
  console.log(`\nREPORT ${JSON.stringify({ version: browser.version(), ...report })}`);
} finally {
  await browser.close();
  server.close();
}
