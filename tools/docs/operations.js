/** docs/operations.md: the table of operations, from the registry. */
import { table } from "./api.js";
import { evaluate } from "../evaluate.js";

const INTRO =
  `Each operation is on \`engine\` (as a promise) and on \`engine.sync\`. [api.md](api.md) has formulas, units, defaults,
errors, error bounds and an example of each. \`npm run docs\` writes this page from the registry.`;

const DEVICES = `"WebGPU" means that the operation also runs there; see [webgpu.md](webgpu.md).`;

const TENSORS =
  `A tensor is \`{ data, dims }\` with float32, float64, float16 (or half bits in a \`Uint16Array\`), or 8-bit or 16-bit
integers with \`scale\` and \`zeroPoint\`. A plain \`Float32Array\` has the shape that the argument calls for. A wrong kind,
dtype or shape is a \`TypeError\`, a value out of range a \`RangeError\`. Both name the operation, the argument, the value and
what is wanted instead. The engine works on afterwards. Linear memory stays under \`createEngine({ maxMemory })\`, 64 MiB by
default: larger inputs are streamed through it.`;

export async function operationsPage() {
  const { operations } = await evaluate("src/registry.ts");
  const rows = Object.values(operations).map(({ name, shapes, summary, check }) => {
    return [`[\`${name}\`](api.md#${name.toLowerCase()})`, shapes, summary, check === undefined ? "" : "WebGPU"];
  });
  return ["# Operations", INTRO, table(["Operation", "Shapes", "Result", "Also on"], rows), DEVICES, TENSORS].join(
    "\n\n",
  );
}
