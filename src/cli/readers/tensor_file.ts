import type { HostTensor } from "../../types.ts";

/** Named tensors, whatever the format of the file. */
export interface TensorFile {
  /** In the order of the file; of a folder, in natural order. */
  readonly names: readonly string[];
  /** What the file says about itself. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Reads one of them. */
  read(name: string): Promise<HostTensor> | HostTensor;
}
