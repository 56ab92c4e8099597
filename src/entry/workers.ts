/**
 * Workers of the runtime at hand. The bundler makes a file of its own of this module and of what it starts them with: as a
 * text, which no other bundler has to find.
 */
import type { Start } from "../threads/messages.ts";
import { Pool } from "../threads/pool.ts";
import type { StartWorker } from "../threads/thread.ts";
import source from "../threads/worker.ts?text";

/** Of "auto". */
const MOST_PROCESSORS = 8;

interface Host {
  readonly processors: number;
  readonly start: StartWorker;
}

export async function openPool(
  wanted: number | "auto",
  kernels: Pick<Start, "module" | "maxMemory">,
): Promise<Pool | string> {
  try {
    const host = await findHost();
    if (typeof host === "string") return host;
    const threads = wanted === "auto" ? Math.min(host.processors, MOST_PROCESSORS) : wanted;
    return threads === 1 ? "the host has one processor" : await Pool.open(threads, host.start, kernels);
  } catch (error) {
    return `workers do not start here: ${(error as Error)?.message}`;
  }
}

/** What is not told by the types of a page. */
const globals = globalThis as unknown as {
  readonly process?: { readonly versions?: { readonly node?: string } };
  readonly crossOriginIsolated?: boolean;
};

async function findHost(): Promise<Host | string> {
  if (globalThis.navigator?.userAgent === "Cloudflare-Workers") return "Cloudflare Workers have no threads";
  // Deno and Bun have them too.
  if (globals.process?.versions?.node !== undefined) return await nodeHost();
  if (globals.crossOriginIsolated === false || typeof SharedArrayBuffer === "undefined") {
    return "the page is not cross-origin isolated, and so has no shared memory: its response needs the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  }
  if (typeof Worker === "undefined") return "this host has no workers";
  return { processors: navigator.hardwareConcurrency, start: startWebWorker };
}

/** The part of node:worker_threads that is used. */
interface NodeWorker {
  on(event: "message" | "error" | "messageerror" | "exit", listener: (value: never) => void): void;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

/** By a name that bundlers for pages do not look up. */
function builtin<T>(name: string): Promise<T> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ ["node", name].join(":"));
}

async function nodeHost(): Promise<Host> {
  const { Worker } = await builtin<{ Worker: new (source: string, options: object) => NodeWorker }>("worker_threads");
  const { availableParallelism } = await builtin<{ availableParallelism(): number }>("os");
  const text = `${source}\ndensehead.serve(require("node:worker_threads").parentPort);`;
  const start: StartWorker = (events) => {
    // Not with the options of the process: one of them may make a module of the text.
    const worker = new Worker(text, { eval: true, execArgv: [], name: "densehead" });
    let reason = "it was terminated";
    worker.on("message", events.message);
    worker.on("messageerror", (error: Error) => events.end(error.message));
    worker.on("error", (error: Error) => reason = error?.message);
    worker.on("exit", () => events.end(reason));
    return {
      post: (message) => worker.postMessage(message),
      hold: (waits) => waits ? worker.ref() : worker.unref(),
      stop: () => void worker.terminate(),
    };
  };
  return { processors: availableParallelism(), start };
}

const startWebWorker: StartWorker = (events) => {
  const blob = new Blob([`${source}\ndensehead.serve(self);`], { type: "text/javascript" });
  const url = URL.createObjectURL(blob);
  const worker = new Worker(url, { name: "densehead" });
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    events.message(data);
  };
  worker.onmessageerror = () => events.end("a message could not be read");
  worker.onerror = (event) => {
    // Nor does the page hear of it.
    event.preventDefault();
    events.end(event.message ?? "its script was refused");
  };
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    stop: () => worker.terminate(),
  };
};
