/**
 * How far a long run is, where a person watches.
 */
import process from "node:process";

/** Calls `step` for each file in turn; a terminal shows which one it is at. */
export async function forEachWithProgress(
  files: readonly string[],
  step: (file: string) => Promise<void>,
): Promise<void> {
  const shown = files.length > 1 && process.stderr.isTTY;
  const clear = () => shown && process.stderr.write("\r\x1b[K");
  for (const [i, file] of files.entries()) {
    if (shown) process.stderr.write(`\r\x1b[K${i + 1} of ${files.length}`);
    try {
      await step(file);
    } finally {
      clear();
    }
  }
}
