/** examples/train: densehead answers losses and gradients over a pipe, to anyone and to PyTorch. */
// needs: examples/train
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { random } from "../random.ts";
import { distributionFocalLoss } from "../reference/distribution_focal_loss.ts";
import { giouLoss } from "../reference/giou_loss.ts";
import { qualityFocalLoss } from "../reference/quality_focal_loss.ts";
import { skip } from "../suite/skip.ts";

interface Question {
  readonly loss: string;
  readonly options: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

interface Tensor {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface Answer {
  readonly error?: string;
  readonly loss?: readonly number[];
  readonly grad?: readonly number[];
  readonly dims?: readonly number[];
}

const test = suite("examples/train");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const folder = join(root, "examples/train");

/** A message as the head of losses.js has it. */
function message({ tensors, ...rest }: Question): Buffer {
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { dims }]) => [name, dims]));
  const text = Buffer.from(JSON.stringify({ ...rest, tensors: shapes }));
  const numbers = Object.values(tensors).flatMap(({ data }) => data);
  const bytes = Buffer.alloc(4 + text.length + 4 * numbers.length);
  bytes.writeUInt32LE(text.length);
  text.copy(bytes, 4);
  numbers.forEach((value, i) => bytes.writeFloatLE(value, 4 + text.length + 4 * i));
  return bytes;
}

function answersIn(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  let at = 0;
  const take = (length: number) => bytes.subarray(at, at += length);
  while (at < bytes.length) {
    const header = JSON.parse(take(take(4).readUInt32LE()).toString());
    const shapes: [string, number[]][] = Object.entries(header.tensors);
    const tensors = shapes.map(([name, dims]) => {
      const length = dims.reduce((product, extent) => product * extent, 1);
      return [name, Array.from({ length }, () => take(4).readFloatLE())];
    });
    answers.push({ error: header.error, dims: header.tensors.grad, ...Object.fromEntries(tensors) });
  }
  return answers;
}

/** All answers; the questions are written in pieces of so many bytes. */
async function ask(questions: readonly Question[], piece: number): Promise<Answer[]> {
  const server = spawn(process.execPath, [join(folder, "losses.js")], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(server, "close");
  const parts: Buffer[] = [];
  server.stdout.on("data", (part) => parts.push(part));
  const bytes = Buffer.concat(questions.map(message));
  for (let at = 0; at < bytes.length; at += piece) {
    if (!server.stdin.write(bytes.subarray(at, at + piece))) await once(server.stdin, "drain");
  }
  server.stdin.end();
  assert.is((await ended)[0], 0);
  return answersIn(Buffer.concat(parts));
}

function areNear(found: readonly number[] = [], wanted: readonly number[]): void {
  assert.is(found.length, wanted.length);
  wanted.forEach((value, i) => {
    assert.ok(Math.abs(found[i] - value) <= 2e-6 * Math.max(1, Math.abs(value)), `${i}: ${found[i]}, wanted ${value}`);
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test("classes, boxes and distributions have the values and gradients of the references, whatever the pieces", async () => {
  const r = random(161);
  const numbers = (length: number, low: number, high: number) => {
    return [...Float32Array.from({ length }, () => r.uniform(low, high))];
  };
  const [logits, qualities] = [numbers(12, -4, 4), numbers(12, 0, 1)];
  const boxes = () => Array.from({ length: 5 }, () => [...numbers(2, 0, 20), ...numbers(2, 21, 60)]).flat();
  const [pred, target, weight] = [boxes(), boxes(), numbers(5, 0, 2)];
  const [rows, sides] = [numbers(6 * 8, -2, 2), numbers(6, 0, 6.9)];

  const questions = [
    {
      loss: "qualityFocalLoss",
      options: {},
      tensors: { pred: { dims: [3, 4], data: logits }, target: { dims: [3, 4], data: qualities } },
    },
    {
      loss: "giouLoss",
      options: { lossWeight: 2 },
      tensors: {
        pred: { dims: [5, 4], data: pred },
        target: { dims: [5, 4], data: target },
        weight: { dims: [5], data: weight },
      },
    },
    {
      loss: "distributionFocalLoss",
      options: {},
      tensors: { pred: { dims: [6, 8], data: rows }, target: { dims: [6], data: sides } },
    },
  ];
  const quality = logits.map((x, i) => qualityFocalLoss(x, qualities[i]));
  const box = weight.map((w, i) => {
    const { value, grad } = giouLoss(pred.slice(4 * i, 4 * i + 4), target.slice(4 * i, 4 * i + 4));
    return { value: 2 * w * value, grad: Array.from(grad, (slope) => 2 * w * slope) };
  });
  const sided = sides.map((side, i) => distributionFocalLoss(rows.slice(8 * i, 8 * i + 8), side));

  for (const piece of [7, 1 << 16]) {
    const answers = await ask(questions, piece);
    assert.equal(answers.map(({ dims }) => dims), [[3, 4], [5, 4], [6, 8]]);
    areNear(answers[0].loss, [sum(quality.map(({ value }) => value))]);
    areNear(answers[0].grad, quality.map(({ grad }) => grad));
    areNear(answers[1].loss, [sum(box.map(({ value }) => value))]);
    areNear(answers[1].grad, box.flatMap(({ grad }) => grad));
    areNear(answers[2].loss, [sum(sided.map(({ value }) => value))]);
    areNear(answers[2].grad, sided.flatMap(({ grad }) => grad));
  }
});

test("no positives are a loss of 0, errors are answered with their text, and the process goes on", async () => {
  const none = { dims: [0, 4], data: [] };
  const two = { dims: [2, 4], data: [0, 0, 2, 2, 0, 0, 1, 1] };
  const answers = await ask([
    { loss: "giouLoss", options: {}, tensors: { pred: two, target: { dims: [1, 4], data: [0, 0, 1, 1] } } },
    { loss: "exit", options: {}, tensors: {} },
    { loss: "giouLoss", options: {}, tensors: { pred: none, target: none } },
    { loss: "giouLoss", options: {}, tensors: { pred: { dims: [1, 4], data: [NaN, 0, 1, 1] }, target: none } },
    { loss: "giouLoss", options: {}, tensors: { pred: two, target: two } },
  ], 1 << 16);
  assert.match(answers[0].error ?? "", /^giouLoss: target/);
  assert.is(answers[1].error, "exit is no loss of densehead");
  assert.equal([answers[2].loss, answers[2].grad], [[0], []]);
  assert.match(answers[3].error ?? "", /^giouLoss: target/);
  areNear(answers[4].loss, [0]);
});

const python = ["python3", "/usr/bin/python3"].find((path) => {
  return spawnSync(path, ["-c", "import torch, numpy, PIL"]).status === 0;
});

test("PyTorch: the four settings have the totals and gradients of PyTorch's own losses", () => {
  if (python === undefined) return skip("examples/train: no python3 with torch, numpy and Pillow");
  const program = `
import torch, train
from densehead import Densehead
shapes = train.shapes
images, boxes, labels = shapes.make_scenes(4, 5)
points, strides = shapes.make_points()
torch.manual_seed(1)
model = shapes.ShapeDetector().train()
def run(setting, losses):
    model.zero_grad()
    outputs = model(images.float() / 255)
    for output in outputs: output.retain_grad()
    total = train.criterion_of(setting, losses)(outputs, points, strides, boxes, labels)
    total.backward()
    return total.item(), torch.cat([output.grad.flatten() for output in outputs])
with Densehead(${JSON.stringify(process.execPath)}) as densehead:
    for setting in train.SETTINGS:
        (own, slopes), (other, others) = run(setting, train.TorchLosses()), run(setting, train.DenseheadLosses(densehead))
        print(setting, own, other, (slopes - others).abs().max().item() / slopes.abs().max().item())
    try: densehead.loss("giouLoss", torch.zeros(2, 4), torch.zeros(1, 4))
    except ValueError as error: print("raised", error)
`;
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const { status, stdout, stderr } = spawnSync(python, ["-c", program], { cwd: folder, encoding: "utf8", env });
  assert.is(status, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => line.split(" "));
  assert.equal(lines.map(([name]) => name), ["focal", "qfl", "dfl", "qfl+dfl", "raised"]);
  for (const [setting, own, other, furthest] of lines.slice(0, 4)) {
    assert.ok(Math.abs(Number(own) / Number(other) - 1) <= 1e-5, `${setting}: ${own}, ${other}`);
    assert.ok(Number(furthest) <= 1e-5, `${setting}: gradients ${furthest} apart`);
  }
  assert.match(stdout, /raised giouLoss: target/);
});

test.run();
