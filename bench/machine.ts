/** What the figures were measured on. */
import os from "node:os";
import process from "node:process";

declare const Deno: { version: { deno: string } } | undefined;
declare const Bun: { version: string } | undefined;

export function machineName(): string {
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${os.cpus()[0]?.model ?? os.arch()}, ${os.cpus().length} cores, ${memory} GiB, ${os.platform()} ${os.arch()}`;
}

/** "Node 20.20.2"; Deno and Bun also call themselves Node. */
export function runtimeName(): string {
  if (typeof Deno !== "undefined") return `Deno ${Deno.version.deno}`;
  if (typeof Bun !== "undefined") return `Bun ${Bun.version}`;
  return `Node ${process.versions.node}`;
}

export function engineName(): string {
  const { v8, webkit } = process.versions;
  return v8 === undefined || webkit !== undefined ? `JavaScriptCore ${webkit}` : `V8 ${v8}`;
}
