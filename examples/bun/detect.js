import { createEngine, heads } from "densehead";

// The raw outputs of a network, one tensor per level for classes and for boxes.
const buffer = await Bun.file(new URL("../shapes/scene1.safetensors", import.meta.url)).arrayBuffer();
const start = 8 + Number(new DataView(buffer).getBigUint64(0, true)); // after the header and its length
const { __metadata__, ...tensors } = JSON.parse(new TextDecoder().decode(buffer.slice(8, start)));
const outputs = Object.values(tensors).map(({ shape, data_offsets: [from, to] }) => {
  return { data: new Float32Array(buffer.slice(start + from, start + to)), dims: shape };
});

const engine = await createEngine();
const head = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
const [found] = await engine.detect(outputs, { head, imageSize: [160, 160] });
const names = __metadata__.classes.split(",");
for (const { box, score, classId } of found) console.log(names[classId], score.toFixed(2), box.map(Math.round));

const truth = Float32Array.of(52.25, 34.25, 106, 87.75); // of that first box, from scenes.coco.json
const { loss, grad } = await engine.giouLoss(found.boxes.subarray(0, 4), truth, { grad: true });
console.log("GIoU loss", loss.toFixed(4), "gradient", Array.from(grad, (side) => side.toFixed(4)));
