/** Checks of the sources that are commands: types, formatting, lints. */
import process from "node:process";
import { root } from "../../tools/ready.js";
import { start } from "./run.js";
import { findDeno } from "./runtimes.js";

const compiler = ["node_modules/typescript/bin/tsc", "--noEmit", "--emitDeclarationOnly", "false", "-p"];

/** Each as {title, run, mend, missing}: `run` gives {code, output}, `missing` says why it cannot run here. */
export function sourceChecks() {
  const deno = findDeno();
  const missing = deno === null ? `no deno for ${process.platform}-${process.arch}` : undefined;
  const types = ["tsconfig.json", "tsconfig.cli.json"].map((project) => ({
    title: `types of ${project}`,
    run: () => start([process.execPath, ...compiler, project], root),
    mend: "the compiler names the file and the line",
  }));
  return [
    ...types,
    { title: "deno fmt", missing, run: () => start([deno, "fmt", "--check"], root), mend: "npm run check -- --fix" },
    { title: "deno lint", missing, run: () => start([deno, "lint"], root), mend: "each rule has a hint and a page" },
  ];
}

/** Formats the sources. */
export function format() {
  return start([findDeno(), "fmt", "-q"], root);
}

/** Runs one: null where it holds or cannot run, else the text of what is wrong. */
export async function problemOf({ title, run, mend }) {
  const { code, output } = await run();
  if (code === 0) return null;
  const advice = mend === undefined ? "" : `\nto mend it: ${mend}`;
  return `${title}: ended with code ${code}\n${output.trim()}${advice}`;
}
