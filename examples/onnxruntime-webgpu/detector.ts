/** From a picture to boxes on one GPU device: pixels, tensors and the network's outputs stay there. */
import {
  createEngine,
  type Detections,
  type Engine,
  type HeadSpec,
  type ImageTransform,
  type InputGpuTensor,
  type InputSpec,
} from "densehead";
import * as ort from "onnxruntime-web/webgpu";

// Threads would need a page that is cross-origin isolated.
ort.env.wasm.numThreads = 1;

/** `GPUTextureUsage`, which TypeScript does not declare. A copy from a picture wants the last two. */
const [TEXTURE_BINDING, COPY_DST, RENDER_ATTACHMENT] = [0x04, 0x02, 0x10];

export type Picture = HTMLCanvasElement | ImageBitmap;

/** The network's outputs by their names. */
export type Outputs = Readonly<Record<string, ort.Tensor>>;

/** A network, and what comes before and after it. */
export interface Model {
  readonly session: ort.InferenceSession;
  readonly input: InputSpec;
  readonly head: HeadSpec;
  /** Names of the classes, where they are known. */
  readonly classes?: readonly string[];
  readonly scoreThreshold: number;
}

export function openSession(model: string | Uint8Array): Promise<ort.InferenceSession> {
  const options = { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" } as const;
  // Its overloads take one or the other.
  return ort.InferenceSession.create(model as string, options);
}

let opened: Promise<Detector> | null = null;

/** One for all networks. The first session makes the device; before that it is undefined. */
export function openDetector(): Promise<Detector> {
  const open = async () => {
    const device = await ort.env.webgpu.device;
    return new Detector(device, await createEngine({ gpuDevice: device }));
  };
  return opened ??= open();
}

export class Detector {
  readonly device: GPUDevice;
  readonly #engine: Engine;
  /** The last picture; the next one of the same size is copied over it. */
  #texture: GPUTexture | null = null;

  constructor(device: GPUDevice, engine: Engine) {
    this.device = device;
    this.#engine = engine;
  }

  /** All three steps. */
  async detect(model: Model, picture: Picture): Promise<Detections> {
    const { tensor, transform } = await this.prepare(model, picture);
    let outputs: Outputs = {};
    try {
      outputs = await this.run(model, tensor);
      return await this.find(model, outputs, transform);
    } finally {
      // Not before: until `find` has resolved, the GPU may still read them.
      for (const output of Object.values(outputs)) output.dispose();
      tensor.gpuBuffer.destroy();
    }
  }

  /** The network's input, and the way back from it. Whoever asked for the tensor destroys its buffer. */
  prepare(
    { input }: Pick<Model, "input">,
    picture: Picture,
  ): Promise<{ tensor: InputGpuTensor; transform: ImageTransform }> {
    const { width, height } = picture;
    const texture = this.#textureOf(width, height);
    this.device.queue.copyExternalImageToTexture({ source: picture }, { texture }, [width, height]);
    return this.#engine.preprocess(texture, input);
  }

  /** The network's outputs, on the GPU; whoever asked for them disposes them. */
  run({ session }: Pick<Model, "session">, tensor: InputGpuTensor): Promise<Outputs> {
    return session.run({ [session.inputNames[0]]: ort.Tensor.fromGpuBuffer(tensor.gpuBuffer, tensor) });
  }

  /** Reads the outputs where they lie. */
  async find(
    { head, input, scoreThreshold }: Model,
    outputs: Outputs,
    transform: ImageTransform,
  ): Promise<Detections> {
    const [found] = await this.#engine.detect(outputs, { head, imageSize: input.size, transform, scoreThreshold });
    return found;
  }

  #textureOf(width: number, height: number): GPUTexture {
    if (this.#texture?.width === width && this.#texture.height === height) return this.#texture;
    this.#texture?.destroy();
    this.#texture = this.device.createTexture({
      size: [width, height],
      format: "rgba8unorm",
      usage: TEXTURE_BINDING | COPY_DST | RENDER_ATTACHMENT,
    });
    return this.#texture;
  }
}
