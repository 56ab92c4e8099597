/**
 * What a network finds beside boxes, as a model's own metadata say it: it tells readings of the same shapes apart.
 */
import { type AttachedExport, type HeadExport, presets } from "../heads/presets.ts";
import type { PresetName } from "../heads/presets.ts";
import type { HeadOptions, HeadSpec } from "../types.ts";
import type { FileOutputs } from "./outputs.ts";

/** In Ultralytics' words. */
export interface Task {
  readonly name: "detect" | "segment" | "pose" | "obb";
  /** Of "pose". */
  readonly keypoints: { readonly count: number; readonly dims: 2 | 3 } | undefined;
}

/** Whether a head is of that task. */
export function isOfTask({ maskCoefficients = 0, keypoints, angle = "none" }: HeadSpec, task: Task): boolean {
  const { count, dims } = task.keypoints ?? {};
  const hasPoints = keypoints !== undefined &&
    (count === undefined || (keypoints.count === count && keypoints.dims === dims));
  const found = [task.name === "segment", task.name === "pose", task.name === "obb"];
  const own = [maskCoefficients > 0, keypoints !== undefined, angle !== "none"];
  return String(found) === String(own) && (task.name !== "pose" || hasPoints);
}

/** What a preset is to have for the task, as its exports code it; nothing for one that has no such networks. */
export function attachedFor(name: PresetName, task: Task, { outputs }: FileOutputs): HeadOptions {
  const exports: readonly HeadExport[] = presets[name].exports;
  const attached = exports.map((each) => each.attached).find((each): each is AttachedExport => each !== undefined);
  const [coding] = attached?.keypoints ?? [];
  const [angle] = attached?.angles ?? [];
  if (task.name === "pose" && task.keypoints !== undefined && coding !== undefined) {
    return { keypoints: { ...task.keypoints, coding } };
  }
  if (task.name === "obb" && angle !== undefined) return { angle };
  const maskCoefficients = prototypeChannels(outputs);
  if (task.name === "segment" && attached !== undefined && maskCoefficients !== undefined) return { maskCoefficients };
  return {};
}

/** Of the finest map of four axes. */
function prototypeChannels(outputs: FileOutputs["outputs"]): number | undefined {
  const tensors = "classes" in outputs ? [outputs.prototypes ?? []].flat() : [outputs].flat();
  const maps = tensors.map(({ dims }) => dims).filter((dims) => dims.length === 4);
  const [finest] = maps.sort((a, b) => b[2] * b[3] - a[2] * a[3]);
  return finest?.[1];
}
