/**
 * The part of onnxruntime-node that the command uses.
 */

/** What a session says of an input or an output. */
export interface ValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  /** Numbers, and names of what may have any length. */
  readonly shape?: readonly (number | string)[];
}

export interface OnnxTensor {
  readonly data: ArrayBufferView | readonly string[];
  readonly dims: readonly number[];
  readonly type: string;
}

export interface OnnxSession {
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
}

export interface OnnxRuntime {
  readonly InferenceSession: {
    create(path: string, options: { logSeverityLevel: number }): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => OnnxTensor;
}
