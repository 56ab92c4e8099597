/** WebGPU for the bench: a device, maps on it, and a kernel that copies. */
import type { Entrant } from "./runner.ts";

/** GPUBufferUsage: STORAGE, COPY_DST and COPY_SRC. */
const STORAGE = 0x80 | 0x8 | 0x4;
/** Results that calls in flight may hold. */
const MOST_BYTES = 2 ** 30;

const LANES = 256;
/** Of each lane. */
const VECTORS = 4;

const copyShader = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copy: array<vec4f>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * ${LANES * VECTORS}u + lane;
  for (var k = 0u; k < ${LANES * VECTORS}u; k += ${LANES}u) {
    if (first + k < arrayLength(&source)) { copy[first + k] = source[first + k]; }
  }
}`;

export interface Gpu {
  readonly device: GPUDevice;
  readonly description: string;
  readonly features: string;
  readonly software: boolean;
  /** Kept, because devices end with it. */
  readonly instance: GPU;
}

export async function openGpu(): Promise<Gpu> {
  const instance = await findGpu();
  const adapter = await instance.requestAdapter({
    powerPreference: "high-performance",
  });
  if (adapter === null) {
    throw new Error(
      "no adapter here (VK_ICD_FILENAMES may name a software one)",
    );
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("subgroups") ? ["subgroups"] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  const { description, vendor, architecture, isFallbackAdapter } = adapter.info;
  const named = [vendor, architecture, description].filter(Boolean).join(" ");
  const features = [...adapter.features].sort().join(", ");
  return {
    device,
    description: named,
    features,
    software: isFallbackAdapter || /swiftshader|llvmpipe/i.test(named),
    instance,
  };
}

/** The runtime's own, or npm's, which is put where peers look for it. */
async function findGpu(): Promise<GPU> {
  if (globalThis.navigator?.gpu !== undefined) return navigator.gpu;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  globalThis.navigator ??= { userAgent: "Node.js" } as Navigator;
  Object.defineProperty(navigator, "gpu", { value: create([]) });
  return navigator.gpu;
}

/** A map on the device, repeated until a buffer of so many bytes is full. */
export function repeated(
  device: GPUDevice,
  data: Float32Array,
  size: number,
): GPUBuffer {
  const buffer = device.createBuffer({ size, usage: STORAGE });
  const once = device.createBuffer({ size: data.byteLength, usage: STORAGE });
  device.queue.writeBuffer(once, 0, data as Float32Array<ArrayBuffer>);
  const encoder = device.createCommandEncoder();
  for (let at = 0; at < size; at += once.size) {
    encoder.copyBufferToBuffer(
      once,
      0,
      buffer,
      at,
      Math.min(once.size, size - at),
    );
  }
  device.queue.submit([encoder.finish()]);
  once.destroy();
  return buffer;
}

/** Waits until a result is on the host. */
export async function readBack(device: GPUDevice, result: GPUBuffer): Promise<void> {
  const { size } = result;
  const copy = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(result, 0, copy, 0, size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  copy.destroy();
}

/** Milliseconds of each of so many calls, whose results hold so many bytes, until the queue is empty. */
export async function timeOf(
  device: GPUDevice,
  call: () => Promise<GPUBuffer[]>,
  calls: number,
  bytes: number,
): Promise<number> {
  const most = Math.max(1, Math.floor(MOST_BYTES / Math.max(bytes, 1)));
  let total = 0;
  for (let done = 0; done < calls; done += most) {
    const start = performance.now();
    const results = await Promise.all(
      Array.from({ length: Math.min(most, calls - done) }, call),
    );
    await device.queue.onSubmittedWorkDone();
    total += performance.now() - start;
    for (const buffer of results.flat()) buffer.destroy();
  }
  return total / calls;
}

/** A copy of so many bytes, in as many bindings as it takes. */
export function copying(device: GPUDevice, size: number) {
  const [source, copy] = [0, 1].map(() => device.createBuffer({ size, usage: STORAGE }));
  const module = device.createShaderModule({ code: copyShader });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const encode = (
    pass: GPUComputePassEncoder,
    offset: number,
    bytes: number,
  ) => {
    const entries = [source, copy].map((buffer, binding) => ({
      binding,
      resource: { buffer, offset, size: bytes },
    }));
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries,
      }),
    );
    const groups = Math.ceil(bytes / (16 * LANES * VECTORS));
    const across = Math.min(
      groups,
      device.limits.maxComputeWorkgroupsPerDimension,
    );
    pass.dispatchWorkgroups(across, Math.ceil(groups / across));
  };
  const submit = () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const most = Math.floor(device.limits.maxStorageBufferBindingSize / 256) *
      256;
    for (let at = 0; at < size; at += most) {
      encode(pass, at, Math.min(most, size - at));
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  return {
    async time(calls: number): Promise<number> {
      const start = performance.now();
      for (let i = 0; i < calls; i++) submit();
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / calls;
    },
    [Symbol.dispose](): void {
      source.destroy();
      copy.destroy();
    },
  };
}

/** One whose queue is timed. */
export function entrant(
  name: string,
  clock: (calls: number) => Promise<number>,
): Entrant<unknown> {
  return { name, clock, run: () => clock(1) };
}
