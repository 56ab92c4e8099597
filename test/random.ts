/** Seeded random numbers: the same inputs in every runtime. */

export interface Random {
  /** In [low, high). */
  uniform(low?: number, high?: number): number;
  /** Standard normal. */
  normal(): number;
  /** Integer in [0, below). */
  integer(below: number): number;
}

/** mulberry32. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    uniform: (low = 0, high = 1) => low + next() * (high - low),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    integer: (below) => Math.floor(next() * below),
  };
}

/** That many values of `make`, as float32. */
export function floats(length: number, make: (i: number) => number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => make(i));
}

/** Boxes (count, 4) with sides of 4 to `side` pixels on a square image. */
export function boxes(r: Random, count: number, side = 80, extent = 400): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const x = r.uniform(0, extent);
    const y = r.uniform(0, extent);
    out.set([x, y, x + r.uniform(4, side), y + r.uniform(4, side)], 4 * i);
  }
  return out;
}
