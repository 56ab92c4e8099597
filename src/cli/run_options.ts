/**
 * The flags of `densehead run`.
 */
import { readArguments } from "./arguments.ts";
import { type Bands, BANDS_HELP, readBands, readCategoryIds } from "./detect_options.ts";
import { UsageError } from "./errors.ts";
import { INPUT_HELP, INPUT_OPTIONS, type InputFlags, readInput } from "./input_flags.ts";
import { KEEP_OPTIONS, type KeepFlags, keepHelp, readKeep } from "./keep.ts";
import { NETWORK_HELP, NETWORK_OPTIONS, type NetworkFlags, readNetwork } from "./network_options.ts";
import { optional } from "./values.ts";
import { STDOUT } from "./writers/file.ts";

/** Boxes are kept from this score by default. */
const LEAST_SCORE = 0.25;

export const RUN_HELP = `Usage: densehead run MODEL.onnx PICTURE… [options]

Finds the objects in pictures: runs the network of an ONNX file on each, and prints a table per picture. The first line
says which head and which input were taken, and why. A PICTURE is a file of any format that sharp reads, or a folder of
such files; it is turned as its EXIF orientation says, and boxes are in its own pixels.

onnxruntime-node runs the network and sharp reads the pictures: npm install onnxruntime-node sharp

${INPUT_HELP}

${NETWORK_HELP}
For --head auto the model runs on a grey picture, and its outputs tell. Ultralytics' models carry names of their classes.

What to keep:
${keepHelp(String(LEAST_SCORE))}

What to write:
  --json FILE | -          COCO results; - writes to stdout, in place of the table. image_id is the PICTURE's name
                           without its ending, a number where it is one, and category_id the class's index from 0
  --gt FILE                COCO annotations: ids of images (by file name) and of categories are theirs, and --svg has
                           the objects dashed
  --category-ids 1,2,…     category_id of each class in --json; coco: the ids of its 80
  --svg FILE | FOLDER | -  the picture with its boxes; in a folder one for each
${BANDS_HELP}
  --watch                  go on: run again when a PICTURE, or one of its folder, is added or changed; Ctrl-C ends

A PICTURE that cannot be read is reported in a line, and the others go on; the exit code is 2 then.
`;

/** The flags, checked. */
export interface RunFlags {
  readonly model: string;
  readonly pictures: readonly string[];
  readonly input: InputFlags;
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly gt: string | undefined;
  readonly json: string | undefined;
  readonly categoryIds: readonly number[] | undefined;
  readonly svg: string | undefined;
  readonly bands: Bands;
  readonly watch: boolean;
}

const OPTIONS = {
  ...INPUT_OPTIONS,
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  score: { type: "string" },
  json: { type: "string" },
  gt: { type: "string" },
  "category-ids": { type: "string" },
  svg: { type: "string" },
  bands: { type: "string" },
  watch: { type: "boolean", default: false },
} as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<RunFlags> {
  const { values, positionals: [model, ...pictures] } = readArguments("run", args, OPTIONS);
  const { json, svg, watch } = values;
  if (model === undefined) throw new UsageError("no MODEL given (densehead run --help tells more)");
  if (pictures.length === 0) throw new UsageError("no PICTURE given (densehead run --help tells more)");
  if (json === STDOUT && svg === STDOUT) throw new UsageError("--json and --svg are both to be on standard output");
  if (watch && (json === STDOUT || svg === STDOUT)) {
    throw new UsageError("--watch writes --json and --svg anew with each picture; wanted files, not standard output");
  }
  if (values.bands !== undefined && svg === undefined) {
    throw new UsageError("--bands is about --svg, which was not given");
  }
  if (values["category-ids"] !== undefined && json === undefined) {
    throw new UsageError("--category-ids is about --json, which was not given");
  }
  return {
    model,
    pictures,
    input: readInput(values),
    network: await readNetwork(values),
    keep: readKeep(values, LEAST_SCORE),
    gt: values.gt,
    json,
    categoryIds: optional(values["category-ids"], readCategoryIds),
    svg,
    bands: readBands(values.bands),
    watch,
  };
}
