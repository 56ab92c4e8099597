/**
 * `densehead run`: from pictures through a network to a table, COCO results and pictures.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { createEngine } from "../entry/embedded.ts";
import { printable } from "../text.ts";
import type { Command } from "./command.ts";
import { FAILED, reason, UsageError } from "./errors.ts";
import { readTruth } from "./images.ts";
import { type Network, openNetwork } from "./models/open_network.ts";
import { loadPeers } from "./peers.ts";
import { isFolder, pictureFiles, PictureWatch } from "./picture_files.ts";
import { PictureRuns, tell } from "./picture_runs.ts";
import { progressOf } from "./progress.ts";
import { readFlags, RUN_HELP, type RunFlags } from "./run_options.ts";
import { STDOUT } from "./writers/file.ts";
import { pictureWriter } from "./writers/pictures.ts";
import { inputText, networkText } from "./writers/text.ts";

/** The command. */
export const runCommand: Command = {
  summary: "runs a detection network on pictures and finds the objects",
  help: RUN_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const stop = new AbortController();
  try {
    await runAll(flags, stop);
  } finally {
    // What watches would keep the process alive.
    stop.abort();
  }
}

async function runAll(flags: RunFlags, stop: AbortController): Promise<void> {
  const { pictures, json, svg, bands, watch } = flags;
  const [ort, sharp] = await loadPeers("onnxruntime-node", "sharp");
  const truth = await readTruth(flags);
  // Before the first picture runs, so that none is missed.
  const watching = watch ? new PictureWatch(pictures, stop.signal) : undefined;
  const files = await pictureFiles(pictures);
  if (files.length === 0 && !watch) throw new UsageError(`no picture in ${pictures.join(", ")}`);
  const images = watch || pictures.some(isFolder) ? Infinity : files.length;
  const draw = svg === undefined ? undefined : await pictureWriter(svg, images, bands);

  using engine = await createEngine();
  const network = await openNetwork(ort, flags.model, flags);
  const tables = json !== STDOUT && svg !== STDOUT;
  (tables ? process.stdout : process.stderr).write(networkLine(flags.model, network));
  const runs = new PictureRuns({ engine, sharp, network, truth, flags, tables, draw });
  const progress = progressOf(files.length);
  if (watching !== undefined) process.once("SIGINT", () => stop.abort());
  for (const [i, file] of files.entries()) {
    if (stop.signal.aborted) break;
    progress.show(i + 1);
    await runs.run(file).finally(progress.clear);
  }
  await runs.writeJson();
  if (watching !== undefined) await runAgain(runs, watching);
  if (runs.hasFailed) process.exitCode = FAILED;
}

/** Each picture that changes, until the user interrupts. */
async function runAgain(runs: PictureRuns, watching: PictureWatch): Promise<void> {
  tell("waiting for pictures; Ctrl-C ends");
  for (let file = await watching.next(); file !== undefined; file = await watching.next()) {
    if (existsSync(file)) await runs.run(file);
    else runs.forget(file);
    await runs.writeJson().catch((error) => tell(reason(error)));
  }
}

/** "net.onnx: head yolox (inferred from the shapes), …; picture as yolox (usual for head yolox): …". */
function networkLine(path: string, { chosen, inputSize, input, why }: Network): string {
  return `${printable(`${basename(path)}: ${networkText(chosen, inputSize)}; picture as ${inputText(input, why)}`)}\n`;
}
