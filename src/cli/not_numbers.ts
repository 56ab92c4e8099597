/**
 * Values of a file that are no numbers.
 */
import process from "node:process";
import { toFloat32 } from "../files/index.ts";
import { printable } from "../text.ts";
import { type FileOutputs, tensorsByName } from "./outputs.ts";

/** Says in a line which tensors hold NaN: it may leave a healthy number, because boxes of NaN fit no object. */
export function warnOfNaN(command: string, file: string, read: FileOutputs): void {
  const initial = (read.initial ?? []).map((tensor, i) => [`initial distances[${i}]`, tensor] as const);
  const found = [...tensorsByName(read), ...initial].flatMap(([name, tensor]) => {
    const values = toFloat32(tensor);
    const count = values.reduce((sum, value) => sum + Number(Number.isNaN(value)), 0);
    return count === 0 ? [] : [`${count} of ${values.length} values${name === "" ? "" : ` of ${name}`}`];
  });
  if (found.length === 0) return;
  process.stderr.write(`densehead: ${command}: ${printable(`${file}: NaN in ${found.join(", ")}`)}\n`);
}
