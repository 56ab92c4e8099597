/**
 * Pictures through a network, one at a time, and what came of them.
 */
import { basename, extname } from "node:path";
import process from "node:process";
import type { Engine } from "../entry/embedded.ts";
import { printable } from "../text.ts";
import { kindsOf } from "./categories.ts";
import { reason, UsageError } from "./errors.ts";
import { imageCalled, nameOf } from "./ground_truth.ts";
import { keepOptions } from "./keep.ts";
import type { Network } from "./models/open_network.ts";
import { inItsNames } from "./network.ts";
import type { CocoFile, CocoImage } from "./readers/coco.ts";
import { type Picture, readPicture } from "./readers/picture.ts";
import type { Sharp } from "./readers/sharp.ts";
import { imageIdOf, type ImageResult, warnOfLost } from "./result.ts";
import type { RunFlags } from "./run_options.ts";
import { cocoText } from "./writers/coco.ts";
import { writeText } from "./writers/file.ts";
import type { PictureWriter } from "./writers/pictures.ts";
import { shortTableText } from "./writers/table.ts";

/** What a run is made with. */
interface Parts {
  readonly engine: Engine;
  readonly sharp: Sharp;
  readonly network: Network;
  readonly truth: CocoFile | undefined;
  readonly flags: RunFlags;
  /** Prints tables? */
  readonly tables: boolean;
  /** Draws the pictures. */
  readonly draw: PictureWriter | undefined;
}

export class PictureRuns {
  readonly #parts: Parts;
  readonly #failed = new Set<string>();
  /** For --json. */
  readonly #results = new Map<string, ImageResult>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Did a picture fail that has not been mended since? */
  get hasFailed(): boolean {
    return this.#failed.size > 0;
  }

  /** Everything in one picture; what is wrong with it is told in a line. */
  async run(file: string): Promise<void> {
    this.forget(file);
    try {
      await this.#run(file);
    } catch (error) {
      this.#failed.add(file);
      tell(`${file}: ${reason(error)}`);
    }
  }

  /** A picture that is there no more. */
  forget(file: string): void {
    this.#failed.delete(file);
    this.#results.delete(file);
  }

  /** Writes what --json asked for, of all pictures. */
  async writeJson(): Promise<void> {
    const { json } = this.#parts.flags;
    if (json === undefined) return;
    await writeText(json, cocoText([...this.#results.values()], "give each PICTURE a name of its own"));
  }

  async #run(file: string): Promise<void> {
    const { sharp, tables, draw, flags } = this.#parts;
    const picture = await readPicture(sharp, file);
    const result = await this.#detect(file, picture);
    if (tables) process.stdout.write(shortTableText(result));
    warnOfLost("run", file, [result]);
    await draw?.(file, { ...result, image: { ...result.image, picture: await picture.show() } });
    if (flags.json !== undefined) this.#results.set(file, result);
  }

  async #detect(file: string, { pixels }: Picture): Promise<ImageResult> {
    const { engine, network, truth, flags: { keep, categoryIds } } = this.#parts;
    const { model, chosen, inputSize, input } = network;
    const image = truth && imageOf(truth, file, pixels);
    const kinds = kindsOf(network, truth, categoryIds);
    const { tensor, transform } = await engine.preprocess(pixels, input);
    const read = await model.run(tensor);
    const { head } = chosen;
    const [detections] = inItsNames({ ...network, read }, () => {
      const uncertainty = head.boxes === "distribution";
      const kept = keepOptions(keep, head.numClasses, kinds.classes);
      return engine.sync.detect(read.outputs, { ...kept, head, imageSize: inputSize, transform, uncertainty });
    });
    const name = basename(file, extname(file));
    return {
      ...kinds,
      name,
      image: { picture: undefined, truth: image },
      imageId: image?.id ?? imageIdOf(name),
      chosen,
      inputSize,
      frame: [pixels.height, pixels.width],
      unused: read.unused,
      detections,
    };
  }
}

/** The picture's image of the truth, by the name of its file. */
function imageOf(truth: CocoFile, file: string, { width, height }: Picture["pixels"]): CocoImage {
  const image = imageCalled(truth, basename(file));
  if (image.width === width && image.height === height) return image;
  throw new UsageError(`is ${width}×${height}; --gt says ${image.width}×${image.height} for ${nameOf(image)}`);
}

/** A line on stderr. */
export function tell(message: string): void {
  process.stderr.write(`densehead: run: ${printable(message)}\n`);
}
