/**
 * What goes wrong on a command line, in words: one line on stderr and exit code 2.
 */

/** The exit code where something was wrong. */
export const FAILED = 2;

/** A mistake that the user can mend: a wrong file, shape, name, value or flag. */
export class UsageError extends Error {}

/** Runs `action`; its errors say which file or flag they are about. */
export async function about<T>(subject: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new UsageError(`${subject}: ${reason(error)}`);
  }
}

/** Why it failed, in one line: the system's own words without its codes, the library's without its own names. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const system = /^E[A-Z]+: ([^,]+),/.exec(error.message);
  return system?.[1] ??
    error.message.split("\n")[0].replace(/^(detect|anchorRows|heads\.\w+|read\w+): (options\.|file )?/, "");
}
