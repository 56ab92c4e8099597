/**
 * How far a long run is, where a person watches.
 */
import process from "node:process";

/** A line on stderr that comes and goes; nothing where stderr is no terminal or there is but one file. */
export function progressOf(total: number): { show(done: number): void; clear(): void } {
  const write = (text: string) => void (total > 1 && process.stderr.isTTY && process.stderr.write(text));
  return {
    show: (done) => write(`\r\x1b[K${done} of ${total}`),
    clear: () => write("\r\x1b[K"),
  };
}
