/**
 * A model in words of its head and its input: what both are is found before the first picture comes.
 */
import { about } from "../errors.ts";
import type { InputFlags } from "../input_flags.ts";
import { type NetworkFile, understand } from "../network.ts";
import type { NetworkFlags } from "../network_options.ts";
import { chooseInput, type ChosenInput } from "./chosen_input.ts";
import { classNamesIn, taskIn } from "./metadata.ts";
import { openModel, runnable, type RunnableModel } from "./model.ts";
import type { OnnxRuntime } from "./onnx_runtime.ts";

/** Everything that it takes to run on pictures. */
export interface Network extends Omit<NetworkFile, "read">, ChosenInput {
  readonly model: RunnableModel;
}

/** Opens the file, and runs it on grey for shapes and values that tell the head. */
export async function openNetwork(
  ort: OnnxRuntime,
  path: string,
  flags: { readonly network: NetworkFlags; readonly input: InputFlags },
): Promise<Network> {
  return await about(path, async () => {
    const model = runnable(ort, await openModel(ort, path), flags.network);
    const { read: _, ...network } = understand(
      await model.run(greyInput(model)),
      toldBy(model, flags.network),
      flags.network,
    );
    return { model, ...network, ...chooseInput(model, network.chosen, flags.input) };
  });
}

/** What the model says beside its outputs. */
export function toldBy({ metadata, size }: RunnableModel, { ignoreMetadata }: NetworkFlags) {
  const classes = ignoreMetadata ? undefined : classNamesIn(metadata);
  const task = ignoreMetadata ? undefined : taskIn(metadata);
  return { head: undefined, classes, imageSize: size, sizeFrom: "the model", task } as const;
}

/** A picture of middle values, whatever the input's own are. */
export function greyInput({ picture: { dtype, layout }, size: [height, width] }: RunnableModel) {
  const length = 3 * height * width;
  const data = {
    float32: () => new Float32Array(length).fill(0.5),
    // 0.5 in half bits.
    float16: () => new Uint16Array(length).fill(0x3800),
    uint8: () => new Uint8Array(length).fill(128),
  }[dtype]();
  return { data, dims: layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3] };
}
