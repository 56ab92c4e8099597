/**
 * What is a module, and one of ours.
 */
import { typeError } from "../validate.ts";

/** The first bytes of every module: "\0asm". */
export const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** Name of the custom section that says which kernels these are. */
const SECTION = "densehead";

/** Of another realm too. */
export function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** Refuses a module of something else, and kernels of another version: their parameters may stand elsewhere. */
export function checkModule(module: WebAssembly.Module): WebAssembly.Module {
  const place = { op: "createEngine", argument: "options.wasm" };
  const wanted = "densehead.wasm or densehead-relaxed.wasm of this version";
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (!names.includes("heap_base")) {
    const some = names.length === 0 ? "no exports" : `the exports ${names.slice(0, 3).join(", ")}`;
    throw typeError(place, `a module with ${some}`, wanted);
  }
  // Tools that shrink modules leave such sections out.
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  const build = section === undefined ? KERNELS : new TextDecoder().decode(section);
  if (build !== KERNELS) throw typeError(place, `a module of densehead's kernels ${build}`, `${wanted} (${KERNELS})`);
  return module;
}
