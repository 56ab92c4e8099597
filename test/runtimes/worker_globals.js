/** Comes before the suite, which reads these when it is loaded. */
import baseline from "densehead/densehead.wasm";
import relaxed from "densehead/densehead-relaxed.wasm";

globalThis.DENSEHEAD_RUNTIME = "workerd";
globalThis.DENSEHEAD_WASM = { baseline, relaxed };
