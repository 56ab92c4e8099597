/**
 * A call in progress on several threads.
 */
import type { Division, Share } from "../call.ts";

/** A share that a thread has taken. */
export interface Taken {
  readonly task: Task;
  share(): Share;
  /** What became of it. */
  done(result: unknown): void;
  failed(error: unknown): void;
}

export class Task {
  /** What became of all shares, in order. The first error in order is that of one thread. */
  readonly results: Promise<readonly unknown[]>;
  readonly op: string;
  readonly #division: Division;
  readonly #threads: number;
  readonly #found: unknown[] = [];
  #failure: { readonly place: number; readonly error: unknown } | null = null;
  /** Sections and shares that were taken so far, and shares that are under way. */
  #sections = 0;
  #shares = 0;
  #open = 0;
  #resolve!: (results: readonly unknown[]) => void;
  #reject!: (error: unknown) => void;

  constructor(op: string, division: Division, threads: number) {
    this.op = op;
    this.#division = division;
    this.#threads = threads;
    this.results = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The next share; null where there is none, or where one has failed: those that are left come after it. */
  take(): Taken | null {
    const { sections, most } = this.#division;
    const left = sections - this.#sections;
    if (left === 0 || this.#failure !== null) return null;
    // Smaller ones towards the end, so that all threads end at about the same time.
    const count = Math.min(most, Math.ceil(left / (2 * this.#threads)));
    const first = this.#sections;
    const place = this.#shares;
    this.#sections += count;
    this.#shares++;
    this.#open++;
    return {
      task: this,
      share: () => this.#division.share(first, first + count),
      done: (result) => this.#done(place, result),
      failed: (error) => this.#failed(place, error),
    };
  }

  /** Ends at once. */
  abort(error: unknown): void {
    this.#reject(error);
  }

  #done(place: number, result: unknown): void {
    this.#found[place] = result;
    this.#close();
  }

  #failed(place: number, error: unknown): void {
    if (this.#failure === null || place < this.#failure.place) this.#failure = { place, error };
    this.#close();
  }

  #close(): void {
    this.#open--;
    if (this.#open > 0) return;
    if (this.#failure !== null) this.#reject(this.#failure.error);
    else if (this.#sections === this.#division.sections) this.#resolve(this.#found);
  }
}
