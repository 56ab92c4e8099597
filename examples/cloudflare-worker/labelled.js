/**
 * Puts the truth of an image into a .safetensors file of its outputs, for `POST /score`:
 *
 *   node labelled.js ../shapes/scene1.safetensors ../shapes/scenes.coco.json scene1.png labelled.safetensors
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { readSafetensors, writeSafetensors } from "densehead/files";

const [outputs, truth, image, target] = process.argv.slice(2);
const { images, categories, annotations } = JSON.parse(readFileSync(truth, "utf8"));
const { id } = images.find(({ file_name }) => file_name === image);
const objects = annotations.filter(({ image_id }) => image_id === id);
// The image has the size of the network's input, so that its pixels are those of the input.
const boxes = Float32Array.from(objects.flatMap(({ bbox: [x, y, width, height] }) => [x, y, x + width, y + height]));
// A class is the place of its category in the file.
const labels = Int32Array.from(objects, ({ category_id }) => categories.findIndex(({ id }) => id === category_id));

const { tensors, metadata } = readSafetensors(readFileSync(outputs));
const labelled = new Map(tensors);
labelled.set("gt_boxes", { data: boxes, dims: [objects.length, 4] });
labelled.set("gt_labels", { data: labels, dims: [objects.length] });
writeFileSync(target, writeSafetensors(labelled, metadata));
