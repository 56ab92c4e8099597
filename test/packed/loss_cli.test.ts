import { createEngine, type SyncOps } from "densehead";
import { writeSafetensors } from "densehead/files";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { dump, parse } from "npyjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { losses } from "../../src/generated/losses.ts";
import { cli, runIn } from "./in_process.ts";

const test = suite("densehead loss");
const { sync } = await createEngine();
const folder = mkdtempSync(join(tmpdir(), "densehead-loss-"));
const at = (name: string) => join(folder, name);
test.after(() => rmSync(folder, { recursive: true, force: true }));

const LOSSES = Object.keys(losses) as (keyof SyncOps & `${string}Loss`)[];
const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
const names = LOSSES.map(kebab);
const labelledNames = LOSSES.filter((name) => losses[name].labels).map(kebab);

// ── Running ─────────────────────────────────────────────────────────────────────

function loss(...args: string[]) {
  return runIn(folder, "loss", ...args);
}

/** The lines after the headline of a run that succeeds, by label. */
function prints(...args: string[]): Record<string, string> {
  const { status, stdout, stderr } = loss(...args);
  assert.is(stderr, "");
  assert.is(status, 0);
  const [headline, ...lines] = stdout.trimEnd().split("\n");
  const pairs = lines.map((line) => line.trim().split(/ {2,}/));
  return { headline, ...Object.fromEntries(pairs) };
}

/** A run that fails has one line, which begins with the command, nothing on stdout, and exit code 2. */
function fails(args: string[], line: string | RegExp): void {
  const { status, stdout, stderr } = loss(...args);
  assert.is(status, 2, stderr);
  assert.is(stdout, "");
  assert.match(stderr, /^densehead: loss: [^\n]+\n$/);
  assert.match(stderr, line);
}

// ── Files ───────────────────────────────────────────────────────────────────────

type Values = Parameters<typeof dump>[0];

function npy(name: string, values: Values, dims: number[] = [values.length]): string {
  writeFileSync(at(name), new Uint8Array(dump(values, dims)));
  return name;
}

function read(name: string) {
  const { data, shape, dtype } = parse(Uint8Array.from(readFileSync(at(name))).buffer);
  return { values: [...data as Float32Array], shape, dtype };
}

function safetensors(name: string, tensors: Parameters<typeof writeSafetensors>[0]): string {
  writeFileSync(at(name), writeSafetensors(tensors));
  return name;
}

// Four rows of three classes; two rows are background.
const logits = Float32Array.of(1.5, -2, 0.25, -1, 3, -0.5, -4, -2.5, 0, 0.75, -3.5, 2);
const qualities = Float32Array.of(1, 0, 0, 0, 0.75, 0, 0, 0, 0, 0, 0, 0);
const labels = Int32Array.of(0, 1, -1, 3);
const scores = Float32Array.of(1, 0.75, 0.5, 0.5);
const boxes = Float32Array.of(10, 10, 30, 40, 5, 5, 15, 20);
const truth = Float32Array.of(12, 8, 33, 38, 20, 20, 40, 30);
const bins = Float32Array.of(0.5, 2, -1, 0, 1, 1, 3, -2);
const dense = ["--pred", npy("pred.npy", logits, [4, 3]), "--target", npy("target.npy", qualities, [4, 3])];
const labelled = ["--pred", "pred.npy", "--labels", npy("labels.npy", labels), "--scores", npy("scores.npy", scores)];
const boxed = ["--pred", npy("boxes.npy", boxes, [2, 4]), "--target", npy("truth.npy", truth, [2, 4])];
const binned = ["--pred", npy("bins.npy", bins, [2, 4]), "--target", npy("sides.npy", Float32Array.of(1.25, 3))];
const pred = { data: logits, dims: [4, 3] };
/** A call of each kind of loss: as arguments of the command, and of the library. */
const CALLS = {
  "element loss": { args: dense, tensors: [pred, { data: qualities, dims: [4, 3] }] },
  "row loss": { args: binned, tensors: [{ data: bins, dims: [2, 4] }, Float32Array.of(1.25, 3)] },
  "box loss": { args: boxed, tensors: [boxes, truth] },
} as const;
const rotated = Float32Array.of(10, 10, 6, 4, 0.3, 20, 15, 5, 8, -1);
const turned = Float32Array.of(11, 9, 5, 5, 0.5, 21, 15, 6, 8, -0.5);
const keypoints = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const joints = Float32Array.of(2, 2, 2, 3, 5, 0, 5, 8, 1, 9, 8, 2);
const areas = Float32Array.of(16, 9);
const own = Float32Array.of(0.5, -1, 2, 0.25);
const maps = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
const bitmaps = Uint8Array.from({ length: 24 }, (_, i) => i % 2);
const regions = Float32Array.of(0, 0, 3, 2, 1, 1, 4, 3);
const masked = [
  ...["--coefficients", npy("own.npy", own, [2, 2]), "--prototypes", npy("maps.npy", maps, [2, 3, 4])],
  ...["--masks", npy("bitmaps.npy", bitmaps, [2, 3, 4]), "--boxes", npy("regions.npy", regions, [2, 4])],
];
const posed = [
  ...["--pred", npy("keypoints.npy", keypoints, [2, 2, 2]), "--target", npy("joints.npy", joints, [2, 2, 3])],
  ...["--areas", npy("areas.npy", areas)],
];
/** Of the losses whose arguments are their own. */
const OWN_CALLS: Readonly<Record<string, { args: readonly string[]; tensors: readonly unknown[] }>> = {
  maskLoss: {
    args: masked,
    tensors: [{ data: own, dims: [2, 2] }, { data: maps, dims: [2, 3, 4] }, bitmaps, regions],
  },
  oksLoss: {
    args: posed,
    tensors: [{ data: keypoints, dims: [2, 2, 2] }, { data: joints, dims: [2, 2, 3] }, areas],
  },
  probIouLoss: {
    args: ["--pred", npy("rotated.npy", rotated, [2, 5]), "--target", npy("turned.npy", turned, [2, 5])],
    tensors: [rotated, turned],
  },
};

/** With the options that the loss is not called without. */
function callOf(name: string) {
  const { kind, params } = losses[name];
  const { args, tensors } = kind === "routine" ? OWN_CALLS[name] : CALLS[kind];
  const sizes = Object.keys(params).filter((param) => params[param].required && params[param].kind === "size");
  return {
    args: [...args, ...sizes.flatMap((param) => [`--${kebab(param)}`, "480,640"])],
    tensors,
    options: Object.fromEntries(sizes.map((param) => [param, [480, 640]])),
  };
}

/** As the command prints it. */
const shown = (value: number) => value.toPrecision(9);

// ── What it prints ──────────────────────────────────────────────────────────────

test("prints the loss and the shapes", () => {
  const { stdout } = loss("binary-cross-entropy-with-logits", ...dense);
  const each = [...logits].map((x, i) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0) - x * qualities[i]);
  const mean = each.reduce((a, b) => a + b) / each.length;
  const [headline, value, ...shapes] = stdout.split("\n");
  assert.is(headline, "binary-cross-entropy-with-logits, mean");
  const [, digits] = /^ {2}loss {4}(0\.\d{9})$/.exec(value) ?? [];
  assert.ok(Math.abs(Number(digits) / mean - 1) < 1e-6, `${digits}; wanted ${mean}`);
  assert.equal(shapes, ["  pred    (4, 3)", "  target  (4, 3)", ""]);
});

test("a process of its own prints the same, and ends", () => {
  for (const args of [["loss", "qfl", ...dense], ["loss", "qfl", ...dense, "--reduction", "men"]]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder });
    assert.equal({ status, stdout, stderr }, runIn(folder, ...args), args.join(" "));
  }
});

test("every loss, by its name in kebab-case and in camelCase, for short, and without the word loss", () => {
  for (const name of LOSSES) {
    const { args, tensors, options } = callOf(name);
    const wanted = prints(kebab(name), ...args);
    assert.is(wanted.headline, `${kebab(name)}, mean`);
    const run = sync[name] as (...given: unknown[]) => { readonly loss: number };
    assert.is(wanted.loss, shown(run(...tensors, options).loss), name);
    const { alias } = losses[name];
    for (const typed of [name, kebab(name).replace(/-loss$/, ""), ...(alias === undefined ? [] : [alias])]) {
      assert.equal(prints(typed, ...args), wanted, typed);
    }
  }
  assert.equal(prints("qfl", ...dense), prints("quality-focal-loss", ...dense));
});

test("every loss refuses values that its options do not take", () => {
  for (const name of LOSSES) {
    for (const [param, { kind }] of Object.entries(losses[name].params)) {
      if (kind !== "number") continue;
      const flag = `--${kebab(param)}`;
      fails([kebab(name), ...callOf(name).args, flag, "two"], `${flag} is "two"; wanted a number`);
    }
  }
});

test("a line of JSON, to a file or in place of the text", () => {
  const one = loss("qfl", ...dense, "--json", "-").stdout;
  const wanted = sync.qualityFocalLoss(pred, { data: qualities, dims: [4, 3] });
  const shapes = { pred: [4, 3], target: [4, 3] };
  assert.equal(JSON.parse(one), { name: "quality-focal-loss", reduction: "mean", loss: wanted.loss, shapes });
  assert.match(prints("qfl", ...dense, "--json", at("loss.json")).headline, "quality-focal-loss, mean");
  assert.is(readFileSync(at("loss.json"), "utf8"), one);
  const none = JSON.parse(loss("qfl", ...labelled, "--reduction", "none", "--json", "-").stdout);
  assert.is(none.loss.length, 4);
});

test("one of the tensors may come from standard input", () => {
  const input = readFileSync(at("pred.npy"));
  const args = ["loss", "qfl", "--pred", "-", "--target", "target.npy"];
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder, input });
  assert.is(run(...args).stdout, loss("qfl", ...dense).stdout);
  assert.match(run(...args, "--target", "-").stderr, '--target -: "-" is standard input, which can be read once');
});

test("targets that are no probabilities are an error", () => {
  const wrong = npy("wrong.npy", Float32Array.from(qualities, (q, i) => i === 7 ? 1.5 : q), [4, 3]);
  for (const name of labelledNames) {
    fails([name, ...dense, "--target", wrong], "--target[7] is 1.5; wanted a number from 0 to 1");
  }
  fails(["gfl", ...dense, "--target", wrong], "--target[7] is 1.5; wanted a number from --y-left to --y-right, 0 to 1");
  const tenths = npy("tenths.npy", Float32Array.from(qualities, (q) => q > 0 ? 0.7 : 0.1), [4, 3]);
  assert.match(prints("gfl", ...dense, "--target", tenths, "--y-left", "0.1", "--y-right", "0.7").loss, /^\d/);
  assert.match(prints("gfl", ...dense, "--target", wrong, "--y-right", "2").loss, /^\d/);
  const negative = npy("negative.npy", Float32Array.from(qualities, (q, i) => i === 2 ? -0.25 : q), [4, 3]);
  fails(["focal", ...dense, "--target", negative], "--target[2] is -0.25; wanted a number from 0 to 1");
  const unknown = npy("unknown.npy", Float32Array.from(qualities, (q, i) => i === 2 ? NaN : q), [4, 3]);
  assert.is(prints("focal", ...dense, "--target", unknown).loss, "NaN");
});

test("labels with scores, one loss per row", () => {
  const { loss, grad } = sync.qualityFocalLoss(pred, { labels, scores }, { reduction: "none", grad: true });
  const printed = prints(
    ...["quality-focal-loss", ...labelled, "--reduction", "none", "--out", "rows.npy", "--grad", "rows_grad.npy"],
  );
  assert.equal(printed, {
    headline: "quality-focal-loss, none",
    count: "4",
    min: shown(Math.min(...loss)),
    mean: shown([...loss].reduce((a, b) => a + b) / 4),
    max: shown(Math.max(...loss)),
    pred: "(4, 3)",
    labels: "(4)",
    scores: "(4)",
    out: "(4) in rows.npy",
    grad: "(4, 3) in rows_grad.npy",
  });
  assert.equal(read("rows.npy"), { values: [...loss], shape: [4], dtype: "f4" });
  assert.equal(read("rows_grad.npy"), { values: [...grad], shape: [4, 3], dtype: "f4" });
});

test("writes all losses in the shape of the predictions, or the one", () => {
  const options = ["--out", "out.npy", "--grad", "grad.npy"];
  const target = { data: qualities, dims: [4, 3] };
  prints("varifocal-loss", ...dense, "--reduction", "none", ...options);
  const { loss } = sync.varifocalLoss(pred, target, { reduction: "none" });
  assert.equal(read("out.npy"), { values: [...loss], shape: [4, 3], dtype: "f4" });
  prints("varifocal-loss", ...dense, "--reduction", "sum", ...options);
  const sum = sync.varifocalLoss(pred, target, { reduction: "sum", grad: true });
  assert.equal(read("out.npy"), { values: [Math.fround(sum.loss)], shape: [], dtype: "f4" });
  assert.equal(read("grad.npy").values, [...sum.grad]);
  const { out } = prints("giou-loss", ...boxed, "--reduction", "none", "--out", "out.npy");
  assert.is(out, "(2) in out.npy");
});

test("losses of objects: their own files, and a gradient for each tensor that has one", () => {
  const slopes = ["--grad", "slopes.npy"];
  const rotatedLoss = sync.probIouLoss(rotated, turned, { grad: true, reduction: "sum" });
  const flags = ["--reduction", "sum", ...slopes];
  assert.is(prints("prob-iou", ...OWN_CALLS.probIouLoss.args, ...flags).loss, shown(rotatedLoss.loss));
  assert.equal(read("slopes.npy"), { values: [...rotatedLoss.grad], shape: [2, 5], dtype: "f4" });

  const [pred, target] = OWN_CALLS.oksLoss.tensors as [{ data: Float32Array; dims: number[] }, typeof pred];
  const pose = sync.oksLoss(pred, target, areas, { sigmas: [0.25, 0.5], grad: true });
  const printed = prints("oks", ...posed, "--sigmas", "0.25,0.5", ...slopes);
  assert.equal(printed, {
    headline: "oks-loss, mean",
    loss: shown(pose.loss),
    pred: "(2, 2, 2)",
    target: "(2, 2, 3)",
    areas: "(2)",
    grad: "(2, 2, 2) in slopes.npy",
  });
  assert.equal(read("slopes.npy").values, [...pose.grad]);

  const [coefficients, prototypes] = OWN_CALLS.maskLoss.tensors as [typeof pred, typeof pred];
  const mask = sync.maskLoss(coefficients, prototypes, bitmaps, regions, { grad: true });
  assert.is(prints("mask", ...masked, ...slopes, "--grad-prototypes", "maps_grad.npy").loss, shown(mask.loss));
  assert.equal(read("slopes.npy"), { values: [...mask.grad.coefficients], shape: [2, 2], dtype: "f4" });
  assert.equal(read("maps_grad.npy"), { values: [...mask.grad.prototypes], shape: [2, 3, 4], dtype: "f4" });
  const { out } = prints("mask-loss", ...masked, "--reduction", "none", "--out", "masks_out.npy");
  assert.is(out, "(2) in masks_out.npy");
});

test("what losses of objects do not take", () => {
  const two = npy("twos.npy", bitmaps.map((bit) => 2 * bit), [2, 3, 4]);
  fails(["mask", ...masked, "--masks", two], "--masks twos.npy: value 1 is 2; wanted 0 or 1");
  const turnedMasks = npy("turned_masks.npy", bitmaps, [3, 4, 2]);
  fails(
    ["mask", ...masked, "--masks", turnedMasks],
    "--masks is of shape (3, 4, 2); wanted shape (2, 3, 4), (N, h, w)",
  );
  fails(
    ["mask", ...masked, "--masks", "maps.npy"],
    "--masks maps.npy: holds float32; wanted bool, or integers 0 and 1",
  );
  const flat = npy("flat.npy", Float32Array.of(0, 0, 3, 2, 1, 1, 1, 3), [2, 4]);
  fails(
    ["mask", ...masked, "--boxes", flat],
    "--boxes[1] is (1, 1, 1, 3); wanted finite corners around an area over 0",
  );
  fails(["mask", ...masked.slice(2)], "--coefficients is missing");
  fails(["mask", ...masked, "--pred", "boxes.npy"], "--pred is not for mask-loss; wanted --coefficients, --prototypes");
  fails(
    ["mask", ...masked, "--grad", "x.npy", "--grad-prototypes", "x.npy"],
    "--grad and --grad-prototypes are one file",
  );
  fails(["oks", ...posed, "--areas", npy("none.npy", Float32Array.of(0, 1))], "--areas[0] is 0; wanted an area over 0");
  fails(["oks", ...posed, "--sigmas", "0.5"], "--sigmas is 1 numbers; wanted 2, one for each keypoint");
  fails(["oks", ...posed.slice(0, 4)], "--areas is missing");
  fails(["oks", ...posed, "--grad-prototypes", "x.npy"], "--grad-prototypes is not for oks-loss");
  fails(["iou-loss", ...boxed, "--areas", "areas.npy"], "--areas is not for iou-loss; wanted --pred, --target");
  fails(["iou-loss", ...boxed, "--sigmas", "1,2"], "--sigmas is not for iou-loss");
});

test("positives of the varifocal loss", () => {
  const zero = ["--scores", npy("zeros.npy", new Float32Array(4))];
  const target = { labels, scores: new Float32Array(4) };
  const loss = (...flags: string[]) => prints("varifocal-loss", ...labelled, ...zero, ...flags).loss;
  assert.is(loss(), shown(sync.varifocalLoss(pred, target).loss));
  assert.is(loss("--positives", "label"), loss());
  assert.is(loss("--positives", "quality"), shown(sync.varifocalLoss(pred, target, { positives: "quality" }).loss));
  assert.is.not(loss("--positives", "quality"), loss());
  fails(["varifocal-loss", ...labelled, "--positives", "iou"], `--positives is "iou"; wanted label or quality`);
  fails(["varifocal-loss", ...dense, "--positives", "label"], `--positives is "label"; wanted "quality" with a dense`);
  fails(["quality-focal-loss", ...dense, "--positives", "label"], "--positives is not for quality-focal-loss");
});

test("options reach the loss", () => {
  const options = { alpha: -1, gamma: 1.5, avgFactor: 2, lossWeight: -0.5 };
  const wanted = sync.sigmoidFocalLoss(pred, { labels }, options).loss;
  const flags = ["--alpha", "-1", "--gamma", "1.5", "--avg-factor", "2", "--loss-weight=-0.5"];
  assert.is(prints("sigmoid-focal-loss", "--pred", "pred.npy", "--labels", "labels.npy", ...flags).loss, shown(wanted));

  const target = { data: qualities, dims: [4, 3] };
  const range = sync.generalizedFocalLoss(pred, target, { yLeft: -1, yRight: 2, beta: 1 }).loss;
  const values = ["--y-left", "-1", "--y-right", "2", "--beta", "1"];
  assert.is(prints("generalized-focal-loss", ...dense, ...values).loss, shown(range));

  const step = { firstBin: -1, binStep: 2 };
  const wide = sync.distributionFocalLoss({ data: bins, dims: [2, 4] }, Float32Array.of(1.25, 3), step).loss;
  assert.is(prints("distribution-focal-loss", ...binned, "--first-bin", "-1", "--bin-step", "2").loss, shown(wide));

  const soft = sync.iouLoss(boxes, truth, { eps: 100 }).loss;
  assert.is(prints("iou-loss", ...boxed, "--eps", "100").loss, shown(soft));
});

test("weights, per row and per element", () => {
  const target = { data: qualities, dims: [4, 3] };
  for (const weight of [Float32Array.of(0, 1, 2, 3), Float32Array.from(logits, (_, i) => i / 4)]) {
    const wanted = sync.qualityFocalLoss(pred, target, { weight }).loss;
    const printed = prints("quality-focal-loss", ...dense, "--weight", npy("weight.npy", weight));
    assert.is(printed.loss, shown(wanted));
    assert.is(printed.weight, `(${weight.length})`);
  }
});

test("NaN is told", () => {
  const broken = npy("nan.npy", logits.map((x, i) => i === 5 ? NaN : x), [4, 3]);
  const args = ["quality-focal-loss", "--pred", broken, "--target", "target.npy"];
  assert.is(prints(...args).loss, "NaN");
  assert.is(prints(...args, "--reduction", "none").min, "NaN");
});

// ── What it reads ───────────────────────────────────────────────────────────────

test("labels are any integers, scores any floats", () => {
  const wanted = prints("quality-focal-loss", ...labelled);
  const wide = BigInt64Array.from(labels, BigInt);
  wide[3] = 2n ** 40n;
  npy("wide.npy", wide);
  npy("double.npy", Float64Array.from(scores));
  writeFileSync(at("half.npy"), new Uint8Array(dump(Uint16Array.of(0x3c00, 0x3a00, 0x3800, 0x3800), [4])));
  const half = readFileSync(at("half.npy"));
  half.write("<f2", half.indexOf("<u2"), "latin1");
  writeFileSync(at("half.npy"), half);
  for (const file of ["double.npy", "half.npy"]) {
    assert.equal(prints("quality-focal-loss", ...labelled, "--labels", "wide.npy", "--scores", file), wanted);
  }
});

test("tensors of a .safetensors file", () => {
  const file = safetensors("all.safetensors", {
    labels: { type: "int64", dims: [4], data: BigInt64Array.from(labels, BigInt) },
    "cls:8": { dims: [4, 3], data: logits },
    scores: { dims: [4], data: Float64Array.from(scores) },
  });
  const parts = ["--pred", `${file}:cls:8`, "--labels", `${file}:labels`, "--scores", `${file}:scores`];
  assert.equal(prints("quality-focal-loss", ...parts), prints("quality-focal-loss", ...labelled));
  const only = safetensors("one.safetensors", { p: { dims: [4, 3], data: logits } });
  const whole = prints("quality-focal-loss", "--pred", only, "--target", "target.npy");
  assert.equal(whole, prints("quality-focal-loss", ...dense));
  const wrong = (pred: string, line: string) =>
    fails(["quality-focal-loss", "--pred", pred, "--labels", "labels.npy"], line);
  wrong(file, "--pred all.safetensors: say which tensor, as in file.safetensors:name; it has labels, scores, cls:8");
  wrong(`${file}:cls`, "--pred all.safetensors:cls: has no cls; it has labels, scores, cls:8");
  wrong(`${file}:labels`, "labels is int64; wanted float32, float16 or float64");
  fails(
    ["quality-focal-loss", ...labelled, "--labels", `${file}:scores`],
    "scores is float64; wanted integers, such as int64",
  );
});

// ── Help and errors ─────────────────────────────────────────────────────────────

test("helps", () => {
  const { status, stdout } = loss("--help");
  assert.is(status, 0);
  const flags = ["pred", "target", "labels", "scores", "weight", "reduction", "avg-factor", "loss-weight", "alpha"];
  const more = ["gamma", "positives", "beta", "y-left", "y-right", "first-bin", "bin-step", "eps", "grad", "out"];
  for (const flag of [...flags, ...more]) assert.match(stdout, `--${flag} `);
  for (const name of names) assert.match(stdout, name);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 120, line);
});

test("wrong names", () => {
  fails(["l1-loss", ...dense], `"l1-loss" is no loss; wanted one of ${names.join(", ")}`);
  fails(["gfll", ...dense], "did you mean gfl?");
  fails(["varifocal-los", ...dense], "did you mean varifocal-loss?");
  fails([], `no NAME given; wanted one of ${names.join(", ")}`);
  fails(["toString", ...dense], `"toString" is no loss`);
  fails(["iou-loss", "giou-loss"], "one NAME is wanted; 2 were given");
});

test("wrong flags and values", () => {
  const given = ["quality-focal-loss", ...dense];
  fails([...given, "--colour", "red"], "Unknown option '--colour' (densehead loss --help lists the options)");
  fails([...given, "--grad"], "'--grad <value>' argument missing");
  fails(["iou-loss", "--target", "truth.npy"], "--pred is missing");
  fails(["iou-loss", "--pred", "boxes.npy"], "--target is missing\n");
  fails(["varifocal-loss", "--pred", "pred.npy"], "--target is missing; it or --labels is wanted");
  fails(["iou-loss", ...boxed, "--eps", "-1"], /--eps is -1; wanted a (finite )?number of at least 0/);
  fails([...given, "--labels", "labels.npy"], "--target and --labels are both given");
  fails([...given, "--scores", "scores.npy"], "--scores is about --labels, which was not given");
  fails(["generalized-focal-loss", ...labelled], "--labels is not for generalized-focal-loss; give --target");
  fails(["generalized-focal-loss", ...dense, "--y-left", "2"], /--y-(left|right) is [12]; wanted/);
  fails([...given, "--reduction", "max"], `--reduction is "max"; wanted none or sum or mean`);
  fails(
    [...given, "--avg-factor", "2", "--reduction", "sum"],
    "--avg-factor is for --reduction mean, which is sum here",
  );
  fails(["distribution-focal-loss", ...binned, "--bin-step", "0"], "--bin-step is 0; wanted a finite number over 0");
  fails([...given, "--avg-factor", "0"], "--avg-factor is 0; wanted a number over 0");
  fails([...given, "--beta", "-1"], "--beta is -1; wanted a finite number of at least 0");
  fails([...given, "--gamma", "2"], "--gamma is not for quality-focal-loss, which takes --beta");
  fails(["binaryCrossEntropyWithLogits", ...dense, "--eps", "1"], "--eps is not for binary-cross-entropy-with-logits");
  fails([...given, "--grad", "same.npy", "--out", "same.npy"], "--grad and --out are one file");
});

test("wrong shapes and contents", () => {
  const short = npy("short.npy", Float32Array.of(1, 2));
  fails(["iou-loss", "--pred", "pred.npy", "--target", "truth.npy"], "--pred is of shape (4, 3); wanted shape (N, 4)");
  fails(["iou-loss", "--pred", "boxes.npy", "--target", short], /--target is of shape \(2\); wanted/);
  fails(["varifocal-loss", ...dense, "--target", short], "--target is of shape (2); wanted shape (4, 3), as pred");
  const few = npy("few.npy", Int32Array.of(1, 2));
  fails(["varifocal-loss", ...labelled, "--labels", few], "--labels is 2 values; wanted 4 values");
  fails(["varifocal-loss", ...labelled, "--scores", short], "--scores is 2 values; wanted 4 values");
  const high = npy("high.npy", Float32Array.of(1, 1.5, 0, 0));
  fails(["varifocal-loss", ...labelled, "--scores", high], "--scores[1] is 1.5; wanted a number from 0 to 1");
  fails(
    ["varifocal-loss", ...dense, "--weight", short],
    "--weight is of shape (2); wanted 12 values, one per element, or 4 values, one per row",
  );
  fails(
    ["distribution-focal-loss", ...binned, "--target", high],
    /--pred is of shape \(2, 4\); wanted shape \(4, bins\)/,
  );
  const far = npy("far.npy", Float32Array.of(1, 9));
  fails(
    ["distribution-focal-loss", ...binned, "--target", far],
    "--target[1] is 9; wanted a value of the bins, 0 to 3",
  );
});

test("wrong files", () => {
  fails(["iou-loss", ...boxed, "--pred", "absent.npy"], "--pred absent.npy: no such file or directory");
  fails(
    ["iou-loss", ...boxed, "--target", "truth.txt"],
    "--target truth.txt: wanted a .npy file or file.safetensors:name",
  );
  fails(["iou-loss", ...boxed, "--target", "labels.npy"], "--target labels.npy: holds int32; wanted float32, float16");
  fails(["varifocal-loss", ...labelled, "--labels", "scores.npy"], "holds float32; wanted integers, such as int64");
  writeFileSync(at("text.npy"), "hello, hello, hello");
  fails(["iou-loss", ...boxed, "--pred", "text.npy"], "--pred text.npy: is no readable .npy file (Not an .npy file)");
  for (const flag of ["--grad", "--out"]) {
    fails(["iou-loss", ...boxed, flag, "absent/x.npy"], "absent/x.npy: cannot be written: no such file or directory");
  }
});

test.run();
