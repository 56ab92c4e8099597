/** Starts the four parts of the page. */
import { createEngine } from "densehead";
import { startCurves } from "./curves.ts";
import { startDetection } from "./detection.ts";
import { startDistribution } from "./distribution.ts";
import { startEvaluation } from "./evaluation.ts";

const engine = await createEngine({ device: "wasm" });
startCurves(engine);
startDistribution(engine);
startDetection(engine);
startEvaluation();
