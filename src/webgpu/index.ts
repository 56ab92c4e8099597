/**
 * What loads when WebGPU is first asked for.
 */
import { GpuBackend } from "./backend.ts";
import { requestDevice, sharedDevice } from "./device.ts";

export type { GpuBackend } from "./backend.ts";

/** A backend on the caller's device or, without one, the platform's; or why there is none. */
export async function openBackend(
  gpu: GPU | undefined,
  device: GPUDevice | undefined,
  software: boolean,
): Promise<GpuBackend | string> {
  const opened = await (device === undefined ? requestDevice(gpu, software) : sharedDevice(device));
  return typeof opened === "string" ? opened : new GpuBackend(opened);
}
