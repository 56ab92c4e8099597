/** Seeded random numbers: the same on every machine and in every run. */
export type Random = () => number;

/** Mulberry32: numbers in [0, 1). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A normal variate that never lies further than three deviations from the mean. */
export function normal(random: Random, mean = 0, deviation = 1): number {
  for (;;) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const value = radius * Math.cos(2 * Math.PI * random());
    if (Math.abs(value) <= 3) return mean + deviation * value;
  }
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

export function integerBelow(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
