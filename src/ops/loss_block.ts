/**
 * The parameter block of the loss kernels: a loss's call in linear memory. These tables are its one definition: the build writes
 * the AssemblyScript classes from them (assembly/generated/loss_blocks.ts), and the caller fills the block by their offsets.
 */
import { doc } from "../doc.ts";

export type FieldType = "f32" | "f64" | "i32" | "usize";

/** Fields in their order in memory, each with its type and its meaning. */
export type Fields = Readonly<Record<string, readonly [type: FieldType, text: string]>>;

/** A loss's own fields. */
export type OwnFields = Readonly<Record<string, readonly [type: "f32" | "i32", text: string]>>;

/** Fields of every loss. */
export const CALL_FIELDS = {
  sum: ["f64", doc`Sum of the values so far, weights included.`],
  pred: ["usize", doc`Predictions.`],
  target: ["usize", doc`Dense targets, or 0: labels.`],
  labels: ["usize", doc`Label of each row, or 0.`],
  scores: ["usize", doc`Quality of each label, or 0: 1.`],
  weight: ["usize", doc`Weights, or 0.`],
  weightKind: ["i32", doc`0: no weights, 1: one for each element, 2: one for each row.`],
  values: ["usize", doc`Values out, by element or (labels) by row, or 0.`],
  grad: ["usize", doc`Gradients out, by element, or 0.`],
  count: ["i32", doc`Elements, a multiple of 'columns'.`],
  columns: ["i32", doc`Elements of a row.`],
  first: [
    "i32",
    doc`First element of an element loss: a block begins there; elements before it need not be in memory.`,
  ],
  factor: ["f32", doc`Factor of values and of gradients that leave.`],
} as const satisfies Fields;

/** Further fields of the element losses, which have a power in them. */
export const ELEMENT_FIELDS = {
  power: ["f64", doc`The exponent, not rounded: the power of a small base would show it.`],
  exponent: ["f32", doc`The exponent.`],
  exponentKind: ["i32", doc`0, 1, 2 and 3: the exponent is 0, 1, 1.5 or 2; 4: any other.`],
  reach: ["f32", doc`|x| from which exp(-|x|) alone makes a loss that is no normal number.`],
  near: ["f32", doc`|x| up to which nothing of the loss is infinite or a denormal.`],
} as const satisfies Fields;

/** A field's place in the block. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** In bytes. */
  readonly offset: number;
}

/** The block of a loss. */
export interface BlockLayout {
  readonly bytes: number;
  /** The loss's own fields. */
  readonly own: readonly Field[];
}

/** The block of a loss with these tables, of which the last has its own fields. */
export function blockLayout(...tables: readonly Fields[]): BlockLayout {
  const fields = layOut(...tables);
  const end = Math.max(...fields.map(({ offset }) => offset)) + 8;
  const own = Object.keys(tables[tables.length - 1]).length;
  return { bytes: Math.ceil(end / 8) * 8, own: fields.slice(fields.length - own) };
}

/** The places of fields, in the order of the tables, each aligned to its own size, as AssemblyScript lays out a class. */
export function layOut(...tables: readonly Fields[]): readonly Field[] {
  let end = 0;
  return tables.flatMap((table) => Object.entries(table)).map(([name, [type]]) => {
    const bytes = type === "f64" ? 8 : 4;
    const offset = Math.ceil(end / bytes) * bytes;
    end = offset + bytes;
    return { name, type, offset };
  });
}

/** The name of a loss's class. */
export function blockClass(stem: string): string {
  return stem.replaceAll(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase()) + "Block";
}
