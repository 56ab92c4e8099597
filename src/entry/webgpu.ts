/**
 * The platform's WebGPU, and ours, which loads when it is asked for.
 */
import type { Webgpu } from "../dispatch.ts";

export const webgpu: Webgpu = {
  get gpu() {
    return globalThis.navigator?.gpu;
  },
  load: () => import("../webgpu/index.ts"),
};
