/** Detection as an ONNX graph, as exporters write it: decode everything, then NonMaxSuppression. */
import { anchorGrid, ANCHORS, BINS, BOX_CHANNELS, CHANNELS, CLASSES, KEEP } from "../yolov8.ts";
import { GraphBuilder } from "./onnx_model.ts";

export const INPUT = "logits";

/** Names of the outputs: of each detection its box, score, class and anchor. */
export interface Outputs {
  readonly boxes: string;
  readonly scores: string;
  readonly classes: string;
  readonly anchors: string;
}

export interface Model {
  readonly bytes: Uint8Array;
  readonly outputs: Outputs;
}

/** Boxes of a class are moved this far, times the class, so that one NMS serves all classes. */
const CLASS_OFFSET = 1024;

export function detectModel(): Model {
  const graph = new GraphBuilder();
  const boxes = decodeBoxes(graph, slice(graph, 0, BOX_CHANNELS));
  const scores = graph.node("Sigmoid", [slice(graph, BOX_CHANNELS, CHANNELS)]);
  const best = graph.node("ReduceMax", [scores], { axes: [1], keepdims: 1 });
  const labels = graph.node("ArgMax", [scores], { axis: 1, keepdims: 0 });
  const anchors = suppress(graph, boxes, best, labels);
  const outputs = {
    boxes: graph.node("Gather", [boxes, anchors], { axis: 1 }),
    scores: graph.node("Gather", [best, anchors], { axis: 2 }),
    classes: graph.node("Gather", [labels, anchors], { axis: 1 }),
    anchors,
  };
  const input = { name: INPUT, dims: [1, CHANNELS, ANCHORS] };
  return { bytes: graph.model([input], Object.values(outputs)), outputs };
}

function slice(graph: GraphBuilder, from: number, to: number): string {
  const [start, end, axis] = [from, to, 1].map((value) => graph.integers([1], [value]));
  return graph.node("Slice", [INPUT, start, end, axis]);
}

/** (1, 64, 8400) logits to (1, 8400, 4) corners: anchor ∓ stride · expectation. */
function decodeBoxes(graph: GraphBuilder, logits: string): string {
  const sides = graph.node("Reshape", [
    logits,
    graph.integers([4], [1, 4, BINS, ANCHORS]),
  ]);
  const rows = graph.node("Transpose", [sides], { perm: [0, 3, 1, 2] });
  const distribution = graph.node("Softmax", [rows], { axis: -1 });
  const bins = graph.floats(
    [BINS, 1],
    Array.from({ length: BINS }, (_, i) => i),
  );
  const expectation = graph.node("MatMul", [distribution, bins]);
  const distances = graph.node("Reshape", [
    expectation,
    graph.integers([3], [1, ANCHORS, 4]),
  ]);
  const { x, y, stride } = anchorGrid();
  const points = graph.floats(
    [1, ANCHORS, 4],
    perSide((anchor) => [x[anchor], y[anchor], x[anchor], y[anchor]]),
  );
  const scales = graph.floats(
    [1, ANCHORS, 4],
    perSide((
      anchor,
    ) => [-stride[anchor], -stride[anchor], stride[anchor], stride[anchor]]),
  );
  return graph.node("Add", [points, graph.node("Mul", [distances, scales])]);
}

function perSide(values: (anchor: number) => number[]): number[] {
  return Array.from({ length: ANCHORS }, (_, anchor) => values(anchor)).flat();
}

/** Indices of the kept anchors, best first. */
function suppress(
  graph: GraphBuilder,
  boxes: string,
  best: string,
  labels: string,
): string {
  const offsets = graph.floats(
    [CLASSES],
    Array.from({ length: CLASSES }, (_, c) => c * CLASS_OFFSET),
  );
  const offset = graph.node("Gather", [offsets, labels], { axis: 0 });
  const moved = graph.node("Add", [
    boxes,
    graph.node("Unsqueeze", [offset, graph.integers([1], [2])]),
  ]);
  const selected = graph.node("NonMaxSuppression", [
    moved,
    best,
    graph.integers([1], [KEEP.maxDetections]),
    graph.floats([1], [KEEP.iouThreshold]),
    graph.floats([1], [KEEP.scoreThreshold]),
  ]);
  // Each row is batch, class, anchor.
  return graph.node("Gather", [selected, graph.integers([], [2])], { axis: 1 });
}
