/**
 * A loss as people read it.
 */

import { printable, printableJson } from "../../text.ts";
/** A tensor that went in, or came out into a file. */
export interface Shown {
  readonly role: string;
  readonly dims: readonly number[];
  readonly file?: string;
}

const DIGITS = 9;

/** A headline, the loss or what sums up many, and the shapes. */
export function lossText(headline: string, loss: number | Float32Array, shapes: readonly Shown[]): string {
  const values = typeof loss === "number" ? [["loss", loss.toPrecision(DIGITS)]] : summary(loss);
  const lines = [...values, ...shapes.map(({ role, dims, file }) => [role, shape(dims, file)])];
  const width = Math.max(...lines.map(([label]) => label.length));
  return [headline, ...lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`), ""].join("\n");
}

/** The same for programs; null stands for what is no finite number. */
export function lossLine(
  name: string,
  reduction: string,
  loss: number | Float32Array,
  shapes: readonly Shown[],
): string {
  const dims = Object.fromEntries(shapes.map(({ role, dims }) => [role, dims]));
  const values = typeof loss === "number" ? loss : [...loss];
  return `${printableJson({ name, reduction, loss: values, shapes: dims })}\n`;
}

/** NaN among the losses is NaN here. */
function summary(losses: Float32Array): string[][] {
  const sum = losses.reduce((a, b) => a + b, 0);
  const lowest = losses.reduce((a, b) => Math.min(a, b), losses[0] ?? NaN);
  const highest = losses.reduce((a, b) => Math.max(a, b), losses[0] ?? NaN);
  const numbers = [["min", lowest], ["mean", sum / losses.length], ["max", highest]] as const;
  return [["count", String(losses.length)], ...numbers.map(([label, value]) => [label, value.toPrecision(DIGITS)])];
}

function shape(dims: readonly number[], file: string | undefined): string {
  return `(${dims.join(", ")})${file === undefined ? "" : ` in ${printable(file)}`}`;
}
