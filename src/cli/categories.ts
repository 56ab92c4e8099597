/**
 * The classes of a network and the categories of a data set.
 */
import { UsageError } from "./errors.ts";
import type { NetworkFile } from "./network.ts";
import type { Category, CocoFile } from "./readers/coco.ts";
import type { ImageResult } from "./result.ts";
import { typedName } from "./preset_names.ts";

/**
 * For each class the place of its category among the data set's: the one of its name; where names do not tell, and there are
 * as many of both, the one at its place by id.
 */
export function categoriesOf(
  categories: readonly Category[],
  numClasses: number,
  classes: readonly string[] | undefined,
): readonly number[] {
  const names = categories.map(({ name }) => name);
  const byName = classes?.map((name) => names.indexOf(name)) ?? [];
  const apart = new Set(byName).size === byName.length;
  if (byName.length > 0 && apart && !byName.includes(-1)) return byName;
  const known = byName.filter((place) => place >= 0);
  const inOrder = byName.every((place, i) => place < 0 || place === i);
  if (numClasses === categories.length && inOrder) return categories.map((_, i) => i);
  if (known.length === 0) {
    throw new UsageError(`the head has ${numClasses} classes here; --gt has ${categories.length} categories`);
  }
  const odd = classes?.find((_, i) => byName[i] < 0) ?? classes?.find((_, i) => byName.indexOf(byName[i]) < i);
  throw new UsageError(`class ${odd} has no category of its own in --gt, which has ${names.slice(0, 8).join(", ")} …`);
}

/** What a network's classes are called, and which categories they are. */
export function kindsOf(
  { chosen: { head }, classes }: Pick<NetworkFile, "chosen" | "classes">,
  truth: CocoFile | undefined,
  asked: readonly number[] | undefined,
): Pick<ImageResult, "classes" | "categories" | "categoryIds"> {
  const places = truth && categoriesOf(truth.categories, head.numClasses, classes);
  const categories = places?.map((place) => (truth as CocoFile).categories[place]);
  const categoryIds = asked ?? categories?.map(({ id }) => id);
  if (categoryIds !== undefined && categoryIds.length !== head.numClasses) {
    const wanted = `head ${typedName(head.name)} has ${head.numClasses} classes`;
    throw new UsageError(`--category-ids has ${categoryIds.length} ids; ${wanted}`);
  }
  const names = classes ?? categories?.map(({ name }, i) => name ?? String(i));
  return { classes: names, categories: categories ?? [], categoryIds };
}
