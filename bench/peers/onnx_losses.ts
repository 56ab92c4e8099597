/** Losses as ONNX graphs, without a gradient. Parameters are the defaults. */
import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { GpuLossPeer, LossInput, LossName, LossPeer, LossTask } from "../loss_task.ts";
import { GraphBuilder } from "./onnx_model.ts";
import type { OnnxRuntime } from "./onnx_session.ts";

/** The loss of every element or row. */
export interface OnnxValues {
  readonly name: string;
  values(input: LossInput): Promise<Float32Array | null>;
}

/** Adds a loss to a graph over "pred" and "target"; `stable` where results count more than time. */
type Graph = (graph: GraphBuilder, input: LossInput, stable: boolean) => string;

const GRAPHS: Readonly<Partial<Record<LossName, Graph>>> = {
  binaryCrossEntropyWithLogits: (graph, _, stable) => crossEntropy(graph, stable),
  sigmoidFocalLoss: focal,
  qualityFocalLoss: qualityFocal,
  distributionFocalLoss: distributionFocal,
  giouLoss: giou,
};

export function onnxLosses(onnx: OnnxRuntime): LossPeer {
  return {
    name: onnx.name,
    async prepare(task) {
      const ready = await startSum(onnx, task);
      return ready && { run: () => ready.run(ready.feeds) };
    },
  };
}

/** Tensors that are on the device belong to the one that the first session makes. */
export function onnxGpuLosses(onnx: OnnxRuntime): GpuLossPeer {
  return {
    name: onnx.name,
    async prepare(task) {
      const ready = await startSum(onnx, task);
      if (ready === null) return null;
      const { feeds, run } = ready;
      const device: GPUDevice = await onnx.runtime.env.webgpu.device;
      const resident = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, onDevice(onnx, device, tensor as Tensor)]),
      );
      return { host: { run: () => run(feeds) }, resident: { run: () => run(resident) } };
    },
  };
}

/** A session that gives a loss's sum; null where there is none, gradients among them. */
async function startSum(onnx: OnnxRuntime, task: LossTask) {
  const ready = task.grad ? null : await start(onnx, task, true, false);
  if (ready === null) return null;
  const { session, feeds, output } = ready;
  const run = async (inputs: InferenceSession.FeedsType) => ({
    loss: (await session.run(inputs))[output].data[0] as number,
  });
  return { feeds, run };
}

function onDevice({ runtime }: OnnxRuntime, device: GPUDevice, { data, dims }: Tensor): Tensor {
  const values = data as Float32Array<ArrayBuffer>;
  const gpuBuffer = device.createBuffer({
    size: values.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(gpuBuffer, 0, values);
  return runtime.Tensor.fromGpuBuffer(gpuBuffer as never, { dataType: "float32", dims });
}

export function onnxValues(onnx: OnnxRuntime): OnnxValues {
  return {
    name: onnx.name,
    async values(input) {
      const ready = await start(onnx, input, false, true);
      if (ready === null) return null;
      const { session, feeds, output } = ready;
      const values = Float32Array.from(
        (await session.run(feeds))[output].data as Float32Array,
      );
      await session.release();
      return values;
    },
  };
}

interface Ready {
  readonly session: InferenceSession;
  readonly feeds: InferenceSession.FeedsType;
  readonly output: string;
}

async function start(
  { runtime, session }: OnnxRuntime,
  input: LossInput,
  sum: boolean,
  stable: boolean,
): Promise<Ready | null> {
  const build = GRAPHS[input.loss];
  if (build === undefined) return null;
  const graph = new GraphBuilder();
  const loss = build(graph, input, stable);
  const output = sum ? graph.node("ReduceSum", [loss], { keepdims: 0 }) : loss;
  const inputs = [{ name: "pred", dims: input.predDims }, {
    name: "target",
    dims: input.targetDims,
  }];
  return {
    session: await session(graph.model(inputs, [output])),
    feeds: {
      pred: new runtime.Tensor("float32", input.pred, input.predDims),
      target: new runtime.Tensor("float32", input.target, input.targetDims),
    },
    output,
  };
}

/** The fewest nodes, Softplus(x) − x·y, cancel where x is high and y is 1; the other way max(x, 0) stands apart. */
function crossEntropy(graph: GraphBuilder, stable: boolean): string {
  const product = graph.node("Mul", ["pred", "target"]);
  if (!stable) {
    return graph.node("Sub", [graph.node("Softplus", ["pred"]), product]);
  }
  const low = graph.node("Neg", [graph.node("Abs", ["pred"])]);
  const rest = graph.node("Sub", [graph.node("Relu", ["pred"]), product]);
  return graph.node("Add", [rest, graph.node("Softplus", [low])]);
}

function qualityFocal(
  graph: GraphBuilder,
  _: LossInput,
  stable: boolean,
): string {
  const distance = graph.node("Sub", [
    "target",
    graph.node("Sigmoid", ["pred"]),
  ]);
  return graph.node("Mul", [
    graph.node("Mul", [distance, distance]),
    crossEntropy(graph, stable),
  ]);
}

/** (1 − α + (2α − 1)·y) · m² · BCE with m = σ + y − 2σy. */
function focal(graph: GraphBuilder, _: LossInput, stable: boolean): string {
  const on = graph.node("Sigmoid", ["pred"]);
  const both = graph.node("Mul", [
    graph.node("Mul", [on, "target"]),
    constant(graph, -2),
  ]);
  const miss = graph.node("Add", [graph.node("Add", [on, "target"]), both]);
  const weight = graph.node("Add", [
    graph.node("Mul", ["target", constant(graph, -0.5)]),
    constant(graph, 0.75),
  ]);
  const factor = graph.node("Mul", [graph.node("Mul", [miss, miss]), weight]);
  return graph.node("Mul", [factor, crossEntropy(graph, stable)]);
}

/** −Σ max(1 − |u − k|, 0) · LogSoftmax(x)_k. */
function distributionFocal(
  graph: GraphBuilder,
  { predDims: [rows, bins] }: LossInput,
): string {
  const column = graph.node("Reshape", [
    "target",
    graph.integers([2], [rows, 1]),
  ]);
  const places = graph.floats(
    [1, bins],
    Array.from({ length: bins }, (_, i) => i),
  );
  const away = graph.node("Abs", [graph.node("Sub", [column, places])]);
  const weights = graph.node("Relu", [
    graph.node("Sub", [constant(graph, 1), away]),
  ]);
  const logs = graph.node("LogSoftmax", ["pred"], { axis: 1 });
  const sums = graph.node("ReduceSum", [
    graph.node("Mul", [weights, logs]),
    graph.integers([1], [1]),
  ], { keepdims: 0 });
  return graph.node("Neg", [sums]);
}

function giou(graph: GraphBuilder): string {
  const [a, b] = ["pred", "target"].map((boxes) => {
    return [0, 1, 2, 3].map((side) => graph.node("Gather", [boxes, graph.integers([], [side])], { axis: 1 }));
  });
  const minus = (x: string, y: string) => graph.node("Sub", [x, y]);
  const times = (x: string, y: string) => graph.node("Mul", [x, y]);
  const area = (box: string[]) => times(minus(box[2], box[0]), minus(box[3], box[1]));
  const most = (side: number) => graph.node("Max", [a[side], b[side]]);
  const least = (side: number) => graph.node("Min", [a[side], b[side]]);
  const clipped = (low: string, high: string) => graph.node("Relu", [minus(high, low)]);
  const overlap = times(clipped(most(0), least(2)), clipped(most(1), least(3)));
  const union = minus(graph.node("Add", [area(a), area(b)]), overlap);
  const enclosing = times(minus(most(2), least(0)), minus(most(3), least(1)));
  const padded = (x: string) => graph.node("Add", [x, constant(graph, 1e-7)]);
  const iou = graph.node("Div", [overlap, padded(union)]);
  const gap = graph.node("Div", [minus(enclosing, union), padded(enclosing)]);
  return graph.node("Add", [minus(constant(graph, 1), iou), gap]);
}

function constant(graph: GraphBuilder, value: number): string {
  return graph.floats([], [value]);
}
