/** Losses in PyTorch: a process of its own that measures itself when it is told to, between our measurements. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { LossName, LossOutcome, LossPeer, LossTask, PreparedLoss } from "../loss_task.ts";
import script from "./torch_losses.py";

/** As in torch_losses.py. */
const LOSSES: readonly LossName[] = [
  "qualityFocalLoss",
  "distributionFocalLoss",
  "giouLoss",
];
const PYTHONS = ["/usr/bin/python3", "python3"];

export interface TorchLosses extends LossPeer {
  close(): void;
}

/** The first Python that has PyTorch. */
export async function torchLosses(): Promise<TorchLosses> {
  for (const python of PYTHONS) {
    const torch = new Torch(python);
    const version = await torch.version();
    if (version !== null) return peer(`PyTorch ${version}`, torch);
  }
  throw new Error("no python3 that has PyTorch");
}

function peer(name: string, torch: Torch): TorchLosses {
  return {
    name,
    async prepare(task) {
      if (!LOSSES.includes(task.loss)) return null;
      return await torch.prepare(task);
    },
    close: () => torch.close(),
  };
}

class Torch {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(python: string) {
    this.#process = spawn(python, ["-c", script]);
    this.#answers = this.#process.stdout[Symbol.asyncIterator]();
    // It ends without an answer where Python or PyTorch is missing; that is looked at.
    this.#process.on("error", () => {});
    this.#process.stdin.on("error", () => {});
    this.#process.stderr.resume();
  }

  async version(): Promise<string | null> {
    try {
      return (await this.#answer<{ version: string }>()).version;
    } catch {
      return null;
    }
  }

  /** It holds one task, the last that was prepared. */
  async prepare(task: LossTask): Promise<PreparedLoss> {
    const { loss, pred, predDims, target, targetDims, grad } = task;
    this.#tell({ prepare: loss, grad, dims: [predDims, targetDims] });
    for (const { buffer, byteOffset, byteLength } of [pred, target]) {
      await this.#write(new Uint8Array(buffer, byteOffset, byteLength));
    }
    await this.#answer();
    return {
      run: () => this.#run(),
      clock: async (calls) => {
        this.#tell({ time: calls });
        return (await this.#answer<{ ms: number }>()).ms;
      },
    };
  }

  close(): void {
    this.#process.stdin.end();
  }

  async #run(): Promise<LossOutcome> {
    this.#tell({ run: true });
    const { loss, bytes } = await this.#answer<
      { loss: number; bytes: number }
    >();
    if (bytes === 0) return { loss };
    const data = await this.#take(bytes);
    return { loss, grad: new Float32Array(Uint8Array.from(data).buffer) };
  }

  #tell(command: object): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#process.stdin.write(bytes)) {
      await once(this.#process.stdin, "drain");
    }
  }

  async #answer<T>(): Promise<T> {
    while (!this.#rest.includes(10)) await this.#receive();
    const line = await this.#take(this.#rest.indexOf(10) + 1);
    return JSON.parse(line.toString());
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#rest.length < bytes) await this.#receive();
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }

  async #receive(): Promise<void> {
    const { done, value } = await this.#answers.next();
    if (done) throw new Error("PyTorch's process has ended");
    this.#rest = Buffer.concat([this.#rest, value]);
  }
}
