/**
 * The tensors among what a network gave: one, a list, by role, or by the names that a session gives them.
 */
import type { Outputs, TensorLike } from "../types.ts";
import { describe, listOf, type Place, typeError } from "../validate.ts";
import type { Role } from "./channels.ts";

const ROLES: ReadonlySet<string> = new Set(
  [
    "classes",
    "boxes",
    "objectness",
    "maskCoefficients",
    "keypoints",
    "angles",
    "rows",
    "prototypes",
  ] satisfies NamedRole[],
);

/** What a name says that a tensor holds: a role, with "rows" all that no other name says, or what masks are made of. */
export type NamedRole = Role | "rows" | "prototypes";

/** A tensor as it was passed: where, and the role that its name says. */
export interface GivenTensor {
  readonly place: Place;
  readonly value: TensorLike;
  readonly role: NamedRole | null;
}

/** Every tensor, in the order given. */
export function tensorsIn(place: Place, outputs: Outputs): GivenTensor[] {
  const found = everyTensor(place, outputs);
  if (found.length > 0) return found;
  throw typeError(place, describe(outputs), "a tensor, a list of tensors, {classes, boxes}, or what session.run gives");
}

function everyTensor(place: Place, outputs: unknown): GivenTensor[] {
  if (typeof outputs !== "object" || outputs === null) return [];
  if (Array.isArray(outputs) || isTensor(outputs)) return several(place, outputs, null);
  return Object.entries(outputs).filter(([, value]) => value !== undefined).flatMap(([name, value]) => {
    const role = ROLES.has(name) ? name as NamedRole : null;
    const member = /^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    return several({ op: place.op, argument: `${place.argument}${member}` }, value, role);
  });
}

/** One tensor, or a list of them. */
function several(place: Place, value: unknown, role: NamedRole | null): GivenTensor[] {
  const tensors = listOf(value) ?? [value];
  return tensors.map((tensor, i) => ({
    place: tensors.length === 1 ? place : { op: place.op, argument: `${place.argument}[${i}]` },
    value: tensor as TensorLike,
    role,
  }));
}

/** A typed array, or an object with a shape or data of its own; an object of tensors may have one by either name. */
function isTensor(value: object): boolean {
  if (ArrayBuffer.isView(value) || "gpuBuffer" in value || ("data" in value && "dims" in value)) return true;
  if ("dims" in value && (typeof value.dims !== "object" || Array.isArray(value.dims))) return true;
  return "data" in value && (Array.isArray(value.data) || ArrayBuffer.isView(value.data));
}
