/** The example's own network, or one that the user brings, with what the page's form says of it. */
import { type HeadOptions, heads, type HeadSpec, type InputOptions, inputs, type InputSpec } from "densehead";
import type { InferenceSession } from "onnxruntime-web/webgpu";
import { type Model, openDetector, openSession, type Outputs } from "./detector.ts";

export type HeadName = Exclude<keyof typeof heads, "infer">;
export type InputName = keyof typeof inputs;

/** What the user says of a network. */
export interface Description {
  /** Null: by the shapes of its outputs. */
  readonly head: HeadName | null;
  readonly headOptions: HeadOptions;
  readonly input: InputName;
  readonly inputOptions: Partial<InputOptions>;
  readonly scoreThreshold: number;
}

const DTYPES = ["float32", "float16", "uint8"] as const;
/** Of a network that takes any size. */
const USUAL_SIDE = 640;

/** Finds the circles, squares, triangles and stars of examples/shapes. */
export async function shapesModel(): Promise<Model> {
  return {
    session: await openSession("shapes/shapes.onnx"),
    input: inputs.yolov8({ size: [160, 160] }), // letterbox, RGB, 0 to 1
    head: heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] }),
    classes: ["circle", "square", "triangle", "star"],
    scoreThreshold: 0.4,
  };
}

export async function ownModel(file: Uint8Array, description: Description): Promise<Model> {
  const { head: name, headOptions, scoreThreshold } = description;
  const session = await openSession(file);
  try {
    const input = inputs[description.input]({ ...facts(session), ...description.inputOptions });
    const head = name === null ? await inferHead({ session, input }, headOptions) : heads[name](headOptions);
    return { session, input, head, scoreThreshold };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** What the model's file says of its picture. */
function facts({ inputMetadata: [picture] }: InferenceSession): Pick<InputSpec, "size" | "layout" | "dtype"> {
  if (!picture.isTensor || picture.shape.length !== 4) throw new Error(`${picture.name} is no batch of pictures`);
  const { shape, type } = picture;
  const dtype = DTYPES.find((known) => known === type);
  if (dtype === undefined) throw new Error(`${picture.name} is ${type}; wanted ${DTYPES.join(", ")}`);
  const layout = shape[3] === 3 ? "nhwc" : "nchw";
  const [height, width] = (layout === "nhwc" ? shape.slice(1, 3) : shape.slice(2)).map(side);
  return { size: [height, width], layout, dtype };
}

function side(extent: number | string): number {
  return typeof extent === "number" && extent > 0 ? extent : USUAL_SIDE;
}

/** By the outputs for a blank picture. This once they come to the host, where values tell logits from probabilities. */
async function inferHead(
  model: Pick<Model, "session" | "input">,
  { numClasses, strides }: HeadOptions,
): Promise<HeadSpec> {
  const blank = await createImageBitmap(new ImageData(8, 8));
  const detector = await openDetector();
  const { tensor } = await detector.prepare(model, blank);
  let outputs: Outputs = {};
  try {
    outputs = await detector.run(model, tensor);
    for (const output of Object.values(outputs)) await output.getData(true);
    return heads.infer(outputs, { imageSize: model.input.size, numClasses, strides });
  } finally {
    for (const output of Object.values(outputs)) output.dispose();
    tensor.gpuBuffer.destroy();
  }
}
