/**
 * A WebGPU device for tests, where the runtime or npm's `webgpu` finds an adapter.
 */
// needs: test/runtimes
import { gpu, runtime } from "./runtime.ts";

/** As the engine asks for its own. */
const ADAPTER = { powerPreference: "high-performance" } as const;
const adapter = await gpu?.requestAdapter(ADAPTER) ?? null;

/** Why there are no devices, or null. The runner takes "no adapter" for a failure with CI=true. */
export const noDevice = gpu === undefined ? `${runtime} has no WebGPU` : adapter === null ? "WebGPU: no adapter" : null;

/** Can devices have subgroups? */
export const hasSubgroups = adapter?.features.has("subgroups") ?? false;

/** A new device: an adapter gives only one. */
export async function newDevice(requiredFeatures: GPUFeatureName[] = []): Promise<GPUDevice> {
  const fresh = await gpu?.requestAdapter(ADAPTER);
  return await (fresh as GPUAdapter).requestDevice({ requiredFeatures });
}

/** The device as if it were hardware, on which sums go through subgroups. */
export function asHardware(device: GPUDevice): GPUDevice {
  return bound(device, { adapterInfo: { isFallbackAdapter: false } });
}

interface Watched {
  /** The device, for `gpuDevice`. */
  readonly device: GPUDevice;
  /** Buffers that were made and not destroyed. */
  readonly live: () => number;
  /** Their bytes. */
  readonly bytes: () => number;
  /** Bytes that were mapped to be read. */
  readonly mapped: () => number;
  /** Submissions to its queue. */
  readonly submitted: () => number;
}

/** A device that counts what is done with its buffers, says that its limits are these, and keeps bindings within them. */
export function watch(device: GPUDevice, limited: Partial<GPUSupportedLimits> = {}): Watched {
  const limits = { ...limitsOf(device), ...limited };
  const alive = new Set<GPUBuffer>();
  let mapped = 0;
  let submitted = 0;
  const createBuffer = (descriptor: GPUBufferDescriptor) => {
    const buffer = device.createBuffer(descriptor);
    alive.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    const mapAsync = buffer.mapAsync.bind(buffer);
    return Object.assign(buffer, {
      destroy: () => {
        alive.delete(buffer);
        destroy();
      },
      mapAsync: (mode: number, offset: number, size: number) => {
        mapped += size;
        return mapAsync(mode, offset, size);
      },
    });
  };
  const queue = bound(device.queue, {
    submit: (commands: Iterable<GPUCommandBuffer>) => {
      submitted++;
      device.queue.submit(commands);
    },
  });
  const createBindGroup = (descriptor: GPUBindGroupDescriptor) => {
    for (const { resource } of descriptor.entries) {
      if (!("buffer" in resource)) continue;
      const { buffer, offset = 0, size = buffer.size - offset } = resource;
      if (size > limits.maxStorageBufferBindingSize) throw new Error(`a binding of ${size} bytes`);
    }
    return device.createBindGroup(descriptor);
  };
  const watched = bound(device, { createBuffer, createBindGroup, queue, limits });
  const bytes = () => [...alive].reduce((sum, { size }) => sum + size, 0);
  return { device: watched, live: () => alive.size, bytes, mapped: () => mapped, submitted: () => submitted };
}

/** The same object with some members of its own. */
function bound<T extends object>(target: T, changed: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in changed) return changed[name as keyof T];
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function limitsOf({ limits }: GPUDevice) {
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } = limits;
  return { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension };
}

/** GPUBufferUsage: STORAGE, COPY_DST and COPY_SRC. */
const STORAGE = 0x80 | 0x8 | 0x4;

/** A buffer with these bytes, padded to whole words. */
export function bufferOf(device: GPUDevice, data: Float32Array | Uint16Array, usage = STORAGE): GPUBuffer {
  const size = Math.ceil(data.byteLength / 4) * 4;
  const buffer = device.createBuffer({ size, usage });
  const padded = new Uint8Array(size);
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

/** The floats of a buffer. */
export async function floatsOf(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const back = device.createBuffer({ size: buffer.size, usage: 0x1 | 0x8 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, back, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(0x1);
  const values = new Float32Array(back.getMappedRange()).slice();
  back.destroy();
  return values;
}
