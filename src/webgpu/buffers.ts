/**
 * Buffers that calls share: handed out by size class, given back, and bounded while idle.
 */

import { STORAGE } from "../validate.ts";

// `GPUBufferUsage` is no global everywhere.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;

const USAGES = {
  storage: STORAGE | COPY_SRC | COPY_DST,
  uniform: UNIFORM | COPY_DST,
  readback: MAP_READ | COPY_DST,
} as const;

export type BufferKind = keyof typeof USAGES;

const MIN_BYTES = 256;
/** Idle bytes beyond this are destroyed, the longest idle buffer first. */
const MAX_IDLE_BYTES = 256 * 1024 * 1024;
/** A buffer is destroyed after it has lain idle while this many others were handed out: some fifty calls. */
const MAX_IDLE_TURNS = 1024;
/** Handing out so many goes between two looks for such buffers. */
const TURNS_PER_LOOK = 64;

interface IdleBuffer {
  readonly buffer: GPUBuffer;
  /** The turn in which it was given back. */
  readonly since: number;
}

export class BufferPool {
  readonly #device: GPUDevice;
  /** By class, the longest idle first. */
  readonly #idle = new Map<string, IdleBuffer[]>();
  /** All that are ours: idle, in use, and results that no caller has yet. */
  readonly #live = new Set<GPUBuffer>();
  #idleBytes = 0;
  #turn = 0;
  #closed: string | null = null;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** At least that many bytes, with whatever is in them. */
  acquire(kind: BufferKind, bytes: number): GPUBuffer {
    if (++this.#turn % TURNS_PER_LOOK === 0) this.#dropUnused();
    const usage = USAGES[kind];
    const size = Math.min(sizeClass(bytes), this.#device.limits.maxBufferSize);
    const idle = this.#idle.get(classOf({ usage, size }))?.pop();
    if (idle === undefined) return this.#make(kind, usage, size);
    this.#idleBytes -= size;
    return idle.buffer;
  }

  release(buffer: GPUBuffer): void {
    if (this.#closed !== null) return;
    const key = classOf(buffer);
    const others = this.#idle.get(key) ?? [];
    this.#idle.set(key, others);
    others.push({ buffer, since: this.#turn });
    this.#idleBytes += buffer.size;
    while (this.#idleBytes > MAX_IDLE_BYTES) this.#dropOldest();
  }

  /** A buffer for the caller, who destroys it; ours until `handOver`. */
  result(bytes: number): GPUBuffer {
    return this.#make("result", USAGES.storage, Math.max(bytes, 4));
  }

  /** The result is the caller's from now on. */
  handOver(result: GPUBuffer): void {
    this.#live.delete(result);
  }

  /** Destroys a result that no caller will get. */
  discard(result: GPUBuffer): void {
    this.#live.delete(result);
    result.destroy();
  }

  /** Destroys every buffer that is ours, also those in use. No more are made. */
  close(reason: string): void {
    this.#closed = reason;
    for (const buffer of this.#live) buffer.destroy();
    this.#live.clear();
    this.#idle.clear();
  }

  #make(name: string, usage: number, size: number): GPUBuffer {
    if (this.#closed !== null) throw new Error(this.#closed);
    const made = this.#device.createBuffer({ label: `densehead ${name}`, usage, size });
    this.#live.add(made);
    return made;
  }

  #dropUnused(): void {
    for (const list of this.#idle.values()) {
      while (list.length > 0 && this.#turn - list[0].since > MAX_IDLE_TURNS) this.#drop(list);
    }
  }

  #dropOldest(): void {
    const lists = [...this.#idle.values()].filter(({ length }) => length > 0);
    this.#drop(lists.reduce((oldest, list) => list[0].since < oldest[0].since ? list : oldest));
  }

  /** Destroys the first buffer of a list. */
  #drop(list: IdleBuffer[]): void {
    const { buffer } = list.shift() as IdleBuffer;
    this.#idleBytes -= buffer.size;
    this.discard(buffer);
  }
}

function sizeClass(bytes: number): number {
  return Math.max(MIN_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
}

function classOf({ usage, size }: { readonly usage: number; readonly size: number }): string {
  return `${usage} ${size}`;
}
