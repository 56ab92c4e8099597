/** Peers that may be missing. */
import type { Absent } from "../runner.ts";

/** A peer, or why it is not there. */
export async function attempt<T>(
  name: string,
  load: () => Promise<T>,
): Promise<T | Absent> {
  try {
    return await load();
  } catch (error) {
    return {
      name,
      absent: error instanceof Error ? error.message : String(error),
    };
  }
}
