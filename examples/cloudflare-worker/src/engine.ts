/**
 * One engine for all requests of an isolate.
 */
import { createEngine, type Engine } from "densehead";

/**
 * Linear memory grows to what the largest call needs and no further, and results are the same bits on every machine, so that a
 * head that is delivered twice gives one result.
 */
export const engine: Engine = await createEngine({ maxMemory: 32 * 1024 * 1024, relaxedSimd: "off" });
