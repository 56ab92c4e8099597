/**
 * How a tensor's elements lie in a buffer: how shaders read them, and where a binding of them begins.
 */
import type { AnySource, GpuSource } from "../validate.ts";

/** Storage of elements in a shader's buffer. */
export type Storage = "float32" | "float16";

/** Storage of a source: as it lies on the device, or as it is uploaded. */
export function storageOf(source: AnySource): Storage {
  return (source.kind === "gpu" ? source.half : source.kind === "f16") ? "float16" : "float32";
}

/** Bytes of elements of a source on the device. */
export function bytesOf(source: AnySource, elements: number): number {
  return elements * (storageOf(source) === "float16" ? 2 : 4);
}

/** WGSL's type of the words of a buffer. */
export function wordType(storage: Storage): "f32" | "u32" {
  return storage === "float16" ? "u32" : "f32";
}

/** The WGSL expression of element `index` of a buffer whose words are of `wordType`; needs `half`. */
export function elementOf(buffer: string, storage: Storage, index: string): string {
  return storage === "float16" ? `half_of(${buffer}[${index} >> 1u], ${index} & 1u)` : `${buffer}[${index}]`;
}

/** A binding of elements, and the WGSL function `NAME_at(k)`, which reads element k; needs `half`. */
export function readable(binding: number, name: string, storage: Storage): string {
  return /* wgsl */ `
@group(0) @binding(${binding}) var<storage, read> ${name}: array<${wordType(storage)}>;
fn ${name}_at(k: u32) -> f32 { return ${elementOf(name, storage, "k")}; }`;
}

/** Bindings of storage buffers begin at multiples of this. */
export const ALIGNED_BYTES = 256;

/** Elements of a tensor on the device between the aligned beginning of a binding and element `start`; 0 on the host. */
export function elementsBefore(source: AnySource, start: number): number {
  return source.kind === "gpu" ? start % (ALIGNED_BYTES / bytesOf(source, 1)) : 0;
}

/** A float32 buffer of ours as a tensor (rows, columns). */
export function onDevice({ buffer }: GPUBufferBinding, rows: number, columns: number): GpuSource {
  return { kind: "gpu", gpuBuffer: buffer, dims: [rows, columns], half: false };
}
