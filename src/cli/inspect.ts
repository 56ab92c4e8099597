/**
 * `densehead inspect`: what the tensors of a network are, which heads fit, and the code for it.
 */
import { basename, extname } from "node:path";
import process from "node:process";
import { printable } from "../text.ts";
import type { Command } from "./command.ts";
import { about, reason } from "./errors.ts";
import { findFits, type Fit } from "./fits.ts";
import { INSPECT_HELP, type InspectFlags, readFlags } from "./inspect_options.ts";
import { chooseInput } from "./models/chosen_input.ts";
import { openModel, runnable, type RunnableModel } from "./models/model.ts";
import { greyInput, toldBy } from "./models/open_network.ts";
import { openNetworkFile } from "./network.ts";
import { loadPeers } from "./peers.ts";
import { modelCode, outputsCode } from "./writers/code.ts";
import { fitsText, modelText, outputsText } from "./writers/inspect_text.ts";
import { inputText } from "./writers/text.ts";

/** The command. */
export const inspectCommand: Command = {
  summary: "says what a network's tensors are, which heads fit, and the code for it",
  help: INSPECT_HELP,
  run,
};

async function run(args: string[]): Promise<void> {
  const flags = await readFlags(args);
  const isModel = extname(flags.file).toLowerCase() === ".onnx";
  await about(flags.file, () => isModel ? inspectModel(flags) : inspectOutputs(flags));
}

async function inspectModel({ file, network, input }: InspectFlags): Promise<void> {
  const [ort] = await loadPeers("onnxruntime-node");
  const opened = await openModel(ort, file);
  print(headline(file), modelText(opened));
  const model = runnable(ort, opened, network);
  const read = await model.run(greyInput(model));
  print(outputsText(read));
  const found = findFits(read, toldBy(model, network), network);
  print(fitsText(found));
  if (found.fits.length > 0) print(codeOf(model, found.fits[0], input));
}

/** The code of a head; where no input is usual for it, that is said in its place. */
function codeOf(model: RunnableModel, { chosen }: Fit, flags: InspectFlags["input"]): string {
  try {
    const { input, why } = chooseInput(model, chosen, flags);
    const about = `${chosen.head.name}, with input ${inputText(input, why)}`;
    return `\nCode, for ${about}:\n\n${modelCode(model, chosen.head, input)}`;
  } catch (error) {
    return `\nNo code yet: ${reason(error)}\n`;
  }
}

async function inspectOutputs({ file, network }: InspectFlags): Promise<void> {
  const { read, told } = await openNetworkFile(file, network);
  print(headline(file), outputsText(read));
  const found = findFits(read, told, network);
  print(fitsText(found));
  if (found.fits.length === 0) return;
  const [{ chosen: { head }, size }] = found.fits;
  print(`\nCode, for ${head.name}:\n\n${outputsCode(file, [...read.names.values()], head, size)}`);
}

function headline(file: string): string {
  return `${printable(basename(file))}\n`;
}

function print(...texts: readonly string[]): void {
  process.stdout.write(texts.join(""));
}
