/**
 * What may stand behind the classes of outputs: mask coefficients, keypoints or an angle.
 */
import type { HeadOptions, HeadSpec } from "../types.ts";
import { attachmentsOf, channelsOf, widthOf } from "./channels.ts";
import type { AttachedExport, HeadExport } from "./presets.ts";
import { isTogether, type Question } from "./question.ts";
import { readingsOf } from "./readings.ts";

/**
 * Changes to the export's head, each with another attachment, and none first. Prototypes prove masks, a name its role, and a
 * width with the number of classes what is left of it; of decoded rows alone, widths that networks usually have.
 */
export function possibleAttachments(
  { attached, decoded }: HeadExport,
  base: HeadSpec,
  question: Question,
): HeadOptions[] {
  const none: HeadOptions[] = attached?.always ? [] : [{}];
  if (attached === undefined) return none;
  const named = ofNames(attached, base, question);
  if (named.length > 0) return named;
  const { numClasses } = question;
  const left = numClasses === undefined ? [] : widthsLeft(base, question, numClasses);
  const others = numClasses !== undefined
    ? left.flatMap((channels) => ofWidth(attached, channels))
    : decoded
    ? usual(attached)
    : [];
  const masks = [...prototypeChannels(question)].map((maskCoefficients) => ({ maskCoefficients }));
  const all = [...none, ...others, ...masks];
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
}

/** Whether the outputs may be without the prototypes that masks of the head need: they are where a tensor can be them. */
export function mayLackPrototypes({ maskCoefficients = 0 }: HeadSpec, question: Question): boolean {
  return maskCoefficients === 0 || !prototypeChannels(question).has(maskCoefficients);
}

/** Every number of channels that prototypes among the tensors can have: the other axes are of the image's form, or of a square. */
export function prototypeChannels({ given, shapes, imageSize = [1, 1] }: Question): ReadonlySet<number> {
  const [high, wide] = imageSize;
  const isImage = (height: number, width: number) => Math.abs(height * wide - width * high) <= Math.max(high, wide);

  return new Set(
    shapes.flatMap((dims, i) => {
      const { role } = given[i];
      const isOne = role === "prototypes" || (role === null && given.length > 1 && dims.length === 4);
      if (!isOne) return [];
      const [a, b, c] = dims.slice(-3);
      const [first, last] = [isImage(b, c), isImage(a, b)];
      const found = first === last ? [a, c] : first ? [a] : [c];
      return found.filter((channels) => channels > 1);
    }),
  );
}

/** As the names of tensors say. */
function ofNames(attached: AttachedExport, base: HeadSpec, { given, shapes }: Question): HeadOptions[] {
  const i = given.findIndex(({ role }) => role === "maskCoefficients" || role === "keypoints" || role === "angles");
  if (i < 0) return [];
  const widths = [...new Set(readingsOf(shapes[i], base).map(({ channels }) => channels))];
  switch (given[i].role) {
    case "angles":
      return (attached.angles ?? []).map((angle) => ({ angle }));
    case "keypoints":
      return widths.flatMap((channels) => keypointsOf(attached, channels));
    default:
      return widths.map((maskCoefficients) => ({ maskCoefficients }));
  }
}

/** Whole bodies have 133 keypoints of three values. */
const MOST_LEFT = 3 * 133;

/** Channels that the classes and boxes leave of a tensor, or that a tensor of its own has. */
function widthsLeft(base: HeadSpec, question: Question, numClasses: number): number[] {
  const widths = question.shapes.flatMap((dims) => readingsOf(dims, base)).map(({ channels }) => channels);
  const own = [...channelsOf({ ...base, numClasses }).values()].reduce((sum, channels) => sum + channels);
  // One in a tensor of its own may be a sum of scores.
  const apart = question.shapes.length > 1 ? widths.filter((width) => width > 1) : [];
  const left = isTogether(base, question.given) ? [...widths.map((width) => width - own), ...apart] : apart;
  return [...new Set(left.filter((channels) => channels > 0 && channels <= MOST_LEFT))];
}

/** Networks have a multiple of so many mask coefficients. */
const COEFFICIENTS = 8;

/** Everything of a family that so many channels can be. */
function ofWidth(attached: AttachedExport, channels: number): HeadOptions[] {
  if (channels === 1) return (attached.angles ?? []).map((angle) => ({ angle }));
  const masks = channels % COEFFICIENTS === 0 ? [{ maskCoefficients: channels }] : [];
  return [...masks, ...keypointsOf(attached, channels)];
}

function keypointsOf({ keypoints = [] }: AttachedExport, channels: number): HeadOptions[] {
  return keypoints.flatMap((coding) =>
    ([3, 2] as const).filter((dims) => channels % dims === 0).map((dims) => ({
      keypoints: { count: channels / dims, dims, coding },
    }))
  );
}

/** Channels of an angle, of 32 mask coefficients, of 17 keypoints of three values. */
const USUAL = [1, 32, 51];

function usual(attached: AttachedExport): HeadOptions[] {
  const [, masks, pose] = USUAL;
  return [...ofWidth(attached, 1), { maskCoefficients: masks }, ...keypointsOf(attached, pose)];
}

/** Has the head as many channels behind its classes as networks usually have? */
export function isUsualWidth(head: HeadSpec): boolean {
  return USUAL.includes(widthOf(head, attachmentsOf(head)));
}
