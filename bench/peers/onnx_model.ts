/** Writes ONNX models. Field numbers are those of onnx.proto. */
import { type Bytes, bytesField, concat, integerField, messageField, textField } from "./protobuf.ts";

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** A value by its name. */
export interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

/** A graph under construction: each call adds to it and returns the name of what it added. */
export class GraphBuilder {
  readonly #nodes: Bytes[] = [];
  readonly #constants: Bytes[] = [];
  #names = 0;

  node(
    operator: string,
    inputs: readonly string[],
    attributes: Attributes = {},
  ): string {
    const output = `${operator}_${this.#names++}`;
    this.#nodes.push(concat([
      ...inputs.map((input) => textField(1, input)),
      textField(2, output),
      textField(3, output),
      textField(4, operator),
      ...Object.entries(attributes).map(([name, value]) => messageField(5, attribute(name, value))),
    ]));
    return output;
  }

  floats(dims: readonly number[], values: ArrayLike<number>): string {
    return this.#constant(
      FLOAT,
      dims,
      new Uint8Array(Float32Array.from(values).buffer),
    );
  }

  integers(dims: readonly number[], values: readonly number[]): string {
    return this.#constant(
      INT64,
      dims,
      new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    );
  }

  /** The whole model; all its inputs are float32, outputs have the type that inference gives them. */
  model(inputs: readonly Value[], outputs: readonly string[]): Bytes {
    const graph = concat([
      ...this.#nodes.map((node) => messageField(1, node)),
      textField(2, "peer"),
      ...this.#constants.map((constant) => messageField(5, constant)),
      ...inputs.map((input) => messageField(11, floatInput(input))),
      ...outputs.map((output) => messageField(12, textField(1, output))),
    ]);
    return concat([
      integerField(1, IR_VERSION),
      messageField(7, graph),
      messageField(8, textField(1, ""), integerField(2, OPSET)),
    ]);
  }

  #constant(type: number, dims: readonly number[], raw: Bytes): string {
    const name = `constant_${this.#names++}`;
    this.#constants.push(concat([
      ...dims.map((length) => integerField(1, length)),
      integerField(2, type),
      textField(8, name),
      bytesField(9, raw),
    ]));
    return name;
  }
}

function attribute(name: string, value: number | readonly number[]): Bytes {
  if (typeof value === "number") {
    return concat([
      textField(1, name),
      integerField(3, value),
      integerField(20, ATTRIBUTE_INT),
    ]);
  }
  const items = value.map((item) => integerField(8, item));
  return concat([
    textField(1, name),
    ...items,
    integerField(20, ATTRIBUTE_INTS),
  ]);
}

function floatInput({ name, dims }: Value): Bytes {
  const shape = messageField(
    2,
    ...dims.map((length) => messageField(1, integerField(1, length))),
  );
  const tensorType = messageField(1, integerField(1, FLOAT), shape);
  return concat([textField(1, name), messageField(2, tensorType)]);
}
