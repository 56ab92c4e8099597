/** Losses in C, compiled to WebAssembly with SIMD by the machine's clang. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LossName, LossPeer, LossTask, PreparedLoss } from "../loss_task.ts";
import source from "./losses.c";

const FLAGS = ["--target=wasm32", "-O3", "-msimd128", "-ffast-math", "-nostdlib", "-Wl,--no-entry,--export-dynamic"];
const PAGE = 2 ** 16;

/** Functions of losses.c; the gradient's has its array as one more argument. */
const FUNCTIONS: Readonly<Partial<Record<LossName, { value: string; gradient?: string }>>> = {
  qualityFocalLoss: { value: "quality_focal_loss", gradient: "quality_focal_loss_gradient" },
  giouLoss: { value: "giou_loss" },
};

type Kernel = (pred: number, target: number, length: number, grad?: number) => number;

export async function clangLosses(): Promise<LossPeer> {
  const version = /version ([\d.]+)/.exec(execFileSync("clang", ["--version"], { encoding: "utf8" }))?.[1];
  const module = await WebAssembly.compile(compiled());
  return {
    name: `C by clang ${version}`,
    async prepare(task) {
      const functions = FUNCTIONS[task.loss];
      const name = task.grad ? functions?.gradient : functions?.value;
      if (name === undefined) return null;
      return prepared(await WebAssembly.instantiate(module), name, task);
    },
  };
}

function compiled(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "densehead-bench-"));
  try {
    const output = join(folder, "losses.wasm");
    execFileSync("clang", [...FLAGS, "-fvisibility=default", "-x", "c", "-", "-o", output], {
      input: source,
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function prepared({ exports }: WebAssembly.Instance, name: string, { pred, target, grad }: LossTask): PreparedLoss {
  const memory = exports.memory as WebAssembly.Memory;
  const kernel = exports[name] as Kernel;
  const lengths = [pred.length, target.length, grad ? pred.length : 0];
  // Pages of their own, after the stack.
  const pointers = lengths.map((length) => PAGE * memory.grow(Math.ceil(4 * length / PAGE)));
  const [predAt, targetAt, gradAt] = pointers;
  const [preds, targets, slopes] = pointers.map((at, i) => new Float32Array(memory.buffer, at, lengths[i]));
  preds.set(pred);
  targets.set(target);
  if (!grad) return { run: () => ({ loss: kernel(predAt, targetAt, pred.length) }) };
  return { run: () => ({ loss: kernel(predAt, targetAt, pred.length, gradAt), grad: slopes }) };
}
