/**
 * Files of tensors: NumPy's .npy and safetensors, bytes in and bytes out, in any runtime; and the roles of a head's tensors
 * by their names.
 *
 * @module
 */
export type { ElementType, FileArray } from "./element_types.ts";
export type { Named } from "./named.ts";
export { readNpy, writeNpy } from "./npy.ts";
export { outputsByRole, rolesByName } from "./roles.ts";
export type { OutputRoles, OutputsByRole } from "./roles.ts";
export { readSafetensors, writeSafetensors } from "./safetensors.ts";
export type { Safetensors, SafetensorsOptions } from "./safetensors.ts";
export type { FileBytes, FileTensor, WritableTensor, WrittenFile } from "./tensor.ts";
export { toFloat32 } from "./values.ts";
