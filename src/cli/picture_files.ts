/**
 * Which pictures a command line means: files, and the pictures of folders.
 */
import { existsSync, statSync, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "./errors.ts";
import { PICTURE } from "./readers/picture.ts";

/** The files in the order given, those of a folder by name. */
export async function pictureFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (!isFolder(path)) files.push(path);
    else files.push(...await picturesIn(path));
  }
  return [...new Set(files)];
}

async function picturesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => PICTURE.test(name));
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).map((name) => join(folder, name));
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Milliseconds without a further write after which a file is taken to be whole. */
const QUIET = 100;

/** Pictures that are added, written or removed from now on, until the signal stops it. */
export class PictureWatch {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #changed = new Set<string>();
  readonly #signal: AbortSignal;
  #wake = () => {};

  constructor(paths: readonly string[], signal: AbortSignal) {
    this.#signal = signal;
    for (const [folder, names] of watchedFolders(paths)) {
      watch(folder, { signal }, (_, name) => {
        if (name !== null && (names?.has(name) ?? PICTURE.test(name))) this.#settle(join(folder, name));
      });
    }
    signal.addEventListener("abort", () => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#wake();
    });
  }

  /** The next that changed; undefined when it is over. */
  async next(): Promise<string | undefined> {
    while (this.#changed.size === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#signal.aborted) return undefined;
    const [file] = this.#changed;
    this.#changed.delete(file);
    return file;
  }

  #settle(file: string): void {
    clearTimeout(this.#timers.get(file));
    const isWhole = () => {
      this.#timers.delete(file);
      this.#changed.add(file);
      this.#wake();
    };
    this.#timers.set(file, setTimeout(isWhole, QUIET));
  }
}

/** Folders, and of each the files that count; undefined where all pictures do. */
function watchedFolders(paths: readonly string[]): Map<string, Set<string> | undefined> {
  const folders = new Map<string, Set<string> | undefined>();
  for (const path of paths) if (isFolder(path)) folders.set(path, undefined);
  for (const path of paths) {
    const folder = dirname(path);
    if (isFolder(path) || (folders.has(folder) && folders.get(folder) === undefined)) continue;
    if (!existsSync(folder)) throw new UsageError(`${path}: there is no folder ${folder} to watch`);
    folders.set(folder, new Set([...folders.get(folder) ?? [], basename(path)]));
  }
  return folders;
}
