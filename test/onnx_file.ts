/** Writes small ONNX models. Field numbers are those of onnx.proto. */
import { type Bytes, bytesField, concat, integerField, messageField, textField } from "../bench/peers/protobuf.ts";

/** Types of elements, by onnxruntime's names. */
const TYPES = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const;

interface Value {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  /** A text for what may have any length. */
  readonly dims: readonly (number | string)[];
}

interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | BigInt64Array;
}

/** An operator; its attributes are integers. */
interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number>>;
}

export interface Graph {
  readonly inputs: readonly Value[];
  /** Of outputs too: each is an output where its name is in that list. */
  readonly constants: readonly Constant[];
  readonly nodes?: readonly Node[];
  readonly outputs: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The file's bytes. */
export function onnxFile({ inputs, constants, nodes = [], outputs, metadata = {} }: Graph): Bytes {
  // A constant by the name of an output goes through a node.
  const given = constants.map((constant) => {
    return outputs.includes(constant.name) ? { ...constant, name: `${constant.name}_values` } : constant;
  });
  const copies = constants.filter(({ name }) => outputs.includes(name)).map(({ name }) => {
    return { operator: "Identity", inputs: [`${name}_values`], output: name };
  });
  const graph = concat([
    ...[...nodes, ...copies].map(nodeField),
    textField(2, "test"),
    ...given.map(constantField),
    ...inputs.map((input) => messageField(11, valueInfo(input))),
    ...outputs.map((name) => messageField(12, textField(1, name))),
  ]);
  return concat([
    integerField(1, 8),
    messageField(7, graph),
    messageField(8, textField(1, ""), integerField(2, 17)),
    ...Object.entries(metadata).map(([key, value]) => messageField(14, textField(1, key), textField(2, value))),
  ]);
}

function nodeField({ operator, inputs, output, attributes = {} }: Node): Bytes {
  return messageField(
    1,
    ...inputs.map((input) => textField(1, input)),
    textField(2, output),
    textField(3, output),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      messageField(5, textField(1, name), integerField(3, value), integerField(20, 2))
    ),
  );
}

function constantField({ name, dims, data }: Constant): Bytes {
  const type = data instanceof Float32Array ? TYPES.float32 : data instanceof Uint16Array ? TYPES.float16 : TYPES.int64;
  return messageField(
    5,
    ...dims.map((length) => integerField(1, length)),
    integerField(2, type),
    textField(8, name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function valueInfo({ name, type, dims }: Value): Bytes {
  const axes = dims.map((length) =>
    messageField(1, typeof length === "number" ? integerField(1, length) : textField(2, length))
  );
  const tensorType = messageField(1, integerField(1, TYPES[type]), messageField(2, ...axes));
  return concat([textField(1, name), messageField(2, tensorType)]);
}
