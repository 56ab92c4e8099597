/** The packages that bring pictures and networks to a test: sharp of test/pictures, onnxruntime-node of bench. */
import { mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import process from "node:process";

const root = resolve(process.env.DENSEHEAD_ROOT ?? ".");
const FOLDERS = { sharp: "test/pictures", "onnxruntime-node": "bench" } as const;

type Peer = keyof typeof FOLDERS;

/** The package. */
export function peer(name: Peer) {
  return createRequire(join(root, FOLDERS[name], "package.json"))(name);
}

/** Makes the packages those of a folder, as an installation there does. */
export function installPeers(folder: string, names: readonly Peer[] = ["sharp", "onnxruntime-node"]): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of names) {
    symlinkSync(join(root, FOLDERS[name], "node_modules", name), join(folder, "node_modules", name), "junction");
  }
}
