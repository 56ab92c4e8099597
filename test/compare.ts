/** Assertions on arrays of numbers. */
import * as assert from "uvu/assert";

/** Every value within `absolute` of what is wanted; NaN where NaN is wanted. Returns the worst error. */
export function close(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  absolute: number,
  what = "value",
): number {
  assert.is(got.length, wanted.length, `${what}: length`);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Object.is(got[i], wanted[i]) ? 0 : Math.abs(got[i] - wanted[i]);
    if (Number.isNaN(wanted[i]) ? !Number.isNaN(got[i]) : !(error <= absolute)) {
      assert.unreachable(`${what} ${i} is ${got[i]}; wanted ${wanted[i]} within ${absolute}`);
    }
    if (error > worst) worst = error;
  }
  return worst;
}

/** The derivatives of f at x, by differences of fourth order. */
export function differences(f: (x: number[]) => number, x: number[], step: number): number[] {
  return x.map((_, i) => {
    const at = (steps: number) => f(x.map((value, k) => k === i ? value + steps * step : value));
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
  });
}

/** The same numbers, bit by bit. */
export function same(got: ArrayLike<number>, wanted: ArrayLike<number>, what = "value"): void {
  assert.is(got.length, wanted.length, `${what}: length`);
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(got[i], wanted[i])) assert.unreachable(`${what} ${i} is ${got[i]}; wanted ${wanted[i]}`);
  }
}

/** The call throws that kind of error, with every part in its message. */
export function throws(call: () => unknown, kind: ErrorConstructor, ...parts: string[]): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof kind, `wanted ${kind.name}, got ${thrown}`);
  for (const part of parts) {
    assert.ok((thrown as Error).message.includes(part), `"${(thrown as Error).message}" should name ${part}`);
  }
}

/** The promise rejects with that kind of error, with every part in its message. */
export async function rejects(promise: Promise<unknown>, kind: ErrorConstructor, ...parts: string[]): Promise<void> {
  const settled = await promise.then(() => undefined, (error) => error);
  throws(
    () => {
      throw settled;
    },
    kind,
    ...parts,
  );
}
