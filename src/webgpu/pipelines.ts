/**
 * Compiled shaders, each made once from its source.
 */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #made = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(op: string, code: string): Promise<GPUComputePipeline> {
    const known = this.#made.get(code);
    if (known !== undefined) return known;
    const made = this.#make(op, code);
    this.#made.set(code, made);
    // What failed, for want of memory for example, is tried anew.
    made.catch(() => this.#made.delete(code));
    return made;
  }

  async #make(op: string, code: string): Promise<GPUComputePipeline> {
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: op, code });
    const invalid = this.#device.popErrorScope();
    const descriptor = { label: op, layout: "auto", compute: { module, entryPoint: "main" } } as const;
    const [pipeline] = await Promise.allSettled([this.#device.createComputePipelineAsync(descriptor)]);
    const error = await invalid;
    if (error !== null) throw new Error(`${op}: WebGPU refuses the shader: ${error.message}`);
    if (pipeline.status === "rejected") {
      throw new Error(`${op}: WebGPU makes no pipeline: ${pipeline.reason.message}`, { cause: pipeline.reason });
    }
    return pipeline.value;
  }
}
