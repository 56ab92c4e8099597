/**
 * What every entry exports beside its `createEngine`.
 */
export { heads } from "./heads/index.ts";
export type { Heads } from "./heads/index.ts";
export type { InferHints } from "./heads/infer.ts";
export type * from "./types.ts";
