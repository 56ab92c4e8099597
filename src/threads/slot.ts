/**
 * Where a worker finds a share's arrays, and where it leaves its results.
 */
import { type HostArray, isShared, ownArray, type PlainArray, valuesOf } from "../arrays.ts";
import type { Share } from "../call.ts";
import { DONE, TAKEN_BACK, WAITS } from "./messages.ts";

/** Every array begins at a cache line of its own. */
const ALIGNMENT = 64;

/** Shared memory for one share at a time; arrays that are in shared memory themselves stay where they are. */
export class Slot {
  readonly #flags: Int32Array;
  readonly #index: number;
  #memory = new SharedArrayBuffer(0);
  #end = 0;
  #isFree = true;
  #hasSharedResults = false;
  /** Results of the share in here, and where they belong. */
  #results: [from: HostArray<Float32Array>, to: HostArray<Float32Array>][] = [];

  constructor(flags: Int32Array, index: number) {
    this.#flags = flags;
    this.#index = index;
  }

  get isFree(): boolean {
    return this.#isFree;
  }

  /** Whether the worker has done what is in here, or has found it taken back. */
  get isDone(): boolean {
    return Atomics.load(this.#flags, this.#index) === DONE;
  }

  /** The share over arrays in shared memory. */
  fill(share: Share): Share {
    Atomics.store(this.#flags, this.#index, WAITS);
    this.#isFree = false;
    this.#results = [];
    this.#hasSharedResults = Object.values(share.out).some((array) => array !== null && isShared(array));
    const arrays = arraysIn(share.call, arraysIn(share.out));
    if (arrays.length === 0) return share;
    this.#makeRoom(arrays.reduce((bytes, array) => bytes + roomOf(array), 0));
    const call = withArrays(share.call, (array) => {
      const copy = this.#take(array);
      copy.data.set(valuesOf(array) as never);
      return copy;
    }) as object;
    const out = withArrays(share.out, (array) => {
      const place = this.#take(array);
      this.#results.push([place as HostArray<Float32Array>, array as HostArray<Float32Array>]);
      return place;
    }) as Share["out"];
    return { ...share, call, out };
  }

  /** Whether the worker has not begun with what is in here: then it never will. */
  takeBack(): boolean {
    const found = Atomics.compareExchange(this.#flags, this.#index, WAITS, TAKEN_BACK);
    return found === WAITS;
  }

  /** Whether another thread may do the same at the same time: not where both would write to one place. */
  get mayBeDoneTwice(): boolean {
    return !this.#hasSharedResults;
  }

  /** Takes results where they belong, unless nobody wants them. */
  empty(areWanted: boolean): void {
    this.#isFree = true;
    if (!areWanted) return;
    for (const [from, to] of this.#results) valuesOf(to).set(from.data);
  }

  #makeRoom(bytes: number): void {
    this.#end = 0;
    if (this.#memory.byteLength < bytes) this.#memory = new SharedArrayBuffer(bytes);
  }

  #take<A extends HostArray>(array: A): A {
    const Plain = array.data.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => PlainArray;
    const data = new Plain(this.#memory, this.#end, array.length);
    this.#end += roomOf(array);
    return { ...array, ...ownArray(array.place, data) };
  }
}

function roomOf({ data, length }: HostArray): number {
  return Math.ceil(length * data.BYTES_PER_ELEMENT / ALIGNMENT) * ALIGNMENT;
}

/** The arrays in plain data that are not in shared memory, each as often as it is there. */
function arraysIn(value: unknown, found: HostArray[] = []): HostArray[] {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return found;
  if (!isHostArray(value)) { for (const each of Object.values(value)) arraysIn(each, found); }
  else if (!isShared(value)) found.push(value);
  return found;
}

/** Plain data with others in the place of its arrays that are not in shared memory; what is in it twice stays one. */
function withArrays(
  value: unknown,
  map: (array: HostArray) => HostArray,
  done = new Map<object, unknown>(),
): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const found = done.get(value);
  if (found !== undefined) return found;
  const mapped = isHostArray(value)
    ? isShared(value) ? value : map(value)
    : Array.isArray(value)
    ? value.map((each) => withArrays(each, map, done))
    : Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withArrays(each, map, done)]));
  done.set(value, mapped);
  return mapped;
}

function isHostArray(value: object): value is HostArray {
  return "place" in value && "data" in value;
}
