/** Sessions of onnxruntime-web and onnxruntime-node, on one thread each. */
import type { InferenceSession } from "onnxruntime-common";
import { runtimeName } from "../machine.ts";
import type { Bytes } from "./protobuf.ts";

/** What both packages have in common. */
export type Runtime = typeof import("onnxruntime-common");
export type Results = Awaited<ReturnType<InferenceSession["run"]>>;

export interface OnnxRuntime {
  readonly name: string;
  readonly runtime: Runtime;
  session(model: Bytes): Promise<InferenceSession>;
}

export async function onnxWebRuntime(): Promise<OnnxRuntime> {
  const runtime: Runtime = await import("onnxruntime-web");
  runtime.env.wasm.numThreads = 1;
  return onnxRuntime(
    `onnxruntime-web ${runtime.env.versions.web}`,
    runtime,
    "wasm",
  );
}

export async function onnxGpuRuntime(): Promise<OnnxRuntime> {
  if (runtimeName().startsWith("Node 20.")) {
    throw new Error("it writes from shared memory, and there Dawn ends Node 20; run it in Node 24");
  }
  const runtime: Runtime = await import("onnxruntime-web/webgpu");
  runtime.env.wasm.numThreads = 1;
  return onnxRuntime(
    `onnxruntime-web ${runtime.env.versions.web} (webgpu)`,
    runtime,
    "webgpu",
  );
}

export async function onnxNodeRuntime(): Promise<OnnxRuntime> {
  const runtime: Runtime = await import("onnxruntime-node");
  return onnxRuntime(
    `onnxruntime-node ${runtime.env.versions.node}`,
    runtime,
    "cpu",
  );
}

function onnxRuntime(
  name: string,
  runtime: Runtime,
  provider: string,
): OnnxRuntime {
  const options = {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  };
  return {
    name,
    runtime,
    session: (model) => runtime.InferenceSession.create(model, options),
  };
}
