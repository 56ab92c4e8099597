/** The packages that bring pictures and networks to a test: those of the example that has both. */
import { mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";

const example = resolve(process.env.DENSEHEAD_ROOT ?? ".", "examples/onnxruntime");

type Peer = "sharp" | "onnxruntime-node";

/** The package. */
export function peer(name: Peer) {
  return createRequire(join(example, "package.json"))(name);
}

/** Makes the packages those of a folder, as an installation there does. */
export function installPeers(folder: string, names: readonly Peer[] = ["sharp", "onnxruntime-node"]): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of names) {
    symlinkSync(join(example, "node_modules", name), join(folder, "node_modules", name), "junction");
  }
}
