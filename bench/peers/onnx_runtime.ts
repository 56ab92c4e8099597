/** Detection in onnxruntime-web and onnxruntime-node, on one thread each. */
import type { Found } from "../agreement.ts";
import { ANCHORS, CHANNELS } from "../yolov8.ts";
import { detectModel, INPUT, type Outputs } from "./onnx_graph.ts";

/** What both packages have in common. */
type Runtime = typeof import("onnxruntime-common");

export interface OnnxDetector {
  readonly name: string;
  /** Detections of a tensor that was made outside the measurement. */
  prepare(logits: Float32Array): () => Promise<Found>;
}

export async function onnxWeb(): Promise<OnnxDetector> {
  const runtime: Runtime = await import("onnxruntime-web");
  runtime.env.wasm.numThreads = 1;
  return await detector(
    `onnxruntime-web ${runtime.env.versions.web}`,
    runtime,
    "wasm",
  );
}

export async function onnxNode(): Promise<OnnxDetector> {
  const runtime: Runtime = await import("onnxruntime-node");
  return await detector(
    `onnxruntime-node ${runtime.env.versions.node}`,
    runtime,
    "cpu",
  );
}

async function detector(
  name: string,
  runtime: Runtime,
  provider: string,
): Promise<OnnxDetector> {
  const { bytes, outputs } = detectModel();
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return {
    name,
    prepare(logits) {
      const feeds = {
        [INPUT]: new runtime.Tensor("float32", logits, [1, CHANNELS, ANCHORS]),
      };
      return async () => asFound(await session.run(feeds), outputs);
    },
  };
}

type Results = Awaited<
  ReturnType<import("onnxruntime-common").InferenceSession["run"]>
>;

function asFound(results: Results, names: Outputs): Found {
  const anchors = integers(results[names.anchors]);
  return {
    length: anchors.length,
    boxes: results[names.boxes].data as Float32Array,
    scores: results[names.scores].data as Float32Array,
    classes: integers(results[names.classes]),
    anchors,
  };
}

function integers(tensor: Results[string]): Int32Array {
  return Int32Array.from(tensor.data as BigInt64Array, Number);
}
