/**
 * How long the stages of a request took, for `Server-Timing`. A deployed Worker's clock stands still while it computes, as a
 * defence against attacks that measure time; under `wrangler dev` it runs.
 */
export class Timing {
  readonly #stages: string[] = [];

  measure<T>(stage: string, run: () => T): T {
    const start = performance.now();
    const result = run();
    this.#stages.push(`${stage};dur=${(performance.now() - start).toFixed(2)}`);
    return result;
  }

  toString(): string {
    return this.#stages.join(", ");
  }
}
