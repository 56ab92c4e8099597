/**
 * Opening a device: the caller's own, or one of the platform's best adapter.
 */

/** Features beyond the portable set, requested if the adapter has them. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups"];

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly description: string;
  /** Whether the adapter is a software one. */
  readonly software: boolean;
  /** Whether we made the device, so that it ends with us. */
  readonly own: boolean;
}

/** The caller's device, or why it is of no use. */
export async function sharedDevice(device: GPUDevice): Promise<OpenedDevice | string> {
  // News of a loss comes before the answer to a question (Chromium, Dawn) or in the next turn (Deno).
  device.pushErrorScope("validation");
  const answered = device.popErrorScope().then(later, later);
  const lost = await Promise.race([device.lost, answered]);
  if (lost) return `options.gpuDevice is lost: ${lost.message || lost.reason}`;
  return { device, ...described(device.adapterInfo), own: false };
}

/** After the news that has come by now, such as that of a lost device, which may be behind what follows from it. */
export function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * The same, but at once where there is no quick way to wait: 0.03 ms against up to 4. Where `setImmediate` is missing, in
 * browsers, the news comes in order.
 */
export async function soon(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => void };
  if (setImmediate !== undefined) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A device of the platform's adapter, or why there is none. */
export async function requestDevice(gpu: GPU | undefined, software: boolean): Promise<OpenedDevice | string> {
  if (gpu === undefined) return "this runtime has no WebGPU of its own, and there is no options.gpuDevice";
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return "WebGPU has no adapter here";
  if (adapter.info.isFallbackAdapter && !software) return "the adapter is a software one";
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  return { device, ...described(adapter.info), own: true };
}

function described(info: GPUAdapterInfo | undefined): Pick<OpenedDevice, "description" | "software"> {
  const { description, vendor, architecture, device, isFallbackAdapter = false } = info ?? {};
  const name = [vendor, architecture, device].filter(Boolean).join(" ");
  return { description: description || name || "an adapter without a name", software: isFallbackAdapter };
}
