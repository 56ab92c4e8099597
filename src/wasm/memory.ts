/**
 * Linear memory: who owns which bytes. The only file that touches `memory.buffer`.
 */

const ALIGNMENT = 64;
const PAGE = 65536;
/** Kernels may read this far past an array's end. */
const GUARD = 128;
/** Memory grows by multiples of this, so that a run of small requests detaches views rarely. */
const GROWTH_PAGES = 4;
/** Beside the kernels' own tables, this is enough for all that is streamed. */
const MIN_WORK = 2 * PAGE;

/** Free bytes between blocks; `at` is its place among the holes of its size. */
interface Hole {
  readonly start: number;
  readonly size: number;
  at: number;
}

/** A tensor's bytes. */
export interface Block {
  readonly pointer: number;
  readonly bytes: number;
}

/** Pointer to a new block. */
export type Allocate = (bytes: number) => number;

/** Allocates within one `WebAssembly.Memory`, never past a limit; views are made on use. */
export class LinearMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  readonly #sizes = new Map<number, number>();
  readonly #holes = new Holes();
  #top: number;
  #used: number;
  #peak: number;
  #buffer: ArrayBufferLike;
  /** The current buffer and those that growth has detached. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  #floats: Float32Array;
  #ints: Int32Array;
  #closed = false;
  /** What the caller holds, by pointer; and the block that was looked up last. */
  readonly #tensors = new Map<number, Block>();
  #lastTensor: Block | null = null;
  /** Tensors given back so far, and before the arguments of the call at hand were read; -1 where no call is at hand. */
  #released = 0;
  #releasedBefore = -1;
  /** Operation of the outermost frame, while there is one. */
  #operation: string | null = null;
  readonly limit: number;

  constructor(memory: WebAssembly.Memory, base: number, limit: number) {
    this.#memory = memory;
    this.#base = align(base);
    this.limit = limit;
    this.#top = this.#base;
    this.#used = this.#base;
    this.#peak = this.#base;
    this.#buffer = memory.buffer;
    this.#buffers.add(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    this.#ints = new Int32Array(memory.buffer);
    const least = memory.buffer.byteLength + MIN_WORK;
    if (limit < least) {
      throw new RangeError(
        `createEngine: maxMemory is ${limit}; wanted at least ${least} bytes, ` +
          `of which ${memory.buffer.byteLength} are for the kernels' own tables`,
      );
    }
  }

  /** Whether the engine has ended: then no tensor in here may be read. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  get used(): number {
    return this.#used;
  }

  get peak(): number {
    return this.#peak;
  }

  get reserved(): number {
    return this.#buffer.byteLength;
  }

  /** Bytes that may still be asked for. */
  get available(): number {
    return this.limit - this.#used - GUARD;
  }

  /** Bytes at the end of memory that may still be asked for, in one block or several. */
  get spare(): number {
    return Math.floor(this.limit / PAGE) * PAGE - this.#top - GUARD;
  }

  /** Whole-memory views of the current buffer. Growth makes the ones handed out before useless. */
  get floats(): Float32Array {
    return this.#floats;
  }

  get ints(): Int32Array {
    return this.#ints;
  }

  /** After growth, which nobody else causes: to ask the memory for its buffer at each use would cost as much as a lookup. */
  #refresh(): void {
    const { buffer } = this.#memory;
    this.#buffer = buffer;
    this.#buffers.add(buffer);
    this.#floats = new Float32Array(buffer);
    this.#ints = new Int32Array(buffer);
  }

  /** A view of part of the current buffer as the given type. */
  view<T>(type: new (buffer: ArrayBufferLike, start: number, length: number) => T, pointer: number, length: number): T {
    return new type(this.#buffer, pointer, length);
  }

  /** Whether this is or was the buffer of this memory: a byte offset taken then is a pointer now. */
  owns(buffer: ArrayBufferLike): boolean {
    return buffer === this.#buffer || this.#buffers.has(buffer);
  }

  /** A block that outlives its frame: a tensor of the caller's. */
  hold(op: string, bytes: number): number {
    const pointer = this.allocate(op, bytes);
    this.#tensors.set(pointer, { pointer, bytes });
    return pointer;
  }

  /** Gives a tensor's block back. */
  release(pointer: number): void {
    if (!this.#tensors.delete(pointer)) return;
    this.#lastTensor = null;
    this.#released++;
    this.free(pointer);
  }

  /** The tensor that these bytes are of, unless it was given back. A part of one among many is searched for. */
  tensorAround(pointer: number, bytes: number): Block | null {
    const holds = (block: Block) => block.pointer <= pointer && pointer + bytes <= block.pointer + block.bytes;
    if (this.#lastTensor !== null && holds(this.#lastTensor)) return this.#lastTensor;
    const exact = this.#tensors.get(pointer);
    const found = exact !== undefined && holds(exact) ? exact : find(this.#tensors.values(), holds);
    this.#lastTensor = found;
    return found;
  }

  /**
   * Runs a call. While it reads its arguments, getters of the caller's may run; those that give tensors back or end the
   * engine are told by `argumentsRead`.
   */
  call<T>(body: () => T): T {
    // A getter may call an operation in its turn.
    const outer = this.#releasedBefore;
    this.#releasedBefore = this.#released;
    try {
      return body();
    } finally {
      this.#releasedBefore = outer;
    }
  }

  /** From here on nothing of the caller's runs. */
  argumentsRead(op: string): void {
    if (this.#closed) throw new Error(`${op}: the engine is disposed`);
    const before = this.#releasedBefore;
    this.#releasedBefore = -1;
    if (before < 0 || before === this.#released) return;
    throw new Error(`${op}: a tensor of the engine was disposed while the arguments were read`);
  }

  /** A block of at least that many bytes, 64-byte aligned, contents undefined. RangeError past the limit. */
  allocate(op: string, bytes: number): number {
    const size = Math.max(ALIGNMENT, align(bytes));
    // One such block would leave every later pointer wrong.
    if (!Number.isSafeInteger(size)) throw new RangeError(`${op}: asks for ${bytes} bytes of linear memory`);
    const pointer = this.#holes.take(size) ?? this.#extend(op, size);
    this.#sizes.set(pointer, size);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used);
    return pointer;
  }

  free(pointer: number): void {
    const size = this.#sizes.get(pointer);
    if (size === undefined) throw new Error(`memory: ${pointer} is freed, and is no block`);
    this.#sizes.delete(pointer);
    this.#used -= size;
    this.#leaveHole(pointer, size);
  }

  /**
   * Runs `body` with an allocator whose blocks are freed when it ends, also by an error. Errors name the operation of the
   * outermost frame.
   */
  frame<T>(op: string, body: (allocate: Allocate) => T): T {
    const outer = this.#operation;
    if (outer === null) this.argumentsRead(op);
    const named = outer ?? op;
    this.#operation = named;
    const taken: number[] = [];
    try {
      return body((bytes) => {
        const pointer = this.allocate(named, bytes);
        taken.push(pointer);
        return pointer;
      });
    } finally {
      this.#operation = outer;
      for (const pointer of taken.reverse()) this.free(pointer);
    }
  }

  #extend(op: string, size: number): number {
    const pointer = this.#top;
    const end = pointer + size + GUARD;
    const missing = Math.ceil((end - this.reserved) / PAGE);
    if (missing > 0) this.#grow(op, missing, size);
    this.#top = pointer + size;
    return pointer;
  }

  #grow(op: string, pages: number, size: number): void {
    const allowed = Math.floor((this.limit - this.reserved) / PAGE);
    const comfortable = Math.ceil(pages / GROWTH_PAGES) * GROWTH_PAGES;
    if (pages > allowed) throw this.#exhausted(op, size, "maxMemory");
    try {
      this.#memory.grow(Math.min(comfortable, allowed));
    } catch {
      throw this.#exhausted(op, size, "what the host gives");
    }
    this.#refresh();
  }

  #exhausted(op: string, size: number, limiter: string): RangeError {
    return new RangeError(
      `${op}: needs ${size} bytes of linear memory beside ${this.#used} in use; ` +
        `wanted no more than ${limiter} (${this.limit} bytes)`,
    );
  }

  /** Neighbouring holes merge; one at the end goes back to the top. */
  #leaveHole(start: number, size: number): void {
    const hole = this.#holes.merged(start, size);
    if (hole.start + hole.size === this.#top) this.#top = hole.start;
    else this.#holes.add(hole.start, hole.size);
  }
}

/**
 * Holes by their ends and by their sizes. Of n there are at most √(2 · memory / 64) sizes, so that what is sorted stays
 * short, and no call takes time that grows with n.
 */
class Holes {
  readonly #byStart = new Map<number, Hole>();
  readonly #byEnd = new Map<number, Hole>();
  readonly #bySize = new Map<number, Hole[]>();
  /** The sizes that there are, ascending. */
  readonly #sizes: number[] = [];

  /** Start of that many bytes in the smallest hole that has them. */
  take(size: number): number | undefined {
    const least = this.#sizes[this.#placeOf(size)];
    if (least === undefined) return undefined;
    const hole = (this.#bySize.get(least) as Hole[]).at(-1) as Hole;
    this.#remove(hole);
    if (least > size) this.add(hole.start + size, least - size);
    return hole.start;
  }

  add(start: number, size: number): void {
    const equals = this.#bySize.get(size) ?? [];
    const hole = { start, size, at: equals.length };
    if (equals.length === 0) {
      this.#bySize.set(size, equals);
      this.#sizes.splice(this.#placeOf(size), 0, size);
    }
    equals.push(hole);
    this.#byStart.set(start, hole);
    this.#byEnd.set(start + size, hole);
  }

  /** Takes the holes on both sides of the bytes away, and returns all as one. */
  merged(start: number, size: number): { start: number; size: number } {
    const before = this.#byEnd.get(start);
    const after = this.#byStart.get(start + size);
    for (const hole of [before, after]) if (hole !== undefined) this.#remove(hole);
    return { start: before?.start ?? start, size: size + (before?.size ?? 0) + (after?.size ?? 0) };
  }

  #remove(hole: Hole): void {
    this.#byStart.delete(hole.start);
    this.#byEnd.delete(hole.start + hole.size);
    const equals = this.#bySize.get(hole.size) as Hole[];
    const last = equals.pop() as Hole;
    if (last !== hole) {
      equals[hole.at] = last;
      last.at = hole.at;
    }
    if (equals.length > 0) return;
    this.#bySize.delete(hole.size);
    this.#sizes.splice(this.#placeOf(hole.size), 1);
  }

  /** Place of the first size that is not less. */
  #placeOf(size: number): number {
    let low = 0;
    let high = this.#sizes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sizes[middle] < size) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function find<T>(values: Iterable<T>, wanted: (value: T) => boolean): T | null {
  for (const value of values) if (wanted(value)) return value;
  return null;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
