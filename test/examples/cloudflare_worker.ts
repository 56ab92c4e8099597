/** examples/cloudflare-worker in miniflare, bundled as wrangler bundles it. */
// needs: examples/cloudflare-worker
// needs: test/runtimes
import { build, type Plugin } from "esbuild";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = process.env.DENSEHEAD_ROOT ?? process.cwd();
export const example = join(root, "examples/cloudflare-worker");
export const TOKEN = "token-of-the-tests";

const runtimes = module.createRequire(join(root, "test/runtimes/package.json"));

/** Node 20 has none of its own. */
export const { WebSocket } = runtimes("ws") as { WebSocket: typeof Socket };

interface Socket {
  on(event: "open" | "error" | "message", listener: (value: Buffer) => void): void;
  send(text: string): void;
  close(): void;
}
declare const Socket: { new (url: URL): Socket };

/** Why the Worker cannot run here, or null. */
export const missing = existsSync(join(root, "test/runtimes/node_modules/workerd/bin/workerd"))
  ? null
  : `no workerd for ${process.platform}-${process.arch}`;

/** What the tests use of miniflare, whose own types need a newer Node's. */
export interface Miniflare {
  readonly ready: Promise<URL>;
  getInspectorURL(): Promise<URL>;
  getQueueProducer(name: string): Promise<{ sendBatch(messages: { body: unknown }[]): Promise<unknown> }>;
  dispose(): Promise<void>;
}

/** Starts the Worker; `entry` may wrap it. */
export async function startWorker(entry = join(example, "src/index.ts"), options: object = {}): Promise<Miniflare> {
  const folder = mkdtempSync(join(tmpdir(), "densehead-worker-"));
  try {
    const { Miniflare } = runtimes("miniflare");
    const modules = await bundle(entry, folder);
    return new Miniflare({
      modulesRoot: folder,
      modules,
      compatibilityDate: "2026-07-01",
      // Else it is fetched from the network.
      cf: false,
      bindings: {
        API_TOKEN: TOKEN,
        QUEUE_QUERY: "head=gfl&imageSize=160,160&numClasses=4&bins=8&strides=8,16&anchorScale=4",
      },
      r2Buckets: ["HEADS", "RESULTS"],
      queueProducers: { DEAD_LETTERS: "dead-letters", KEYS: "heads" },
      ...options,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Stops the Worker after its use, also where a test fails: it would keep the process from ending. */
export async function withWorker(worker: Miniflare, use: (worker: Miniflare) => Promise<void>): Promise<void> {
  try {
    await use(worker);
  } finally {
    await worker.dispose();
  }
}

async function bundle(entry: string, folder: string): Promise<object[]> {
  const wasm = new Map<string, string>();
  const { outputFiles: [{ path, contents }] } = await build({
    entryPoints: [entry],
    outfile: join(folder, "worker.js"),
    write: false,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    plugins: [wasmModules(wasm)],
    logLevel: "warning",
  });
  return [
    { type: "ESModule", path, contents },
    ...Array.from(wasm, ([name, file]) => ({
      type: "CompiledWasm",
      path: join(folder, name),
      contents: readFileSync(file),
    })),
  ];
}

/** An import of any *.wasm becomes one of a module beside the bundle. */
function wasmModules(found: Map<string, string>): Plugin {
  return {
    name: "wasm-modules",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        const name = path.split("/").at(-1) ?? path;
        found.set(name, join(resolveDir, path));
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** Any text as the header of some values. */
export function withHeader(header: string, ...values: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, ...values]));
}
