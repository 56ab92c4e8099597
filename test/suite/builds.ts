/** An engine for each build of the kernels that the host has. */
import { createEngine, type Engine } from "densehead";

const first = await createEngine();
const second = await createEngine({ relaxedSimd: "off" });

export const engines: readonly Engine[] = first.capabilities.wasm === second.capabilities.wasm
  ? [second]
  : [first, second];
