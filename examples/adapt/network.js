/** An ONNX file, cut before its last layers: what they take becomes the output, and their weights are handed over. */

/** Of protobuf's wire format: a number, eight bytes, bytes with their length before them, four bytes. */
const [VARINT, EIGHT, BYTES, FOUR] = [0, 1, 2, 5];
/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1, constant: 5, output: 12 };
const NODE = { input: 1, output: 2, operator: 4 };
const TENSOR = { dims: 1, name: 8, data: 9 };
const VALUE = { name: 1 };

/**
 * The model without the 1×1 convolutions that make its outputs. `layers` has, under the name of each output, the name of
 * the features that take its place, the `weights` (outputs, inputs) and the `bias`.
 */
export function cutLastLayers(file) {
  const model = fieldsOf(file);
  const graph = fieldsOf(model.find(({ field }) => field === MODEL.graph).bytes);
  const all = (field) => graph.filter((entry) => entry.field === field).map(({ bytes }) => fieldsOf(bytes));
  const constants = new Map(all(GRAPH.constant).map((tensor) => [textOf(tensor, TENSOR.name), tensor]));
  const layers = Object.fromEntries(
    all(GRAPH.output).map((output) => {
      const name = textOf(output, VALUE.name);
      const node = all(GRAPH.node).find((candidate) => textOf(candidate, NODE.output) === name);
      if (textOf(node, NODE.operator) !== "Conv") throw new Error(`${name} is not made by a convolution`);
      const [features, weights, bias] = node.filter(({ field }) => field === NODE.input).map(({ bytes }) =>
        decode(bytes)
      );
      return [name, { features, weights: floatsOf(constants.get(weights)), bias: floatsOf(constants.get(bias)) }];
    }),
  );
  const kept = graph.filter(({ field }) => field !== GRAPH.output).map(({ whole }) => whole);
  const outputs = Object.values(layers).map(({ features }) => {
    return bytesField(GRAPH.output, bytesField(VALUE.name, new TextEncoder().encode(features)));
  });
  const cut = bytesField(MODEL.graph, concat([...kept, ...outputs]));
  return { file: concat(model.map(({ field, whole }) => field === MODEL.graph ? cut : whole)), layers };
}

/** The fields of a message, in their order: `whole` with their key, `bytes` without it and without their length. */
function fieldsOf(message) {
  const fields = [];
  for (let at = 0; at < message.length;) {
    const from = at;
    const varint = () => {
      let value = 0;
      for (let scale = 1;; scale *= 128) {
        const byte = message[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    const key = varint();
    const length = { [EIGHT]: () => 8, [FOUR]: () => 4, [BYTES]: varint, [VARINT]: () => (varint(), 0) }[key & 7]();
    fields.push({ field: key >> 3, bytes: message.subarray(at, at += length), whole: message.subarray(from, at) });
  }
  return fields;
}

function bytesField(field, bytes) {
  return concat([varintOf(8 * field + BYTES), varintOf(bytes.length), bytes]);
}

function varintOf(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return Uint8Array.of(...bytes, value);
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function textOf(message, field) {
  return decode(message.find((entry) => entry.field === field).bytes);
}

function decode(bytes) {
  return new TextDecoder().decode(bytes);
}

/** The numbers of a tensor; a copy, because floats must lie at multiples of four bytes. */
function floatsOf(tensor) {
  const { bytes } = tensor.find(({ field }) => field === TENSOR.data);
  return new Float32Array(new Uint8Array(bytes).buffer);
}
