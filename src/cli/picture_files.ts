/**
 * Which pictures a command line means: files, and the pictures of folders.
 */
import { existsSync, statSync, watch } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
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

/**
 * Calls `changed` with each picture among the paths that is added, written or removed, one at a time, until the user interrupts. Ends
 * when the last call has.
 */
export async function watchPictures(paths: readonly string[], changed: (path: string) => Promise<void>): Promise<void> {
  const timers = new Map<string, NodeJS.Timeout>();
  let running = Promise.resolve();
  const settle = (path: string) => {
    clearTimeout(timers.get(path));
    timers.set(
      path,
      setTimeout(() => {
        timers.delete(path);
        running = running.then(() => changed(path));
      }, QUIET),
    );
  };
  const watchers = [...watchedFolders(paths)].map(([folder, names]) =>
    watch(folder, (_, name) => {
      if (name !== null && (names?.has(name) ?? PICTURE.test(name))) settle(join(folder, name));
    })
  );
  await new Promise((resolve) => process.once("SIGINT", resolve));
  for (const watcher of watchers) watcher.close();
  for (const timer of timers.values()) clearTimeout(timer);
  await running;
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
