/**
 * The mathematics of every operation that has a shader, by the operation's name.
 */
import { shaders as generated } from "./generated/shaders.ts";

export const shaders: Readonly<Record<string, string>> = generated;
