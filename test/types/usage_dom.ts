/** What a consumer writes with the platform's own types. It is compiled, never run. */
import { createEngine, heads } from "densehead";
import { createEngine as createSlimEngine } from "densehead/slim";

const controller = new AbortController();
const engine = await createEngine();
const outputs = { data: new Float32Array(84 * 8400), dims: [1, 84, 8400] };
const found = await engine.detect(outputs, {
  head: heads.yolov8Decoded(),
  imageSize: [640, 640],
  signal: controller.signal,
});
const boxes: Float32Array = found[0].boxes;

const response = fetch("densehead.wasm");
await createSlimEngine({ wasm: response });
await createSlimEngine({ wasm: await response });
await createSlimEngine({ wasm: await WebAssembly.compileStreaming(response) });
await createSlimEngine({ wasm: (await response).arrayBuffer() });

// @ts-expect-error: a URL is not its content
await createSlimEngine({ wasm: "densehead.wasm" });
// @ts-expect-error: the controller is not its signal
await engine.detect(outputs, { head: heads.yolov8(), imageSize: [640, 640], signal: controller });

export { boxes };
