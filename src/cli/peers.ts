/**
 * Packages that the command uses where the user has them: onnxruntime-node runs networks, sharp reads pictures. They are looked
 * for from the folder where the command runs, and beside this package.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { reason, UsageError } from "./errors.ts";
import type { OnnxRuntime } from "./models/onnx_runtime.ts";
import type { Sharp } from "./readers/sharp.ts";

interface Peers {
  readonly "onnxruntime-node": OnnxRuntime;
  readonly sharp: Sharp;
}

type Name = keyof Peers;

const BOTH = "npm install onnxruntime-node sharp";

/** The packages; an error names all that are missing. */
export async function loadPeers<const N extends readonly Name[]>(
  ...names: N
): Promise<{ [I in keyof N]: Peers[N[I] & Name] }> {
  const paths = names.map(pathOf);
  const missing = names.filter((_, i) => paths[i] === undefined);
  if (missing.length > 0) {
    throw new UsageError(
      `needs ${missing.join(" and ")}, found neither from this folder nor beside densehead; install with: ${BOTH}`,
    );
  }
  const loaded = await Promise.all(names.map((name, i) => load(name, paths[i] as string)));
  return loaded as { [I in keyof N]: Peers[N[I] & Name] };
}

/** The package's main file. */
function pathOf(name: Name): string | undefined {
  for (const place of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return createRequire(place).resolve(name);
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}

/** Both are native: a package of another platform is there, and does not load. */
async function load<N extends Name>(name: N, path: string): Promise<Peers[N]> {
  try {
    const loaded = await import(pathToFileURL(path).href);
    return loaded.default ?? loaded;
  } catch (error) {
    throw new UsageError(`${name} cannot be loaded from ${path}: ${reason(error)}; install it anew with: ${BOTH}`);
  }
}
