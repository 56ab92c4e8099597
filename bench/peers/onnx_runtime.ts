/** Detection in onnxruntime-web and onnxruntime-node. */
import type { Found } from "../agreement.ts";
import { ANCHORS, CHANNELS } from "../yolov8.ts";
import { detectModel, INPUT, type Outputs } from "./onnx_graph.ts";
import { onnxNodeRuntime, type OnnxRuntime, onnxWebRuntime, type Results } from "./onnx_session.ts";

export interface OnnxDetector {
  readonly name: string;
  /** Detections of a tensor that was made outside the measurement. */
  prepare(logits: Float32Array): () => Promise<Found>;
}

export async function onnxWeb(): Promise<OnnxDetector> {
  return await detector(await onnxWebRuntime());
}

export async function onnxNode(): Promise<OnnxDetector> {
  return await detector(await onnxNodeRuntime());
}

async function detector(
  { name, runtime, session }: OnnxRuntime,
): Promise<OnnxDetector> {
  const { bytes, outputs } = detectModel();
  const detect = await session(bytes);
  return {
    name,
    prepare(logits) {
      const feeds = {
        [INPUT]: new runtime.Tensor("float32", logits, [1, CHANNELS, ANCHORS]),
      };
      return async () => asFound(await detect.run(feeds), outputs);
    },
  };
}

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
