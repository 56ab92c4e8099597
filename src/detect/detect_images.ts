/**
 * From raw head tensors to detections. For each image: filter scores, expand classes, keep the best candidates, decode their
 * boxes, suppress, and only for what is left compute scores in float64. Another device may find the candidates instead.
 */
import { bestOfClasses } from "../best_of_classes.ts";
import { numberBefore } from "../float32.ts";
import { type Attachment, attachmentsOf, isRotated } from "../heads/channels.ts";
import { type Part, partsOnHost } from "../heads/outputs.ts";
import type { Detections, HeadSpec } from "../types.ts";
import type { WasmBackend } from "../wasm/backend.ts";
import { attachedValues } from "./attachments.ts";
import { boxColumns, decodeBoxes } from "./boxes.ts";
import type { ImageCandidates, RankedCandidates } from "./candidates.ts";
import { type CheckedDetect, op, type Settings } from "./checked_detect.ts";
import { distantMasks, maskArrays, masksOf } from "./detection_masks.ts";
import { type DetectionArrays, DetectionList } from "./detections.ts";
import { filterAnchors } from "./filter.ts";
import { stageListed } from "./from_gpu.ts";
import type { ImageRun } from "./image_run.ts";
import { decodeKeypoints } from "./keypoints.ts";
import { mapBack } from "./map_back.ts";
import { expandClasses } from "./multi_label.ts";
import { keepBest, rank } from "./rank.ts";
import { boxesAround, ROTATED, turnSides } from "./rotated.ts";
import { probability } from "./scores.ts";
import type { ListedCandidates, Searched, SearchedImage } from "./search.ts";
import { makeThresholds } from "./thresholds.ts";
import { float32Parts, selectedDetections } from "./selected.ts";
import { softmaxParts, softmaxSettings } from "./softmax.ts";
import { sideStatistics } from "./uncertainty.ts";

/** Outputs on the host, and the index of an image in them; or that image's candidates, listed by another device. */
interface Input {
  readonly parts: readonly Part[];
  readonly image: number;
  readonly listed: ListedCandidates | null;
}

/** The detections of one image, without what rows have beside box and class. */
interface FoundImage {
  readonly image: number;
  readonly settings: Settings;
  readonly input: Input;
  readonly arrays: DetectionArrays;
}

/** Float32 values (detections, channels) of a role. */
type AttachedOf = (role: Attachment) => Float32Array;

/**
 * The detections of one image at each step, from the outputs or from the results of a search; stops before an image once the
 * signal is aborted.
 */
export function* detectImages(
  backend: WasmBackend,
  checked: CheckedDetect,
  searched: readonly SearchedImage[] | null = null,
): Generator<Detections, void, void> {
  for (const found of findImages(backend, checked, searched)) {
    const arrays = finished(checked, found, (role) => hostValues(backend, checked, found, role));
    yield new DetectionList(arrays, masksOf(backend, checked, found.image, arrays));
  }
}

/** Likewise as plain data, which a worker can send. */
export function* detectArrays(backend: WasmBackend, checked: CheckedDetect): Generator<DetectionArrays, void, void> {
  for (const found of findImages(backend, checked, null)) {
    yield finished(checked, found, (role) => hostValues(backend, checked, found, role));
  }
}

/** Detections with attachments and prototypes that lie where the search was: what they need is read for all images at once. */
export async function withDistant(
  backend: WasmBackend,
  checked: CheckedDetect,
  searched: Searched,
  found: readonly FoundImage[],
): Promise<Detections[]> {
  const roles = distantRoles(checked);
  const requests = found.flatMap(({ image, input, arrays: { anchors } }) => {
    return input.listed === null ? [] : roles.map((role) => ({ image, role, anchors }));
  });
  const values = await searched.attached(requests);
  const answers = new Map(requests.map(({ image, role }, i) => [`${image} ${role}`, values[i]]));
  const arrays = found.map((each) =>
    finished(checked, each, (role) => {
      return answers.get(`${each.image} ${role}`) ?? hostValues(backend, checked, each, role);
    })
  );
  const masks = hasDistantPrototypes(checked)
    ? await distantMasks(backend, checked, searched, arrays)
    : arrays.map((each, image) => masksOf(backend, checked, image, each));
  return arrays.map((each, image) => new DetectionList(each, masks[image]));
}

/** Whether detections need what lies on another device. */
export function hasDistant(checked: CheckedDetect): boolean {
  return distantRoles(checked).length > 0 || hasDistantPrototypes(checked);
}

function hasDistantPrototypes({ prototypes }: CheckedDetect): boolean {
  return prototypes?.source.kind === "gpu";
}

/** Attachments of detections of which a tensor lies on another device. */
function distantRoles({ parts, settings: { head } }: CheckedDetect): Attachment[] {
  const isDistant = (role: Attachment) => parts.some((part) => part[role]?.source.kind === "gpu");
  return attachmentsOf(head).filter((role) => role !== "angles" && isDistant(role));
}

/** Each image's detections without attachments. */
export function* findImages(
  backend: WasmBackend,
  { images, parts, settings: given, signal }: CheckedDetect,
  searched: readonly SearchedImage[] | null,
): Generator<FoundImage, void, void> {
  const settings = given.head.scores === "softmax" ? softmaxSettings(given) : given;
  backend.memory.argumentsRead(op);
  const onHost = searched === null ? prepared(given.head, partsOnHost(op, parts), images) : [];
  for (let image = 0; image < images; image++) {
    signal?.throwIfAborted();
    const input = searched === null ? { parts: onHost, image, listed: null } : inputOf(searched[image], given.head);
    yield { image, settings, input, arrays: boxesOf(backend, settings, input) };
  }
}

function finished({ transforms }: CheckedDetect, found: FoundImage, attached: AttachedOf): DetectionArrays {
  const { image, settings, arrays } = found;
  return mapBack(transforms[image], withAttachments(settings, arrays, attached));
}

/** Of a role whose tensors are on the host: in the image's own outputs, or where its candidates were listed, in those of the call. */
function hostValues(
  backend: WasmBackend,
  checked: CheckedDetect,
  { image, input, arrays: { anchors } }: FoundImage,
  role: Attachment,
): Float32Array {
  const { parts } = checked as { readonly parts: readonly Part[] };
  const place = input.listed === null ? { parts: input.parts, image: input.image } : { parts, image };
  return attachedValues({ backend, ...place }, role, anchors);
}

/** Parts as the steps read them. */
function prepared(head: HeadSpec, parts: readonly Part[], images: number): readonly Part[] {
  if (head.scores === "softmax") return softmaxParts(parts, images);
  return head.selection === "selected" ? float32Parts(parts) : parts;
}

function inputOf(searched: SearchedImage, head: HeadSpec): Input {
  if ("parts" in searched) return { parts: prepared(head, searched.parts, 1), image: 0, listed: null };
  return { parts: [], image: 0, listed: searched };
}

function boxesOf(backend: WasmBackend, settings: Settings, { parts, image, listed }: Input): DetectionArrays {
  if (settings.head.selection === "selected") return selectedDetections(backend, settings, parts[0], image);
  return backend.memory.frame(op, (allocate) => {
    const run = { backend, allocate, settings, parts, image };
    return detectionsOf(run, listed === null ? findCandidates(run) : stageListed(run, listed));
  });
}

/** What the head has beside box and class, of the detections alone. Member by member: spreads would take 4 µs. */
function withAttachments(settings: Settings, arrays: DetectionArrays, attached: AttachedOf): DetectionArrays {
  const { masks, head } = settings;
  if (head.keypoints === undefined && !masks) return arrays;
  const { boxes, scores, classes, anchors, rotated, std, saturation, excess } = arrays;
  return {
    boxes,
    scores,
    classes,
    anchors,
    rotated,
    keypoints: head.keypoints && decodeKeypoints(settings, head.keypoints, anchors, attached("keypoints")),
    masks: masks ? maskArrays(arrays, attached("maskCoefficients")) : undefined,
    std,
    saturation,
    excess,
  };
}

function findCandidates(run: ImageRun): ImageCandidates {
  const thresholds = makeThresholds(run);
  const { multiLabel, classRules } = run.settings;
  const passed = filterAnchors(run, thresholds);
  return {
    list: multiLabel || classRules !== null ? expandClasses(run, passed, thresholds) : passed,
    thresholds,
    boxesOf: (candidates) => decodeBoxes(run, candidates),
    statisticsOf: (anchors) => sideStatistics(run, anchors),
    anglesOf: (anchors) => attachedValues(run, "angles", anchors),
  };
}

function detectionsOf(run: ImageRun, image: ImageCandidates): DetectionArrays {
  const candidates = keepBest(run, rank(run, image.list, image.thresholds));
  const boxes = image.boxesOf(candidates);
  return collect(run, image, candidates, boxes, suppress(run, candidates, boxes));
}

/** Indices of the kept candidates, best first. */
function suppress(run: ImageRun, candidates: RankedCandidates, boxes: number): Int32Array {
  const { backend, allocate, settings } = run;
  const { kernels, memory } = backend;
  const turned = isRotated(settings.head);
  const { count } = candidates;
  const order = allocate(count * 4);
  const keep = allocate(count * 4);
  const needed = turned ? kernels.rotated_nms_scratch(count) : kernels.nms_scratch(count);
  const scratch = allocate(Math.max(count * 16, needed));
  const sorted = kernels.sort_scores(candidates.ranks, count, NaN, order, scratch);
  const labels = settings.classAgnostic ? 0 : candidates.labels;
  const limit = Math.min(settings.maxDetections, count);
  if (settings.suppression === "none") return memory.ints.slice(order >> 2, (order >> 2) + Math.min(limit, sorted));
  const isFast = settings.suppression === "fast";
  if (isFast && settings.iouThreshold === 0) {
    const view = (pointer: number, length: number) => memory.view(Int32Array, pointer, length);
    const classes = labels === 0 ? null : view(labels, count);
    const columns = boxColumns(run);
    return bestOfClasses(
      memory.view(Float32Array, boxes, count * columns),
      columns,
      classes,
      view(order, sorted),
      limit,
    );
  }
  // By the threshold or more is over the number before it.
  const threshold = isFast ? numberBefore(settings.iouThreshold) : settings.iouThreshold;
  const probable = settings.rotatedOverlap === "probiou";
  const kept = turned
    ? kernels.rotated_nms(boxes, labels, order, sorted, count, threshold, probable, limit, scratch, keep, isFast)
    : kernels.nms(boxes, labels, order, sorted, threshold, limit, scratch, keep, isFast);
  return memory.ints.slice(keep >> 2, (keep >> 2) + kept);
}

function collect(
  run: ImageRun,
  { thresholds, statisticsOf, anglesOf }: ImageCandidates,
  candidates: RankedCandidates,
  boxes: number,
  keep: Int32Array,
): DetectionArrays {
  const { backend, settings } = run;
  const { floats, ints } = backend.memory;
  const columns = boxColumns(run);
  const placed = new Float32Array(keep.length * columns);
  const scores = new Float32Array(keep.length);
  const classes = new Int32Array(keep.length);
  const anchors = new Int32Array(keep.length);
  for (let i = 0; i < keep.length; i++) {
    const from = keep[i];
    const anchor = ints[(candidates.anchors >> 2) + from];
    anchors[i] = anchor;
    classes[i] = ints[(candidates.labels >> 2) + from];
    // Joined scores are the ranks themselves.
    scores[i] = thresholds.objectness === 0
      ? probability(settings.head, floats[(candidates.values >> 2) + from])
      : floats[(candidates.ranks >> 2) + from];
    for (let side = 0; side < columns; side++) {
      placed[columns * i + side] = floats[(boxes >> 2) + columns * from + side];
    }
  }
  const { clip, imageSize, head } = settings;
  const isTurned = columns === ROTATED;
  const statistics = settings.uncertainty ? statisticsOf(anchors) : null;
  if (statistics !== null && isTurned) turnSides(head, anglesOf(anchors), Object.values(statistics));
  return {
    boxes: isTurned ? boxesAround(placed, clip ? imageSize : null) : placed,
    scores,
    classes,
    anchors,
    rotated: isTurned ? placed : undefined,
    keypoints: undefined,
    masks: undefined,
    std: statistics?.std,
    saturation: statistics?.saturation,
    excess: statistics?.excess,
  };
}
