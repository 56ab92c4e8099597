/**
 * Which device an operation runs on, and why.
 */
import { operations } from "./ops/index.ts";
import { describe, number, oneOf, typeError } from "./validate.ts";

export interface Plan {
  device: "wasm" | "webgpu";
  reason: string;
}

/** Refuses a device that this build does not have. */
export function checkDevice(device: unknown): void {
  const place = { op: "createEngine", argument: "options.device" };
  const chosen = oneOf(place, device ?? "auto", ["auto", "wasm", "webgpu"]);
  if (chosen === "webgpu") {
    throw new Error(
      `createEngine: options.device is "webgpu", and there is no WebGPU backend yet; wanted "auto" or "wasm"`,
    );
  }
}

export function plan(op: string, elements: number): Plan {
  if (!Object.hasOwn(operations, op)) {
    throw typeError({ op: "plan", argument: "op" }, describe(op), `one of ${Object.keys(operations).join(", ")}`);
  }
  number({ op: "plan", argument: "elements" }, elements, 0);
  return { device: "wasm", reason: "no WebGPU backend yet: every operation runs on WASM" };
}
