/**
 * The types that every entry exports.
 */
export type { Heads } from "./heads/index.ts";
export type * from "./types.ts";
