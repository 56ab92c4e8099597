/**
 * Answers losses and their gradients over a pipe. A message, to and fro, is the bytes of its header (uint32), the header (JSON),
 * and float32 numbers of the tensors that the header names, in its order; all little-endian.
 *
 *   asked     {"loss": "giouLoss", "options": {"lossWeight": 0.5}, "tensors": {"pred": [7, 4], "target": [7, 4], "weight": [7]}}
 *   answered  {"tensors": {"loss": [], "grad": [7, 4]}}, or {"error": "giouLoss: …", "tensors": {}}
 */
import { createEngine } from "densehead";
import process from "node:process";

const BYTES = 4;
const engine = await createEngine();
for await (const { header, tensors } of messages(process.stdin)) process.stdout.write(answer(header, tensors));
engine.dispose();

function answer({ loss: name, options }, { pred, target, weight }) {
  try {
    if (!/Loss$/.test(name) || !(name in engine.sync)) throw new RangeError(`${name} is no loss of densehead`);
    const { loss, grad } = engine.sync[name](pred, target, { ...options, weight, reduction: "sum", grad: true });
    return message({}, { loss: { data: Float32Array.of(loss), dims: [] }, grad: { data: grad, dims: pred.dims } });
  } catch (error) {
    return message({ error: error.message }, {});
  }
}

function message(header, tensors) {
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { dims }]) => [name, dims]));
  const text = Buffer.from(JSON.stringify({ ...header, tensors: shapes }));
  const length = Buffer.alloc(BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ data }) => bytesOf(data))]);
}

async function* messages(stream) {
  const take = reader(stream);
  for (let length = await take(BYTES); length !== null; length = await take(BYTES)) {
    const header = JSON.parse((await take(length.readUInt32LE())).toString());
    const tensors = {};
    for (const [name, dims] of Object.entries(header.tensors)) {
      const data = new Float32Array(dims.reduce((product, extent) => product * extent, 1));
      bytesOf(data).set(await take(data.byteLength));
      tensors[name] = { data, dims };
    }
    yield { header, tensors };
  }
}

/** Takes so many bytes at a time; null: the stream has ended. */
function reader(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  return async (length) => {
    const parts = [rest];
    let have = rest.length;
    while (have < length) {
      const { done, value } = await chunks.next();
      if (done) return null;
      parts.push(value);
      have += value.length;
    }
    const all = Buffer.concat(parts);
    rest = all.subarray(length);
    return all.subarray(0, length);
  };
}

function bytesOf({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength);
}
