/** What a consumer writes with the newest libraries. It is compiled, never run. */
import { createEngine, type HostTensor } from "densehead";

using engine = await createEngine();
using tensor = engine.tensor([2, 4]);
const halves: HostTensor = { data: new Float16Array(8), dims: [2, 4] };
const ious: Float32Array = engine.sync.boxIou(tensor, halves);
const disposable: Disposable[] = [engine, tensor];

export { disposable, ious };
