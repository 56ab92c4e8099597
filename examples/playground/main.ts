/** Starts the five parts of the page. */
import { createEngine } from "densehead";
import { startCurves } from "./curves.ts";
import { startDetection } from "./detection.ts";
import { startDistribution } from "./distribution.ts";
import { startEvaluation } from "./evaluation.ts";
import { startPonds } from "./ponds.ts";

const engine = await createEngine({ device: "wasm" });
startCurves(engine);
startDistribution(engine);
startDetection(engine);
startPonds(engine);
startEvaluation();
