import { createEngine, heads } from "densehead";
import { outputsByRole, readSafetensors } from "densehead/files";

// The raw outputs of a network, one tensor per level for classes and for boxes.
const file = await Deno.readFile(new URL("../shapes/scene1.safetensors", import.meta.url));
const { tensors, metadata } = readSafetensors(file);

const engine = await createEngine();
const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
const [found] = await engine.detect(outputsByRole(tensors), { head, imageSize: [160, 160] });
const names = metadata.get("classes").split(",");
for (const { box, score, classId } of found) console.log(names[classId], score.toFixed(2), box.map(Math.round));

const truth = Float32Array.of(52.25, 34.25, 106, 87.75); // of that first box, from scenes.coco.json
const { loss, grad } = await engine.giouLoss(found.boxes.subarray(0, 4), truth, { grad: true });
console.log("GIoU loss", loss.toFixed(4), "gradient", Array.from(grad, (side) => side.toFixed(4)));
