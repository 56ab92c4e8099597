/**
 * An ONNX model, ready to run: what its inputs want, and its outputs for a picture.
 */
import { stat } from "node:fs/promises";
import type { HostTensor } from "../../types.ts";
import { UsageError } from "../errors.ts";
import type { NetworkFlags } from "../network_options.ts";
import { type FileOutputs, readOutputs } from "../outputs.ts";
import { readBytes } from "../readers/file.ts";
import { joinDetections } from "./detections.ts";
import { imageSizeIn, modelMetadata } from "./metadata.ts";
import type { OnnxRuntime, OnnxSession, OnnxTensor, ValueMetadata } from "./onnx_runtime.ts";
import { ARRAYS, endsInDetections, feedsOf, type PictureInput, pictureInput } from "./inputs.ts";

export interface Model {
  readonly path: string;
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
  /** What the file says of itself. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** A model with the size of its picture settled. */
export interface RunnableModel extends Model {
  readonly picture: PictureInput;
  /** [height, width]. */
  readonly size: readonly [number, number];
  run(picture: HostTensor): Promise<FileOutputs>;
}

interface OpenModel extends Model {
  readonly session: OnnxSession;
}

/** Opens the file. */
export async function openModel(ort: OnnxRuntime, path: string): Promise<OpenModel> {
  await checkFile(path);
  const session = await create(ort, path);
  const { inputMetadata: inputs, outputMetadata: outputs } = session;
  if (inputs === undefined) {
    throw new UsageError("wanted onnxruntime-node of version 1.22 or later, which tells shapes");
  }
  return { path, inputs, outputs, metadata: modelMetadata(await readBytes(path)), session };
}

async function checkFile(path: string): Promise<void> {
  if ((await stat(path)).isDirectory()) throw new UsageError("is a folder; wanted an ONNX file");
}

async function create({ InferenceSession }: OnnxRuntime, path: string): Promise<OnnxSession> {
  try {
    // What it logs besides would be told twice.
    return await InferenceSession.create(path, { logSeverityLevel: 4 });
  } catch (error) {
    throw new UsageError(
      `cannot be opened as an ONNX model: ${inOneLine(error).replace(/^Load model from .* failed:/, "")}`,
    );
  }
}

/** The model with its picture of the size that the flags, the graph or the file's metadata say. */
export function runnable(
  ort: OnnxRuntime,
  model: OpenModel,
  { imageSize: asked, ignoreMetadata }: Pick<NetworkFlags, "imageSize" | "ignoreMetadata">,
): RunnableModel {
  const picture = pictureInput(model.inputs);
  const size = sizeOf(picture, asked, ignoreMetadata ? undefined : imageSizeIn(model.metadata));
  const feeds = Object.fromEntries(
    feedsOf(model.inputs, picture, size).map(({ name, type, values }) => {
      return [name, new ort.Tensor(type, ARRAYS[type](values), [1, 2])];
    }),
  );
  const run = async ({ data, dims }: HostTensor) => {
    const tensor = new ort.Tensor(picture.dtype, data as ArrayBufferView, dims);
    return outputsOf(
      await runSession(model.session, { ...feeds, [picture.name]: tensor }),
      endsInDetections(model.inputs),
    );
  };
  return { ...model, picture, size, run };
}

type Size = readonly [number, number];

/** The graph's, with which the flag must agree; where the graph takes any, the flag's or else the metadata's. */
function sizeOf({ name, height, width }: PictureInput, asked: Size | undefined, said: Size | undefined): Size {
  const [high, wide] = asked ?? said ?? [];
  const size = [height ?? high, width ?? wide] as const;
  if (size[0] === undefined || size[1] === undefined) {
    throw new UsageError(`input ${name} takes pictures of any size; give --image-size H,W`);
  }
  if (asked !== undefined && String(asked) !== String(size)) {
    throw new UsageError(`--image-size is ${asked}; input ${name} wants ${size}`);
  }
  return [size[0], size[1]];
}

async function runSession(session: OnnxSession, feeds: Readonly<Record<string, OnnxTensor>>) {
  try {
    return await session.run(feeds);
  } catch (error) {
    throw new UsageError(`the model fails: ${inOneLine(error)}`);
  }
}

/** Where in onnxruntime's own source a message comes from: file, line and signature. */
const SOURCE_PLACE = /(?:\b[A-Z]:)?[\\/]\S+\.(?:cc|h):\d+ .*?\) (?:const )?/g;

/** An error of onnxruntime in one line. */
function inOneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replaceAll(/\s*\n\s*/g, "; ").replaceAll(SOURCE_PLACE, "");
}

const FLOATS = ["float32", "float16", "float64"];

/** Tensors of floating-point numbers, as `detect` takes them; the others' names are kept. */
async function outputsOf(tensors: Readonly<Record<string, OnnxTensor>>, isDecoded: boolean): Promise<FileOutputs> {
  const given = isDecoded ? joinDetections(tensors) ?? tensors : tensors;
  const [names, others] = [true, false].map((wanted) =>
    Object.keys(given).filter((name) => FLOATS.includes(given[name].type) === wanted)
  );
  if (names.length === 0) throw new UsageError(`its outputs are ${others.join(", ")}: none has floating-point numbers`);
  const read = (name: string) => ({ data: given[name].data as HostTensor["data"], dims: [...given[name].dims] });
  const outputs = await readOutputs({ names, metadata: new Map(), read });
  // A lone output has a name, which a file's only tensor has not.
  const own = names.length === 1 ? new Map([["outputs", names[0]]]) : outputs.names;
  return { ...outputs, names: own, unused: [...outputs.unused, ...others] };
}
