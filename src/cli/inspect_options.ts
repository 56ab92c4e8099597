/**
 * The flags of `densehead inspect`.
 */
import { readArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import { INPUT_HELP, INPUT_OPTIONS, type InputFlags, readInput } from "./input_flags.ts";
import { FILES_HELP, NETWORK_HELP, NETWORK_OPTIONS, type NetworkFlags, readNetwork } from "./network_options.ts";
import { STDIN } from "./readers/file.ts";

/** The code that is printed reads a file. */
const STDIN_LINE = /^ {2}- .*\n/m;

export const INSPECT_HELP = `Usage: densehead inspect MODEL.onnx | OUTPUT [options]

Says what each tensor of a detection network is likely to be, which heads fit and why others do not, and the lines of code
from a picture, or from the outputs, to boxes. A MODEL is run once on a grey picture, by onnxruntime-node
(npm install onnxruntime-node). An OUTPUT is
${FILES_HELP.replace(STDIN_LINE, "")}

${NETWORK_HELP}

${INPUT_HELP}
`;

/** The flags, checked. */
export interface InspectFlags {
  readonly file: string;
  readonly network: NetworkFlags;
  readonly input: InputFlags;
}

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<InspectFlags> {
  const { values, positionals: files } = readArguments("inspect", args, { ...NETWORK_OPTIONS, ...INPUT_OPTIONS });
  if (files.length !== 1) {
    throw new UsageError(
      `${files.length} files given; wanted one MODEL or OUTPUT (densehead inspect --help tells more)`,
    );
  }
  if (files[0] === STDIN) {
    throw new UsageError("wanted a file, which the code that is printed can read; got standard input");
  }
  return { file: files[0], network: await readNetwork(values), input: readInput(values) };
}
