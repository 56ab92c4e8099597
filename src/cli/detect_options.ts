/**
 * The flags of `densehead detect`.
 */
import { readArguments } from "./arguments.ts";
import { COCO_CATEGORY_IDS } from "./coco_classes.ts";
import { UsageError } from "./errors.ts";
import { IMAGE_HELP, IMAGE_OPTIONS, type ImageFlags, readImageFlags } from "./images.ts";
import { KEEP_OPTIONS, type KeepFlags, keepHelp, readKeep } from "./keep.ts";
import { FILES_HELP, NETWORK_HELP, NETWORK_OPTIONS, type NetworkFlags, readNetwork } from "./network_options.ts";
import { choice, integer, optional } from "./values.ts";
import { STDOUT } from "./writers/file.ts";

/** What ticks of a picture show. */
const BANDS = ["excess", "std", "none"] as const;
export type Bands = typeof BANDS[number];

export const BANDS_HELP =
  `  --bands KIND             what ticks of --svg show at the middle of each side, outside of the box: excess (default) or std
                           (standard deviation) where the head gives distributions, or none`;

/** "ticks" was the name of excess. */
export function readBands(text: string = BANDS[0]): Bands {
  return choice("--bands", text === "ticks" ? "excess" : text, BANDS);
}

/** Boxes are kept from this score by default. */
const LEAST_SCORE = 0.25;

export const DETECT_HELP = `Usage: densehead detect FILE… [options]

Finds the objects in raw outputs of a detection network, and prints a table per image. Each FILE is one output:
${FILES_HELP}

${NETWORK_HELP}

What to keep:
${keepHelp(String(LEAST_SCORE))}

Which image it is; boxes are then in its pixels:
${IMAGE_HELP}

What to write:
  --json FILE | -          COCO results; - writes to stdout, in place of the table. With --gt, image_id and category_id
                           are those of the data set. Else image_id is the FILE's name without its ending, a number
                           where it is one (name:0, name:1 … in a batch), and category_id the class's index from 0
  --image-id ID            image_id in --json; once for each FILE
  --category-ids 1,2,…     category_id of each class in --json; coco: the ids of its 80
  --svg FILE | FOLDER | -  a picture of the boxes, over that of --image, and of --gt, dashed; in a folder one per image
${BANDS_HELP}

The column "± px" is there where the head gives distributions: how far they spread beyond what a side between two bins
has anyway (excess), in pixels, mean of a box's four sides. It is the network's own word, not an error bound.
`;

/** The flags, checked. */
export interface DetectFlags {
  readonly files: readonly string[];
  readonly network: NetworkFlags;
  readonly keep: KeepFlags;
  readonly images: ImageFlags;
  readonly json: string | undefined;
  readonly imageIds: readonly string[];
  readonly categoryIds: readonly number[] | undefined;
  readonly svg: string | undefined;
  readonly bands: Bands;
}

const OPTIONS = {
  ...NETWORK_OPTIONS,
  ...KEEP_OPTIONS,
  ...IMAGE_OPTIONS,
  score: { type: "string" },
  json: { type: "string" },
  "image-id": { type: "string", multiple: true },
  "category-ids": { type: "string" },
  svg: { type: "string" },
  bands: { type: "string" },
} as const;

/** Flags that say something only of another. */
const ABOUT = [["bands", "svg"], ["image-id", "json"], ["category-ids", "json"]] as const;

/** Reads the command line; the error of a wrong one names the flag. */
export async function readFlags(args: string[]): Promise<DetectFlags> {
  const { values, positionals: files } = readArguments("detect", args, OPTIONS);
  const { json, svg, "image-id": imageIds = [] } = values;
  if (files.length === 0) throw new UsageError("no FILE given (densehead detect --help tells more)");
  if (imageIds.length > 0 && imageIds.length !== files.length) {
    throw new UsageError(`--image-id is given ${imageIds.length} times; there are ${files.length} FILEs`);
  }
  if (json === STDOUT && svg === STDOUT) throw new UsageError("--json and --svg are both to be on standard output");
  for (const [name, subject] of ABOUT) {
    if (values[name] !== undefined && values[subject] === undefined) {
      throw new UsageError(`--${name} is about --${subject}, which was not given`);
    }
  }
  return {
    files,
    network: await readNetwork(values),
    keep: readKeep(values, LEAST_SCORE),
    images: readImageFlags(files, values),
    json,
    imageIds,
    categoryIds: optional(values["category-ids"], readCategoryIds),
    svg,
    bands: readBands(values.bands),
  };
}

/** "coco", or numbers with commas between them. */
export function readCategoryIds(text: string): readonly number[] {
  if (text.toLowerCase() === "coco") return COCO_CATEGORY_IDS;
  return text.split(",").map((id) => integer("--category-ids", id, 0));
}
