/**
 * Both builds of the kernels. The bundler makes a file of its own of this module, which is loaded with the first engine.
 */
import baselineText from "../../build/densehead.wasm";
import relaxedText from "../../build/densehead-relaxed.wasm";
import { compile } from "./compile.ts";

/** Compiled once per process. */
export const baseline = once(() => compile(decode(baselineText)));

/** Null where the host has no relaxed SIMD. */
export const relaxed = once(async () => {
  const bytes = decode(relaxedText);
  return WebAssembly.validate(bytes) ? await compile(bytes) : null;
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
