/**
 * Where the device comes from: the caller's own, or the platform's best adapter.
 */

/** What shaders may use beyond the portable set, where the adapter has it. */
const FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups"];

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly description: string;
  /** Is it no hardware? */
  readonly software: boolean;
  /** Did we make it, so that it ends with us? */
  readonly own: boolean;
}

/** The caller's device. */
export function sharedDevice(device: GPUDevice): OpenedDevice {
  return { device, ...described(device.adapterInfo), own: false };
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
