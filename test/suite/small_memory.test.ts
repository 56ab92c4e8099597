/** Every operation in the least memory that an engine may have: the bits of an engine with much. */
import { createEngine, heads, inputs } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Operation, operations } from "../../src/registry.ts";
import { same, throws } from "../compare.ts";
import {
  argumentCasesOf,
  referenceOf,
  requiredOf,
  type RowOperationReference,
  type RowReference,
  settingsOf,
} from "../conformance.ts";
import { boxes, floats, random } from "../random.ts";
import { walk } from "./walk.ts";

const test = suite("small memory");
const LEAST = 256 * 1024;
const small = await createEngine({ maxMemory: LEAST });
const large = await createEngine({ maxMemory: 256 * 1024 * 1024 });

type Arguments = readonly unknown[];

const r = random(80);
const logits = (length: number) => floats(length, () => 6 * r.normal());
const shares = (length: number) => floats(length, () => r.uniform());
const matrix = (data: Float32Array, columns: number) => ({ data, dims: [data.length / columns, columns] });
const pairs = (count: number) => [boxes(r, count), boxes(r, count)] as const;

const WIDE = 30000;
/** Rows of which some end with a block of the kernels, some do not, and some are longer than a chunk. */
const WIDTHS = walk([1, 4, 31, 80, 81, 91, 1001, WIDE]);

/** Every reduction, with and without gradients, and weights of rows and of elements. */
function lossWays(rows: number, elements: number, elementWeights: boolean): object[] {
  const weights = [undefined, shares(rows), ...(elementWeights ? [shares(elements)] : [])];
  return weights.flatMap((weight) =>
    (["none", "sum", "mean"] as const).flatMap((reduction) =>
      [false, true].map((grad) => ({ reduction, grad, ...(weight === undefined ? {} : { weight }) }))
    )
  );
}

/** Two that have paths of their own in the kernels, and one that has none. */
const EXPONENTS = [2, 1.5, 1.3];

/** Dense targets and labels, of rows of every width. */
function elementLoss({ exponent, labels }: Operation & { exponent?: string; labels?: boolean }): Arguments[] {
  return WIDTHS.flatMap((columns, i) => {
    const options = exponent === undefined ? {} : { [exponent]: EXPONENTS[i % EXPONENTS.length] };
    const rows = columns === WIDE ? 2 : Math.ceil(50000 / columns);
    const pred = matrix(logits(rows * columns), columns);
    const target = matrix(shares(rows * columns), columns);
    const wanted: unknown[] = [target];
    if (labels) {
      const scores = shares(rows);
      wanted.push({ labels: Int32Array.from({ length: rows }, (_, i) => i % (columns + 1)), scores });
    }
    return wanted.flatMap((each) => {
      const dense = each === target;
      return lossWays(rows, rows * columns, dense).map((way) => [pred, each, { ...way, ...options }]);
    });
  });
}

function boxLoss(operation: Operation): Arguments[] {
  const required = requiredOf(operation);
  return lossWays(20001, 0, false).map((way) => [...pairs(20001), { ...way, ...required }]);
}

/** Rows of the fewest columns, the most, and half of those. */
function rowLoss(operation: Operation): Arguments[] {
  const { columns, targetAt } = referenceOf<RowReference>(operation).file;
  const widths = [columns[0], columns[columns.length >> 1], columns[columns.length - 1]];
  return widths.flatMap((width) =>
    lossWays(3001, 0, false).map((way) => [
      matrix(logits(3001 * width), width),
      floats(3001, () => targetAt(r.uniform(), width, {})),
      way,
    ])
  );
}

/** Values of the first input, about 1 MB. */
const ROW_VALUES = 256_000;

function rowOperation(operation: Operation): Arguments[] {
  const c = referenceOf<RowOperationReference>(operation);
  return settingsOf(c).map((options) => {
    const [{ length: columns }] = c.file.inputs(r, 1, options);
    const inputs = c.file.inputs(r, Math.floor(ROW_VALUES / columns) | 1, options);
    return Object.keys(operation.params).length === 0 ? inputs : [...inputs, options];
  });
}

const sizes = { imageSize: [256, 320] };
const truth = { boxes: Float32Array.of(20, 20, 120, 150, 150, 40, 300, 220), labels: Int32Array.of(1, 3) };

function criterion(head: ReturnType<typeof heads.gfl>, maps: Record<string, number>): Arguments[] {
  const anchors = head.strides.reduce((sum, s) => sum + Math.ceil(256 / s) * Math.ceil(320 / s), 0);
  const input = { head, ...sizes, gt: [truth] };
  const made = Object.entries(maps).map(([name, columns]) => {
    const values = name === "distances" || name === "refined"
      ? floats(anchors * columns, () => r.uniform(0, 90))
      : logits(anchors * columns);
    return [name, { data: values, dims: [anchors, columns] }] as const;
  });
  return [[{ ...input, ...Object.fromEntries(made) }, { grad: true }]];
}

/** Small, because it needs bytes for each anchor and each candidate. */
function detection(): Arguments[] {
  const head = heads.yolov8({ numClasses: 20 });
  const anchors = 16 * 20 + 8 * 10 + 4 * 5;
  const data = floats(anchors * 84, () => 3 * r.normal());
  const options = { imageSize: [128, 160], scoreThreshold: 0.9 };
  const pose = heads.yolov8({ numClasses: 1, layout: "rows", keypoints: { count: 9, dims: 2, coding: "yolov8" } });
  return [
    [{ data, dims: [1, 84, anchors] }, { ...options, head, uncertainty: true }],
    [{ data: data.subarray(0, 83 * anchors), dims: [1, anchors, 83] }, { ...options, head: pose }],
  ];
}

/** A picture of rows that are long for so little memory, in every way of resizing. */
function pictures(): Arguments[] {
  const image = {
    data: Uint8Array.from({ length: 1280 * 200 * 4 }, () => r.uniform(0, 256)),
    width: 1280,
    height: 200,
  };
  return (["bilinear", "area", "bicubic"] as const).map((
    resize,
  ) => [image, inputs.yolov8({ size: [200, 320], resize })]);
}

/** Routines over more than a few values, each in its own way. */
const ROUTINES: Readonly<Record<string, () => Arguments[]>> = {
  nms: () => [[boxes(r, 800), shares(800), { iouThreshold: 0.5 }]],
  batchedNms: () => [[boxes(r, 800), shares(800), Int32Array.from({ length: 800 }, (_, i) => i % 7), {
    iouThreshold: 0.5,
  }]],
  rotatedNms: () => [[matrix(floats(2500, () => r.uniform(1, 40)), 5), shares(500), { iouThreshold: 0.5 }]],
  softNms: () => [[boxes(r, 800), shares(800)]],
  atssAssign: () => [[{ ...sizes, strides: [4, 8] }, truth]],
  taskAlignedAssign: () => [[
    matrix(shares(80 * 5000), 80),
    boxes(r, 5000),
    floats(10000, () => r.uniform(0, 300)),
    truth,
  ]],
  gflCriterion: () => criterion(heads.gfl({ numClasses: 81 }), { cls: 81, dist: 68 }),
  vfnetCriterion: () => criterion(heads.vfnet({ numClasses: 81 }), { cls: 81, distances: 4, refined: 4 }),
  yoloCriterion: () => criterion(heads.yolov8({ numClasses: 81 }), { cls: 81, dist: 64 }),
  detect: detection,
  preprocess: pictures,
};

function casesOf(operation: Operation): Arguments[] {
  switch (operation.kind) {
    case "element loss":
      return elementLoss(operation);
    case "row loss":
      return rowLoss(operation);
    case "box loss":
      return boxLoss(operation);
    case "row operation":
      return rowOperation(operation);
    case "routine":
      return ROUTINES[operation.name]?.() ?? argumentCasesOf(operation).map((make) => make());
  }
}

/** Have two results the same bits? */
function sameBits(a: unknown, b: unknown): boolean {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const [x, y] = [a, b].map((view) => new Uint32Array(view.buffer, view.byteOffset, view.byteLength / 4));
    return x.length === y.length && x.every((bits, i) => bits === y[i]);
  }
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b);
  const [x, y] = [a, b] as Record<string, unknown>[];
  return Object.keys(x).length === Object.keys(y).length && Object.keys(x).every((key) => sameBits(x[key], y[key]));
}

for (const operation of Object.values(operations)) {
  test(`${operation.name} in ${LEAST} bytes`, () => {
    const made = casesOf(operation);
    assert.ok(made.length > 0);
    const { used } = small.memory;
    made.forEach((args, i) => {
      const [got, wanted] = [small, large].map(({ sync }) => {
        return (sync as unknown as Record<string, (...args: unknown[]) => unknown>)[operation.name](...args);
      });
      assert.ok(sameBits(got, wanted), `case ${i}`);
    });
    assert.is(small.memory.used, used);
    assert.ok(small.memory.reserved <= LEAST);
  });
}

test("less is refused with both figures", async () => {
  try {
    await createEngine({ maxMemory: LEAST - 1 });
    assert.unreachable();
  } catch (error) {
    throws(
      () => {
        throw error;
      },
      RangeError,
      "createEngine",
      "maxMemory",
      String(LEAST - 1),
      String(LEAST),
      "131072",
    );
  }
});

test("beside tensors, what is left decides", () => {
  using _tensor = small.tensor([15000]);
  const pred = matrix(logits(81 * 700), 81);
  const target = matrix(shares(81 * 700), 81);
  const options = { grad: true, weight: shares(700), reduction: "sum" } as const;
  const [got, wanted] = [small, large].map(({ sync }) => sync.qualityFocalLoss(pred, target, options));
  assert.is(got.loss, wanted.loss);
  same(got.grad, wanted.grad);
});

test.run();
