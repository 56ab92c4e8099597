/** Pairs of boxes on which a box loss may be at its worst, for searches: starts, and small steps from a pair. */
import { type Both, scaleOf } from "./box_cases.ts";
import type { Random } from "./random.ts";
import type { BoxLoss } from "./reference/box_loss.ts";
import type { Search } from "./search.ts";

/** Two edges of the prediction and two of the target on one axis. */
type Axis = [number, number, number, number];

/** How sizes of the two boxes, or of the sides of one, may differ: not at all, somewhat, or by up to a millionth. */
const share = (r: Random) => 10 ** -([0, r.uniform(0, 1), r.uniform(0, 6)][r.integer(3)]);

/** An axis of `size`: the edges near each other, equal, touching, nested, apart, about the origin or far from it. */
function axis(r: Random, size: number): Axis {
  const from = [0, r.normal() * size, r.uniform(0, 1000) * size][r.integer(3)];
  const own = size * share(r);
  const other = r.integer(3) === 0 ? own : size * share(r);
  const low = from + [0, r.normal() * own, own, -own, r.normal() * size, r.normal() * 1e-3 * own][r.integer(6)];
  const made: Axis = [low, low + own, from, from + other];
  const kind = r.integer(8);
  if (kind === 0) made[2] = made[0];
  if (kind === 1) made[3] = made[1];
  if (kind === 2) made[2] = made[1];
  if (kind === 3) [made[2], made[3]] = [made[0] + share(r) * own, made[1] - share(r) * own];
  return made;
}

/** x1, y1, x2, y2 of the prediction and the target. */
export function pairStart(r: Random): number[] {
  const size = [1, r.uniform(1, 1000), 10 ** r.uniform(-6, 6)][r.integer(3)];
  const thin = [1, share(r), 10 ** r.uniform(-4, 0)][r.integer(3)];
  const sides = [axis(r, size), axis(r, size * thin)];
  const [x, y] = r.integer(2) === 0 ? sides : sides.reverse();
  return [x[0], y[0], x[1], y[1], x[2], y[2], x[3], y[3]].map(Math.fround);
}

/** One or two edges moved by a share of a side, by units in the last place, or on another edge. */
export function pairNear(pair: readonly number[], r: Random): number[] {
  const moved = [...pair];
  for (let moves = 1 + r.integer(2); moves > 0; moves--) {
    const at = r.integer(8);
    const side = Math.abs(moved[at ^ 2] - moved[at]);
    const kind = r.integer(5);
    if (kind === 0) moved[at] += moved[at] * 2 ** -23 * (r.integer(5) - 2);
    else if (kind === 1) moved[at] = moved[at ^ [2, 4, 6][r.integer(3)]];
    else if (kind === 2) [moved[at], moved[at ^ 4]] = [moved[at ^ 4], moved[at]];
    else moved[at] += side * r.normal() * 10 ** -r.uniform(0, 6);
  }
  return moved.map(Math.fround);
}

/**
 * The search for the worst error of a loss, of its value (k = 0) or its gradient (k = 1), as a share of `bound`. The gradients
 * of `terms` count as members.
 */
export function boxSearch(
  k: 0 | 1,
  bound: number,
  run: (pred: Float32Array, target: Float32Array) => Both | Promise<Both>,
  reference: (pred: ArrayLike<number>, target: ArrayLike<number>) => BoxLoss,
  size: Pick<Search, "width" | "rounds">,
  terms: (pred: ArrayLike<number>, target: ArrayLike<number>) => readonly BoxLoss[] = () => [],
): Search {
  return { ...size, start: pairStart, near: pairNear, errors };
  async function errors(pairs: readonly number[][]): Promise<number[]> {
    const found = await run(
      Float32Array.from(pairs.flatMap((pair) => pair.slice(0, 4))),
      Float32Array.from(pairs.flatMap((pair) => pair.slice(4))),
    );
    return pairs.map((pair, i) => {
      const wanted = reference(pair.slice(0, 4), pair.slice(4));
      if (k === 0) return Math.abs(found.loss[i] - wanted.value) / Math.max(1, wanted.value) / bound;
      const error = Math.max(...wanted.grad.map((v, edge) => Math.abs(found.grad[4 * i + edge] - v)));
      if (error === 0) return 0;
      const parts = terms(pair.slice(0, 4), pair.slice(4)).flatMap(({ grad }) => grad);
      return error / scaleOf(pair, [...wanted.grad, ...parts]) / bound;
    });
  }
}

/** Thin boxes, boxes on themselves, and centres all but equal, on which a straightforward formula cancels. */
export const FOUND = [
  [2645.92822265625, 5.680305004119873, 4565.14306640625, 8.053552627563477, 2700, 6.5, 4500, 6.502],
  [247.04808, 195.46449, 248.16055, 544.58002, 247.04808, 195.46449, 248.16055, 544.58002],
  [0.8868936896, 0.8777634501, 1.3294118643, 0.8778709173, 0.8868936896, 0.8777634501, 1.3294118643, 0.8778709173],
  [0.0579046272, 0.8670838475, 0.3844221234, 0.8679340482, 0.0579046272, 0.8670838475, 0.3844221234, 0.8679340482],
  [10, 0, 10.01, 500, 10, 250, 10.01, 750],
  [0.1, 0, 0.7, 900, 0.3, 1000, 0.9, 1900],
  [
    153019.5625,
    0.22365140914916992,
    153476.546875,
    0.2307787984609604,
    153186.96875,
    0.14227412641048431,
    153311.28125,
    0.1427876055240631,
  ],
  [
    0.0034071968402713537,
    2.4255435466766357,
    0.00834292359650135,
    2.4337079524993896,
    0.00304737058468163,
    2.4259932041168213,
    0.0034072354901582003,
    2.4335947036743164,
  ],
  [
    -11495.94140625,
    20174.095703125,
    3783.50146484375,
    20174.1171875,
    -6697.09912,
    20174.1074,
    -1015.340637207,
    20174.1074,
  ],
].map((pair) => pair.map(Math.fround));
