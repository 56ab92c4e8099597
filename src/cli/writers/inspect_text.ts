/**
 * What `densehead inspect` found, in words.
 */
import { printable } from "../../text.ts";
import type { HeadSpec, HostTensor } from "../../types.ts";
import type { Role } from "../../heads/channels.ts";
import type { Fit, Fits, TensorRoles } from "../fits.ts";
import { headInFlags } from "../head.ts";
import { classNamesIn, taskIn } from "../models/metadata.ts";
import { inputText as valueText } from "../models/inputs.ts";
import type { Model } from "../models/model.ts";
import { type FileOutputs, tensorsByName } from "../outputs.ts";
import type { Task } from "../task.ts";

/** The inputs, and what the model says of itself. */
export function modelText({ inputs, metadata }: Model): string {
  const [classes, task] = [classNamesIn(metadata), taskIn(metadata)];
  const names = classes && `${classes.slice(0, 5).join(", ")}${classes.length > 5 ? ", …" : ""} (${classes.length})`;
  return [
    ...inputs.map((input) => `  input    ${valueText(input)}`),
    ...(names === undefined ? [] : [`  classes  ${names}, as the file says`]),
    ...(task === undefined ? [] : [`  task     ${taskText(task)}, as the file says`]),
  ].map((line) => `${printable(line)}\n`).join("");
}

/** "pose: 17 keypoints of 3 values". */
function taskText({ name, keypoints }: Task): string {
  return keypoints === undefined ? name : `${name}: ${keypoints.count} keypoints of ${keypoints.dims} values`;
}

/** The tensors' names, types and shapes. */
export function outputsText(read: FileOutputs): string {
  const tensors = tensorsByName(read).map(([name, tensor]) => `${name === "" ? "" : `${name}: `}${shapeText(tensor)}`);
  const unused = read.unused.map((name) => `${name}, of no role`);
  return [...tensors, ...unused].map((text) => `  output   ${printable(text)}\n`).join("");
}

function shapeText({ data, dims }: HostTensor): string {
  const type = data instanceof Float32Array ? "float32" : data instanceof Float64Array ? "float64" : "float16";
  return `${type} (${dims.join(", ")})`;
}

/** The heads that fit, with what each tensor is to them, and why others do not. */
export function fitsText({ fits, others, missed }: Fits): string {
  const count = fits.length + others.length;
  const title = count === 0
    ? "No head fits:"
    : count === 1
    ? "One head fits:"
    : `${count} readings fit; --head, --num-classes or --classes tell them apart:`;
  const readings = [
    ...fits.flatMap((
      { chosen: { head }, tensors, prototypes },
    ) => [
      headInFlags(head),
      ...tensors.map((each) => `  ${rolesText(head, each)}`),
      ...prototypes === null ? [] : [`  ${prototypesText(prototypes)}`],
    ]),
    ...others,
  ];
  const misses = [...missed].map(([why, names]) => `${names.join(" · ")}: ${why}`);
  return [
    `\n${title}`,
    ...readings.map((line) => `  ${printable(line)}`),
    ...(misses.length === 0 || count === 0 ? [] : ["\nOthers do not:"]),
    ...misses.map((line) => `  ${printable(line)}`),
  ].map((line) => `${line}\n`).join("");
}

/** "output1: 32 prototypes of 160 × 160". */
function prototypesText({ name, channels, height, width }: NonNullable<Fit["prototypes"]>): string {
  return `${name === "" ? "" : `${name}: `}${channels} prototypes of ${width} × ${height}`;
}

/** "cls_s8: 80 classes (logits); 400 anchors". */
function rolesText(head: HeadSpec, { name, roles, anchors }: TensorRoles): string {
  const words = roles.map(({ role, channels }) => roleText(head, role, channels)).join(", ");
  const rows = { dense: "anchors", selected: "detections", queries: "queries" }[head.selection ?? "dense"];
  return `${name === "" ? "" : `${name}: `}${words}; ${anchors} ${rows}`;
}

function roleText(
  { boxes, bins, boxUnit = "pixel", selection, scores, keypoints }: HeadSpec,
  role: Role,
  channels: number,
): string {
  switch (role) {
    case "objectness":
      return "objectness";
    case "classes":
      if (selection === "selected") return "score, class";
      return `${channels} ${channels === 1 ? "class" : "classes"} (${scores})`;
    case "boxes":
      if (boxes === "distribution") return `4 sides of ${bins} bins`;
      if (boxes === "distances") return `4 distances in ${unit(boxUnit)}`;
      return `box (${boxes === "xywh" || boxes === "xyxy" ? `${boxes} in ${unit(boxUnit)}` : boxes})`;
    case "maskCoefficients":
      return `${channels} mask coefficients`;
    case "keypoints":
      return `${keypoints?.count} keypoints of ${keypoints?.dims} values`;
    case "angles":
      return "angle";
  }
}

function unit(boxUnit: string): string {
  return boxUnit === "image" ? "shares of the image" : `${boxUnit}s`;
}
