/**
 * The types that every entry exports.
 */
export type { Heads } from "./heads/index.ts";
export type { Inputs } from "./pixels/index.ts";
export type * from "./types.ts";
