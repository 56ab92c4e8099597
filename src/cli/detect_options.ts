/**
 * The flags of `densehead detect`.
 */
import { parseArgs } from "node:util";
import { reason, UsageError } from "./errors.ts";
import { type Fit, FITS } from "./fit.ts";
import {
  FILES_HELP,
  KEEP_OPTIONS,
  type KeepFlags,
  keepHelp,
  NETWORK_HELP,
  NETWORK_OPTIONS,
  type NetworkFlags,
  readKeep,
  readNetwork,
} from "./network_options.ts";
import { choice, optional } from "./values.ts";

export const DETECT_HELP = `Usage: densehead detect FILE… [options]

Finds the objects in raw outputs of a detection network, and prints a table per image. Each FILE is one output:
${FILES_HELP}

${NETWORK_HELP}

What to keep:
${keepHelp("0.25")}

What to write:
  --json FILE              COCO results: image_id is the FILE's name without its ending (name:0, name:1 … in a batch),
                           category_id the index of the class from 0; "-" writes to stdout, in place of the table
  --svg FILE               a picture of the boxes; the bands on their sides are one standard deviation either way
  --image FILE             the PNG or JPEG that the network saw: boxes are then in its pixels, and --svg shows it
  --fit KIND               letterbox (centred) or stretch: how an --image of another shape was fitted to the input

The column "± px" is the mean standard deviation of a box's four sides in pixels, where the head gives distributions.
`;

/** The flags, checked. */
export interface DetectFlags {
  readonly files: readonly string[];
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly image: string | undefined;
  readonly fit: Fit | undefined;
}

const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  score: { type: "string", default: "0.25" },
  json: { type: "string" },
  svg: { type: "string" },
  image: { type: "string" },
  fit: { type: "string" },
} as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<DetectFlags> {
  const { values, positionals } = parse(args);
  const flags: DetectFlags = {
    files: positionals,
    network: await readNetwork(values),
    keep: readKeep(values),
    json: values.json,
    svg: values.svg,
    image: values.image,
    fit: optional(values.fit, (text) => choice("--fit", text, FITS)),
  };
  checkTogether(flags);
  return flags;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Node goes on to explain how to pass a file whose name starts with a dash.
    throw new UsageError(`${reason(error).split(". ")[0]} (densehead detect --help lists the options)`);
  }
}

/** Flags that are sound alone can be at odds. */
function checkTogether({ files, svg, image, fit }: DetectFlags): void {
  if (files.length === 0) throw new UsageError("no FILE given (densehead detect --help tells more)");
  const single = svg !== undefined ? "--svg" : image !== undefined ? "--image" : null;
  if (single !== null && files.length > 1) {
    throw new UsageError(`${single} is for one FILE; ${files.length} were given`);
  }
  if (fit !== undefined && image === undefined) throw new UsageError("--fit is about --image, which was not given");
}
