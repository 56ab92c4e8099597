/**
 * Buffers that calls share: handed out by size class, given back, and bounded while idle.
 */

// `GPUBufferUsage` is no global everywhere.
const MAP_READ = 0x1;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const UNIFORM = 0x40;
const STORAGE = 0x80;

const USAGES = {
  storage: STORAGE | COPY_SRC | COPY_DST,
  uniform: UNIFORM | COPY_DST,
  readback: MAP_READ | COPY_DST,
} as const;

export type BufferKind = keyof typeof USAGES;

const LEAST_BYTES = 256;
/** What lies idle beyond this is destroyed. */
const MOST_IDLE_BYTES = 512 * 1024 * 1024;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #idle = new Map<string, GPUBuffer[]>();
  readonly #live = new Set<GPUBuffer>();
  #idleBytes = 0;
  #closed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** At least that many bytes, with whatever is in them. */
  acquire(kind: BufferKind, bytes: number): GPUBuffer {
    const usage = USAGES[kind];
    const size = Math.min(sizeClass(bytes), this.#device.limits.maxBufferSize);
    const idle = this.#idle.get(classOf({ usage, size }))?.pop();
    if (idle !== undefined) {
      this.#idleBytes -= size;
      return idle;
    }
    const made = this.#device.createBuffer({ label: `densehead ${kind}`, usage, size });
    this.#live.add(made);
    return made;
  }

  release(buffer: GPUBuffer): void {
    if (this.#closed || this.#idleBytes + buffer.size > MOST_IDLE_BYTES) {
      this.#live.delete(buffer);
      buffer.destroy();
      return;
    }
    this.#idleBytes += buffer.size;
    const key = classOf(buffer);
    const others = this.#idle.get(key);
    if (others === undefined) this.#idle.set(key, [buffer]);
    else others.push(buffer);
  }

  /** A buffer for the caller, who destroys it. */
  result(bytes: number): GPUBuffer {
    return this.#device.createBuffer({ label: "densehead result", usage: USAGES.storage, size: Math.max(bytes, 4) });
  }

  /** Destroys every buffer, also those in use; what is made later goes when it is given back. */
  close(): void {
    this.#closed = true;
    for (const buffer of this.#live) buffer.destroy();
    this.#live.clear();
    this.#idle.clear();
  }
}

function sizeClass(bytes: number): number {
  return Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
}

function classOf({ usage, size }: { readonly usage: number; readonly size: number }): string {
  return `${usage} ${size}`;
}
