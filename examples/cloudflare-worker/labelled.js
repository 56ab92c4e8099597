/**
 * Puts the truth of an image into a .safetensors file of its outputs, for `POST /score`:
 *
 *   node labelled.js ../shapes/scene1.safetensors ../shapes/scenes.coco.json scene1.png labelled.safetensors
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const [outputs, truth, image, target] = process.argv.slice(2);
const { images, categories, annotations } = JSON.parse(readFileSync(truth, "utf8"));
const { id } = images.find(({ file_name }) => file_name === image);
const objects = annotations.filter(({ image_id }) => image_id === id);
// The image has the size of the network's input, so that its pixels are those of the input.
const boxes = Float32Array.from(objects.flatMap(({ bbox: [x, y, width, height] }) => [x, y, x + width, y + height]));
// A class is the place of its category in the file.
const labels = Int32Array.from(objects, ({ category_id }) => categories.findIndex(({ id }) => id === category_id));

const file = readFileSync(outputs);
const start = 8 + Number(file.readBigUInt64LE(0));
const header = JSON.parse(file.toString("utf8", 8, start));
const end = file.length - start;
header.gt_boxes = { dtype: "F32", shape: [objects.length, 4], data_offsets: [end, end + boxes.byteLength] };
header.gt_labels = {
  dtype: "I32",
  shape: [objects.length],
  data_offsets: [end + boxes.byteLength, end + boxes.byteLength + labels.byteLength],
};
const text = JSON.stringify(header);
const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(padded.length));
writeFileSync(
  target,
  Buffer.concat([length, padded, file.subarray(start), Buffer.from(boxes.buffer), Buffer.from(labels.buffer)]),
);
