/**
 * Things by name, in a Map or an object.
 */
import { describe, typeError } from "../validate.ts";

/** Something by name. */
export type Named<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** The pairs of a Map or an object. */
export function entriesOf<T>(op: string, argument: string, named: Named<T>): [string, T][] {
  if (typeof named !== "object" || named === null || Array.isArray(named)) {
    throw typeError({ op, argument }, describe(named), "an object or a Map");
  }
  const isMap = Object.prototype.toString.call(named) === "[object Map]";
  return isMap ? [...named as ReadonlyMap<string, T>] : Object.entries(named);
}
