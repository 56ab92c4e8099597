/** A peer in Python: a process of its own that measures itself when it is told to, between our measurements. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import server from "./python_server.py";

const PYTHONS = ["/usr/bin/python3", "python3"];

export interface PythonInput {
  readonly data: Float32Array | Uint8Array;
  readonly dims: readonly number[];
}

export interface PythonResult {
  readonly value: number;
  readonly arrays: readonly Float32Array[];
}

export interface PreparedPython {
  run(): Promise<PythonResult>;
  /** Milliseconds of each of so many calls. */
  clock(calls: number): Promise<number>;
}

/**
 * The first Python that has what a script wants: it fills NAME and TASKS of python_server.py, and ends where it cannot. `env`
 * is added to the process's environment.
 */
export async function startPython(
  script: string,
  wanted: string,
  env: Readonly<Record<string, string>> = {},
): Promise<PythonProcess> {
  for (const python of PYTHONS) {
    const found = new PythonProcess(python, script, env);
    if (await found.started()) return found;
  }
  throw new Error(`no python3 that has ${wanted}`);
}

export class PythonProcess {
  /** With its version. */
  name = "Python";
  tasks: readonly string[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(python: string, script: string, env: Readonly<Record<string, string>>) {
    this.#process = spawn(python, ["-c", `${script}\n${server}`], { env: { ...process.env, ...env } });
    this.#answers = this.#process.stdout[Symbol.asyncIterator]();
    // It ends without an answer where Python or a package is missing; that is looked at.
    this.#process.on("error", () => {});
    this.#process.stdin.on("error", () => {});
    this.#process.stderr.resume();
  }

  async started(): Promise<boolean> {
    try {
      const { name, tasks } = await this.#answer<{ name: string; tasks: string[] }>();
      this.name = name;
      this.tasks = tasks;
      return true;
    } catch {
      return false;
    }
  }

  /** It holds one task, the last that was prepared. */
  async prepare(task: string, options: object, inputs: readonly PythonInput[]): Promise<PreparedPython> {
    this.#tell({ prepare: task, options, dims: inputs.map(({ dims }) => dims) });
    for (const { data: { buffer, byteOffset, byteLength } } of inputs) {
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

  async #run(): Promise<PythonResult> {
    this.#tell({ run: true });
    const { value, bytes } = await this.#answer<{ value: number; bytes: number[] }>();
    const arrays: Float32Array[] = [];
    for (const count of bytes) {
      arrays.push(new Float32Array(Uint8Array.from(await this.#take(count)).buffer));
    }
    return { value, arrays };
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
    if (done) throw new Error("the peer's process has ended");
    this.#rest = Buffer.concat([this.#rest, value]);
  }
}
