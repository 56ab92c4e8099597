/**
 * Which head made some outputs, by their shapes and, where those leave it open, by their values.
 */

import type { HeadOptions, HeadSpec, InferHints, Outputs } from "../types.ts";
import {
  describe,
  elementsOf,
  integer,
  known,
  namesOf,
  shapeOf,
  size,
  tensorAnywhere,
  typeError,
} from "../validate.ts";
import { attachmentsOf, boxChannels, channelsOf, hasObjectness, widthOf } from "./channels.ts";
import { checkStrides, makeHead } from "./check.ts";
import { type GivenTensor, tensorsIn } from "./given.ts";
import { anchorsIn, type Level, levelsOf } from "./levels.ts";
import { isUsualWidth, mayLackPrototypes, possibleAttachments, prototypeChannels } from "./infer_attachments.ts";
import { otherBins } from "./infer_bins.ts";
import { isListed, levelOfRows } from "./listed_rows.ts";
import { misses } from "./misses.ts";
import { describeDetections, MOST_LISTED, type ResolvedOutputs, resolveTensors } from "./outputs.ts";
import { type HeadExport, type PresetName, presetNames, presets } from "./presets.ts";
import { isTogether, type Question } from "./question.ts";
import { readingsOf } from "./readings.ts";
import { possibleSizes } from "./sizes.ts";
import { attachmentFault, boxValues, hasDetections, type ScoreValues, scoreValues } from "./values.ts";

const op = "heads.infer";

const HINTS = namesOf<InferHints>({ imageSize: true, numClasses: true, strides: true });

/** An export and the preset that it is of. */
interface FamilyExport extends HeadExport {
  readonly preset: PresetName;
}

const familyExports: readonly FamilyExport[] = presetNames.flatMap((preset) => {
  return presets[preset].exports.map((each) => ({ preset, ...each }));
});

/** A head that fits; `unusual` where the family's own exports are not so. */
interface Candidate {
  readonly head: HeadSpec;
  readonly unusual: boolean;
}

/** What an export makes of the outputs. */
interface Answer {
  readonly candidates: readonly Candidate[];
  /** Why none fits. */
  readonly missed: string;
}

/** See `Heads.infer`. */
export function infer(outputs: Outputs, hints: InferHints = {}): HeadSpec {
  const question = ask(outputs, hints);
  const { heads, others, answers } = answer(question);
  if (heads.length === 1 && others.length === 0) return heads[0];
  const got = `${op}: outputs of shape ${question.shapes.map(shapeOf).join(", ")}${told(question)}`;
  if (heads.length + others.length > 0) {
    throw new TypeError(`${got} fit ${listed(heads, others)}; wanted ${untold(question)}one of these heads by name`);
  }
  const unused = findUnused(question);
  if (unused !== null) throw new TypeError(`${got} fit no preset; wanted ${unused}`);
  const missed = answers.map(({ missed }, i) => `\n  ${nameOf(familyExports[i])}: ${missed}`).join("");
  throw new TypeError(`${got} fit no preset; wanted one of these, each with what it misses:${missed}`);
}

/** Every reading of outputs: heads that fit, other readings in words, and why the rest does not fit. */
export interface Readings {
  readonly heads: readonly HeadSpec[];
  readonly others: readonly string[];
  readonly missed: readonly { readonly name: string; readonly why: string }[];
}

/** What `heads.infer` weighs. */
export function weighHeads(outputs: Outputs, hints: InferHints): Readings {
  const { heads, others, answers } = answer(ask(outputs, hints));
  const missed = answers.map(({ missed }, i) => ({ name: nameOf(familyExports[i]), why: missed }));
  return { heads, others, missed: missed.filter(({ why }) => why !== "") };
}

function ask(outputs: Outputs, hints: InferHints): Question {
  const place = (argument: string) => ({ op, argument });
  if (typeof hints !== "object" || hints === null) throw typeError(place("hints"), describe(hints), "an object");
  known(op, "hints", hints, HINTS);
  const { imageSize, numClasses, strides } = hints;
  const given = tensorsIn(place("outputs"), outputs);
  return {
    given,
    shapes: given.map(shapeFrom),
    imageSize: imageSize === undefined ? undefined : [...size(place("hints.imageSize"), imageSize)] as [number, number],
    numClasses: numClasses === undefined ? undefined : integer(place("hints.numClasses"), numClasses, 1),
    strides: strides === undefined ? undefined : [...checkStrides(place("hints.strides"), strides)],
  };
}

/** The dims of a tensor that has values for them. */
function shapeFrom({ place, value }: GivenTensor): readonly number[] {
  const { dims } = tensorAnywhere(place, value, () => []);
  if (dims.length === 0) {
    throw typeError(place, describe(value), "tensors with dims: a bare array has no shape to infer from");
  }
  if (elementsOf(dims) === 0) throw typeError(place, `of shape ${shapeOf(dims)}`, "a tensor with elements");
  return dims;
}

/** What fits the outputs. */
interface Fitting {
  readonly heads: readonly HeadSpec[];
  readonly others: readonly string[];
  readonly answers: readonly Answer[];
}

/** As the families export, and with other bins and levels where that fits nothing. */
function answer(question: Question): Fitting {
  const exported = fitting(question, variants);
  if (exported.heads.length + exported.others.length > 0) return exported;
  return { ...exported, heads: fitting(question, otherBins).heads };
}

/** Heads that fit: the only one of a usual export, or all. */
function fitting(question: Question, headsOf: typeof variants): Fitting {
  const answers = familyExports.map((each) => tryExport(each, question, headsOf));
  const candidates = answers.flatMap((each) => each.candidates);
  const usual = candidates.filter(({ unusual }) => !unusual);
  const heads = (usual.length === 1 ? usual : candidates).map(({ head }) => head);
  const listed = heads.some(({ selection }) => selection === "selected");
  return { heads, others: listed ? [] : detections(question), answers };
}

/** Rows of box, score and class say nothing of the classes, and look like a head of two. */
function detections({ shapes, numClasses }: Question): string[] {
  const [dims, ...rest] = shapes.toSorted((a, b) => a.length - b.length);
  // Prototypes may stand beside them.
  if (numClasses !== undefined || rest.some(({ length }) => length < 4)) return [];
  const words = describeDetections(dims);
  const isPlain = dims[dims.length - 1] === 6;
  if (words !== null) return [`${isPlain ? "yolov10" : "yolo26"} with any number of classes: ${words}`];
  const rowsOfSix = dims.length > 1 && dims.length < 4 && isPlain;
  return rowsOfSix ? ["yolov10 with any number of classes, where rows are detections already (box, score, class)"] : [];
}

// ── One export ──────────────────────────────────────────────────────────────────

function tryExport(each: FamilyExport, question: Question, headsOf: typeof variants): Answer {
  const { anchors, strides } = { ...presets[each.preset].head, ...each.changes };
  if (anchors !== undefined && question.strides !== undefined && question.strides.length !== strides.length) {
    return { candidates: [], missed: `its anchors are of strides ${strides.join(", ")}` };
  }
  const base = makeHead(each.preset, { ...each.changes, ...(question.strides && { strides: question.strides }) });
  const byName = question.given.some(({ role }) => role === "classes" || role === "boxes" || role === "objectness");
  if (byName && base.channelOrder !== "separate") {
    return { candidates: [], missed: "wants classes and boxes in one tensor" };
  }
  const found = headsOf(each, base, question).flatMap((head) => {
    const resolved = resolve(head, question);
    return resolved !== null && hasItsPrototypes(head, resolved, question) ? [{ head, resolved }] : [];
  });
  const tried = found.map(({ head, resolved }) => weigh(each, base, head, resolved));
  const candidates = tried.flatMap((result) => typeof result === "string" ? [] : result);
  const fault = tried.find((result) => typeof result === "string");
  return { candidates, missed: candidates.length > 0 ? "" : fault ?? missedBy(each, base, question) };
}

/** Prototypes have a place for each few pixels: 3 for each of a YOLO's anchors, 12 or 49 where they are finer. */
const MOST_PLACES = 64;

/** Are prototypes there where the outputs have any, and are they of the anchors' image? */
function hasItsPrototypes(head: HeadSpec, { parts, prototypes }: ResolvedOutputs, question: Question): boolean {
  if (prototypes === null) return mayLackPrototypes(head, question);
  const anchors = parts.reduce((sum, part) => sum + part.anchors, 0);
  return isListed(head) || prototypes.height * prototypes.width <= MOST_PLACES * anchors;
}

/** Why the export does not fit; prototypes beside it say how many mask coefficients it would have. */
function missedBy(each: FamilyExport, base: HeadSpec, question: Question): string {
  const [maskCoefficients] = prototypeChannels(question);
  if (each.attached === undefined || maskCoefficients === undefined) return misses(base, question, resolves);
  const isRest = (_: unknown, i: number) => question.given[i].role !== "prototypes" && question.shapes[i].length < 4;
  const rest = { ...question, given: question.given.filter(isRest), shapes: question.shapes.filter(isRest) };
  return rest.given.length === 0
    ? misses(base, question, resolves)
    : misses({ ...base, maskCoefficients }, rest, resolves);
}

function resolves(head: HeadSpec, question: Question): boolean {
  return resolve(head, question) !== null;
}

/** The outputs as the head has them, for the image size of the hints or any that is possible. */
function resolve(head: HeadSpec, { given, shapes, imageSize }: Question): ResolvedOutputs | null {
  for (const levels of possibleLevels(head, shapes, imageSize)) {
    if (!canFit(head, levels, given, shapes)) continue;
    try {
      return resolveTensors({ op, argument: "outputs" }, given, head, levels);
    } catch {
      // The next size may fit.
    }
  }
  return null;
}

/** Of the image size, or of every size that is possible; networks list few rows. */
function possibleLevels(
  head: HeadSpec,
  shapes: Question["shapes"],
  imageSize: Question["imageSize"],
): (readonly Level[])[] {
  if (isListed(head)) {
    const levels = levelOfRows(head, shapes);
    const rows = anchorsIn(levels);
    const masks = head.maskCoefficients !== undefined;
    // They have no height and width; prototypes of masks have.
    const isFlat = shapes.every((dims) => dims.length > 3 ? masks : dims[dims.length - 2] === rows);
    return isFlat && rows <= MOST_LISTED ? [levels] : [];
  }
  const sizes = imageSize === undefined ? possibleSizes(head, shapes) : [imageSize];
  return sizes.map((size) => levelsOf(head, size));
}

/** Has every tensor channels and anchors that the head knows? Cheaper than the errors that tell. */
function canFit(
  head: HeadSpec,
  levels: readonly Level[],
  given: readonly GivenTensor[],
  shapes: Question["shapes"],
): boolean {
  // They may stand apart in many ways.
  if (attachmentsOf(head).length > 0) return true;
  const widths = [...channelsOf(head).values()];
  const inOne = widths.reduce((sum, width) => sum + width);
  const together = isTogether(head, given);
  const extents = [anchorsIn(levels), ...levels.map(({ anchors }) => anchors)];
  return shapes.every((dims) =>
    readingsOf(dims, head).some(({ channels, anchors }) =>
      (together ? channels === inOne : widths.includes(channels)) && extents.includes(anchors)
    )
  );
}

/** The export's head with every number of classes, levels and bins that the shapes could mean. */
function variants(each: FamilyExport, base: HeadSpec, question: Question): HeadSpec[] {
  const widths = widthsOf(base, question);
  const levels = question.strides !== undefined
    ? [base.strides]
    : [base.strides, ...each.strides ?? [], ...(each.levels === "free" ? levelsIn(question, base) : [])];
  // More than the preset has nobody trains, and 80 classes would be 20 bins.
  const fewer = widths.map((width) => width / 4).filter((n) => Number.isInteger(n) && n > 1 && n < base.bins);
  const bins = [base.bins, ...(each.freeBins ? new Set(fewer) : [])];
  const heads = levels.flatMap((strides) => bins.map((n) => ({ ...base, strides, bins: n })));
  const attached = possibleAttachments(each, base, question);
  return heads.flatMap((head) =>
    attached.flatMap((changes) => {
      const turned = changes.angle === undefined ? {} : presets[each.preset].rotated;
      const own = { ...head, ...turned, ...changes };
      return classCounts(own, widths, question).map((numClasses) => ({ ...own, numClasses }));
    })
  );
}

/** Every number of channels that the shapes could mean. */
function widthsOf(head: HeadSpec, { shapes }: Question): number[] {
  return [...new Set(shapes.flatMap((dims) => readingsOf(dims, head)).map(({ channels }) => channels))];
}

/** Levels of powers of two whose maps these are, where that differs from the preset's. */
function levelsIn({ shapes, imageSize }: Question, base: HeadSpec): (readonly number[])[] {
  if (imageSize === undefined) return [];
  const possible = levelsOf({ strides: [2, 4, 8, 16, 32, 64, 128, 256] }, imageSize);
  const counts = new Set(shapes.flatMap((dims) => readingsOf(dims, base)).map(({ anchors }) => anchors));
  const strides = possible.filter(({ anchors }) => counts.has(anchors)).map(({ stride }) => stride);
  return strides.length === 0 || strides.join() === base.strides.join() ? [] : [strides];
}

/** Channels of any tensor, less the box and objectness channels where they share one. */
function classCounts(head: HeadSpec, widths: readonly number[], { given, shapes, numClasses }: Question): number[] {
  if (numClasses !== undefined) return [numClasses];
  // Anchors that are read as channels would be more classes than there are anchors then.
  const most = Math.max(...shapes.flatMap((dims) => readingsOf(dims, head)).map(({ anchors }) => anchors));
  // A detection's channels do not tell.
  if (head.selection === "selected") return [];
  const boxes = boxChannels(head);
  const { unusedClasses = 0 } = head;
  const background = head.scores === "softmax" ? 1 : 0;
  if (isTogether(head, given)) {
    const others = boxes + (hasObjectness(head) ? 1 : 0) + unusedClasses + background;
    const attached = widthOf(head, attachmentsOf(head));
    const counts = widths.flatMap((w) => attached > 0 ? [w - others, w - others - attached] : [w - others]);
    return [...new Set(counts)].filter((n) => n > 0 && n <= most);
  }
  const ofClasses = widths.every((w) => w === boxes) ? [boxes] : widths.filter((w) => w !== boxes);
  return ofClasses.map((w) => w - unusedClasses - background).filter((n) => n > 0);
}

/** The head with the scores that its values prove, once for each kind where nothing does; or why it cannot be. */
function weigh(each: FamilyExport, base: HeadSpec, head: HeadSpec, resolved: ResolvedOutputs): Candidate[] | string {
  const { are, range } = scoreValues(resolved, head.selection === "selected" ? 1 : Infinity);
  const known = each.scores ?? [base.scores];
  // Strides of the hints are as unusual as they are for the family.
  const levels = [presets[each.preset].head.strides, ...each.strides ?? []].map(String);
  const unusual = each.unusual === true || head.bins !== base.bins || !levels.includes(String(head.strides)) ||
    (head.anchors !== undefined && isJoined(head, resolved)) ||
    (attachmentsOf(head).length > 0 && resolved.prototypes === null && !isUsualWidth(head));
  const { fault: ofBoxes, shares } = boxValues(head, resolved);
  const fault = ofBoxes ?? attachmentFault(head, resolved);
  if (each.decoded && are === "logits") return `scores are ${range}, and its export has probabilities`;
  if (fault !== null) return fault;
  if (each.decoded) {
    if (head.selection === "selected" && !(isProven(head, resolved, are) && hasDetections(head, resolved))) {
      return "rows are not box, score and class";
    }
    return [{ head: shares ? { ...head, boxUnit: "image" } : head, unusual }];
  }
  if (are === "unknown") return known.map((scores) => ({ head: { ...head, scores }, unusual }));
  // A softmax of probabilities would be none.
  const scores = are === "alike" || (base.scores === "softmax" && are === "logits") ? known[0] : are;
  const isOther = !known.includes(scores);
  if (isOther && attachmentsOf(head).length > 0) return `scores are ${range}, and its export has ${known.join(" or ")}`;
  return [{ head: { ...head, scores }, unusual: unusual || isOther }];
}

/** Channels beyond score and class are what networks have, or the values are those of detections. */
function isProven(head: HeadSpec, { prototypes }: ResolvedOutputs, are: ScoreValues["are"]): boolean {
  return attachmentsOf(head).length === 0 || isUsualWidth(head) || prototypes !== null || are === "probabilities";
}

/** Is one tensor of several levels? No export of maps with anchors is so. */
function isJoined({ strides }: HeadSpec, { parts }: ResolvedOutputs): boolean {
  if (parts.length === 1) return strides.length > 1;
  return parts.some(({ classes: { anchors, allAnchors } }) => allAnchors > anchors);
}

// ── Words ───────────────────────────────────────────────────────────────────────

function told({ imageSize, numClasses, strides }: Question): string {
  const hints = [
    ...(imageSize === undefined ? [] : [`image size ${imageSize.join("×")}`]),
    ...(numClasses === undefined ? [] : [counted(numClasses, "class")]),
    ...(strides === undefined ? [] : [`strides ${strides.join(", ")}`]),
  ];
  return hints.length === 0 ? "" : ` with ${hints.join(" and ")}`;
}

/** Hints that could still narrow the choice. */
function untold({ imageSize, numClasses, strides }: Question): string {
  const left = Object.entries({ numClasses, imageSize, strides }).filter(([, hint]) => hint === undefined);
  return left.length === 0 ? "" : `${left.map(([name]) => name).join(" or ")} in hints, or `;
}

function listed(heads: readonly HeadSpec[], others: readonly string[]): string {
  return [...heads.map(describeHead), ...others].join(", ");
}

function counted(count: number, what: "class" | "channel"): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}${what === "class" ? "es" : "s"}`;
}

/** "nanodet with 80 classes", and what is not as the preset has it. */
export function describeHead(head: HeadSpec): string {
  const usual = makeHead(head.name as PresetName);
  const changed = (Object.keys(head) as (keyof HeadSpec)[])
    .filter((member) => member !== "numClasses" && String(head[member]) !== String(usual[member]))
    .map((member) => `${member}: ${JSON.stringify(head[member])?.replaceAll(",", ", ")}`);
  const words = `${head.name} with ${counted(head.numClasses, "class")}`;
  return changed.length === 0 ? words : `${words} { ${changed.join(", ")} }`;
}

/** "nanodet, class-first": an export in the list of what was missed. */
function nameOf({ preset: name, changes }: FamilyExport): string {
  const { boxes, channelOrder }: HeadOptions = changes ?? {};
  return [name, ...[boxes, channelOrder].filter((word) => word !== undefined)].join(", ");
}

/** Where leaving some tensors out leaves what fits, those and what that is; the smallest such. */
function findUnused(question: Question): string | null {
  const { given, shapes } = question;
  const widths = shapes.map((dims) => `${dims.length === 4 ? dims[1] : dims[dims.length - 1]} channels`);
  const kinds = [...new Set([...widths, ...shapes.map(String)])].map((kind) => {
    const of = given.map((_, i) => widths[i] === kind || String(shapes[i]) === kind);
    const elements = shapes.reduce((sum, dims, i) => of[i] ? sum + elementsOf(dims) : sum, 0);
    return { of, elements };
  });
  for (const { of } of kinds.sort((a, b) => a.elements - b.elements)) {
    if (!of.includes(false)) continue;
    const rest = { ...question, given: given.filter((_, i) => !of[i]), shapes: shapes.filter((_, i) => !of[i]) };
    const { heads, others } = fitting(rest, variants);
    if (heads.length + others.length === 0) continue;
    const unused = given.filter((_, i) => of[i]).map(({ place }) => place.argument).join(", ");
    return `them without ${unused}, which nothing uses: the rest fit ${listed(heads, others)}`;
  }
  return null;
}
