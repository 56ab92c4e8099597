// deno-lint-ignore-file verbatim-module-syntax -- the compiler of the kernels has no imports of types

// Positives: BCE(x, q^gamma). Others: alpha sigmoid(x)^gamma BCE(x, 0), the power a constant of the gradient. That is the varifocal
// loss without weighting over targets that are raised first, block by block, so that the caller's targets stay as they are.
// The fields of both losses are the same.

import { MatchabilityAwareLossBlock } from "../generated/loss_blocks";
import { BLOCK, powerPass } from "./passes";
import { varifocal_loss } from "./varifocal_loss";

const RAISED = memory.data(BLOCK * 4 + 64, 16);
/** What a positive's target is at least, so that it stays one. */
const LEAST: f32 = 1.18e-38;

export function matchability_aware_loss(call: usize): void {
  const k = changetype<MatchabilityAwareLossBlock>(call);
  if (k.scores != 0) raiseScores(k);
  if (k.target == 0) return varifocal_loss(call);
  const target = k.target;
  const end = k.count;
  for (let done = k.first; done < end; done += BLOCK) {
    const count = min(BLOCK, end - done);
    const at = <usize> done << 2;
    raise(target + at, RAISED, count, k.power);
    k.target = RAISED - at;
    k.first = done;
    k.count = done + count;
    varifocal_loss(call);
  }
}

/** In place, because scores are a copy; each row in the call in which it begins. */
function raiseScores(k: MatchabilityAwareLossBlock): void {
  const from = (k.first + k.columns - 1) / k.columns;
  const to = (k.count + k.columns - 1) / k.columns;
  for (let row = from; row < to; row++) {
    const at = k.scores + (<usize> row << 2);
    v128.store(RAISED, v128.load32_zero(at));
    raise(RAISED, RAISED, 1, k.power);
    store<f32>(at, load<f32>(RAISED));
  }
}

/** Targets to the power; 0 and NaN stay. */
function raise(from: usize, to: usize, count: i32, power: f64): void {
  const zero = f32x4.splat(0);
  const least = f32x4.splat(LEAST);
  for (let i: usize = 0; i < <usize> count << 2; i += 16) {
    const q = v128.load(from + i);
    v128.store(to + i, q);
    // Nearly all are 0.
    if (!v128.any_true(q)) continue;
    powerPass(to + i, 4, power);
    const raised = v128.load(to + i);
    v128.store(to + i, f32x4.max(raised, v128.and(least, f32x4.gt(q, zero))));
  }
}
