/**
 * Heads whose rows are detections or queries: they stand on no grid, and the outputs say how many there are.
 */
import type { HeadSpec } from "../types.ts";
import { tensorAnywhere } from "../validate.ts";
import { attachmentsOf, channelsOf } from "./channels.ts";
import type { GivenTensor, NamedRole } from "./given.ts";
import { type Level, levelsOf } from "./levels.ts";
import { readingsOf } from "./readings.ts";

/** Are rows detections, or queries, and no anchors of a grid? */
export function isListed({ selection = "dense" }: Pick<HeadSpec, "selection">): boolean {
  return selection !== "dense";
}

/** Levels of the grid; or one, of as many rows as the tensors have. */
export function levelsIn(
  head: HeadSpec,
  imageSize: readonly [number, number],
  given: readonly GivenTensor[],
): readonly Level[] {
  if (!isListed(head)) return levelsOf(head, imageSize);
  const shapes = given.filter(({ role }) => role !== "prototypes").map(({ place, value, role }) => {
    return tensorAnywhere(place, value, (length) => bareShape(head, role, length)).dims;
  });
  return levelOfRows(head, shapes);
}

/** One level of as many rows as every tensor can have. */
export function levelOfRows(head: HeadSpec, shapes: readonly (readonly number[])[]): readonly Level[] {
  const possible = possibleWidths(head);
  // Prototypes of masks are no rows.
  const flat = shapes.filter(({ length }) => length < 4);
  const listed = (head.maskCoefficients ?? 0) > 0 && flat.length > 0 ? flat : shapes;
  const counts = listed.map((dims) =>
    readingsOf(dims, head).filter(({ channels }) => possible.includes(channels)).map(({ anchors }) => anchors)
  );
  const [first = []] = counts;
  const anchors = first.find((count) => counts.every((each) => each.includes(count))) ?? first[0] ?? 0;
  return [{ stride: 1, width: anchors, height: 1, firstAnchor: 0, anchors }];
}

/** Channels of a role, of all, or of all but attachments that are apart. */
function possibleWidths(head: HeadSpec): number[] {
  const widths = channelsOf(head);
  const attached = attachmentsOf(head).map((role) => widths.get(role) ?? 0);
  const all = [...widths.values()].reduce((sum, width) => sum + width);
  const joined = attached.reduce((sums, width) => [...sums, ...sums.map((sum) => sum - width)], [all]);
  return [...widths.values(), ...joined];
}

/** A bare array has the rows of one image: of the role's channels, or of all. */
function bareShape(head: HeadSpec, role: NamedRole | null, length: number): number[] {
  const roles: ReadonlyMap<NamedRole | null, number> = channelsOf(head);
  const width = roles.get(role) ?? [...roles.values()].reduce((sum, channels) => sum + channels);
  return head.layout === "rows" ? [length / width, width] : [width, length / width];
}
