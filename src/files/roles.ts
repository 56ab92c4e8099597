/**
 * What a tensor of a head is, by its name: cls_s8, reg_s8, obj_stride_16.
 */
import { entriesOf, type Named } from "./named.ts";

/** The tensors of a head by role, by their names; each list in the order of the levels. */
export interface OutputRoles {
  /** Names that begin with cls, class or score. */
  readonly classes: readonly string[];
  /** Names that begin with reg, box, bbox or dis; where some have "refine" in them, those. */
  readonly boxes: readonly string[];
  /** Names that begin with obj. */
  readonly objectness: readonly string[];
  /** Names that begin with coef, mask_coef or mc_, if there are any. */
  readonly maskCoefficients?: readonly string[];
  /** Names that begin with kpt, kps or keypoint, if there are any. */
  readonly keypoints?: readonly string[];
  /** Names that begin with angle or theta, if there are any. */
  readonly angles?: readonly string[];
  /** The name that begins with proto or mask_proto, if there is one: what masks are made of. */
  readonly prototypes?: string;
  /** The boxes before they were refined, where some are refined; else none. */
  readonly initial: readonly string[];
  /** The strides that the names end in, ascending; undefined where they end in none. */
  readonly strides: readonly number[] | undefined;
  /** Names that tell no role. */
  readonly unused: readonly string[];
}

/** Tensors by role, as `detect` takes them. */
export interface OutputsByRole<T> {
  readonly classes: readonly T[];
  readonly boxes: readonly T[];
  readonly objectness?: readonly T[];
  readonly maskCoefficients?: readonly T[];
  readonly keypoints?: readonly T[];
  readonly angles?: readonly T[];
  readonly prototypes?: T;
}

const NAMES = {
  classes: /^(cls|class|score)/i,
  boxes: /^(reg|box|dis|bbox)/i,
  objectness: /^obj/i,
  maskCoefficients: /^((mask_?)?coef|mc_)/i,
  keypoints: /^(kpt|kps|keypoint)/i,
  angles: /^(angle|theta)/i,
  prototypes: /^(mask_?)?proto/i,
} as const;
/** Roles that few heads have. */
const ATTACHED = ["maskCoefficients", "keypoints", "angles"] as const;
/** bbox_pred_refine_s8, beside bbox_pred_s8. */
const REFINED = /refine/i;

/**
 * What the tensors of a head are by their names: classes, boxes, objectness, mask coefficients, keypoints, angles, prototypes
 * of masks; undefined where none are called as classes or none as boxes. Levels stand lowest stride first where names end in strides (powers of two from 4, as cls_s8 or
 * reg_stride_16), else as they came.
 *
 * @example
 * ```ts
 * import { rolesByName } from "densehead/files";
 *
 * const roles = rolesByName(["cls_s16", "cls_s8", "reg_s8", "reg_s16", "images"]);
 * console.log(roles?.classes, roles?.boxes, roles?.strides); // → ["cls_s8", "cls_s16"], ["reg_s8", "reg_s16"], [8, 16]
 * console.log(roles?.unused); // → ["images"]
 * ```
 */
export function rolesByName(names: Iterable<string>): OutputRoles | undefined {
  const all = [...names];
  const called = (role: keyof typeof NAMES) => byStride(all.filter((name) => NAMES[role].test(name)));
  const [classes, boxes, objectness] = [called("classes"), called("boxes"), called("objectness")];
  const attached = ATTACHED.map((role) => [role, called(role)] as const).filter(([, names]) => names.length > 0);
  const [prototypes] = called("prototypes");
  if (classes.length === 0 || boxes.length === 0) return undefined;
  const refined = byStride(boxes.filter((name) => REFINED.test(name)));
  const plain = byStride(boxes.filter((name) => !REFINED.test(name)));
  const used = new Set([...classes, ...boxes, ...objectness, ...attached.flatMap(([, names]) => names), prototypes]);
  return {
    classes,
    boxes: refined.length > 0 ? refined : plain,
    objectness,
    ...Object.fromEntries(attached),
    ...(prototypes !== undefined && { prototypes }),
    initial: refined.length > 0 ? plain : [],
    strides: stridesIn(classes) ?? stridesIn(boxes),
    unused: all.filter((name) => !used.has(name)),
  };
}

/**
 * Named tensors as `detect` takes them: by role where the names tell classes and boxes (see {@link rolesByName}), else a list
 * in their order. Takes what `readSafetensors` and onnxruntime's `session.run` give.
 *
 * - Throws: TypeError if the tensors are neither in an object nor in a Map.
 *
 * @example
 * ```ts
 * import { createEngine, heads } from "densehead";
 * import { outputsByRole } from "densehead/files";
 *
 * const map = (channels: number) => ({ data: new Float32Array(channels * 4).fill(-4), dims: [1, channels, 2, 2] });
 * const tensors = { reg_s8: map(32), cls_s8: map(3) };
 * tensors.cls_s8.data[5] = 2; // class 1 in cell (1, 0)
 *
 * const engine = await createEngine();
 * const head = heads.gfl({ numClasses: 3, bins: 8, strides: [8] });
 * const [found] = await engine.detect(outputsByRole(tensors), { head, imageSize: [16, 16] });
 * console.log(found.classes, found.scores); // → [1], [0.8808]
 * ```
 */
export function outputsByRole<T>(tensors: Named<T>): OutputsByRole<T> | readonly T[] {
  const named = new Map(entriesOf("outputsByRole", "tensors", tensors));
  const roles = rolesByName(named.keys());
  const outputs = (names: readonly string[]) => names.map((name) => named.get(name) as T);
  if (roles === undefined) return [...named.values()];
  const { objectness, prototypes } = roles;
  return {
    classes: outputs(roles.classes),
    boxes: outputs(roles.boxes),
    ...(objectness.length > 0 && { objectness: outputs(objectness) }),
    ...Object.fromEntries(ATTACHED.flatMap((role) => roles[role] ? [[role, outputs(roles[role])]] : [])),
    ...(prototypes !== undefined && { prototypes: named.get(prototypes) as T }),
  };
}

/** Lowest stride first; as they came where names carry none. */
function byStride(names: readonly string[]): readonly string[] {
  if (stridesIn(names) === undefined) return names;
  return [...names].sort((a, b) => trailingNumber(a) - trailingNumber(b));
}

/** Strides differ and are powers of two from 4 up; other numbers, as in cls_1, are indices. */
function stridesIn(names: readonly string[]): number[] | undefined {
  const found = names.map(trailingNumber);
  const plausible = found.every((n) => n >= 4 && Number.isInteger(Math.log2(n)));
  const marked = found.length > 1 || /s(tride_?)?\d+$/i.test(names[0] ?? "");
  return plausible && marked && new Set(found).size === found.length ? found.sort((a, b) => a - b) : undefined;
}

function trailingNumber(name: string): number {
  return Number(/\d+$/.exec(name)?.[0] ?? NaN);
}
