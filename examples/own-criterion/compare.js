import { createEngine, heads } from "densehead";
import { criterion } from "./criterion.js";

const engine = await createEngine();
const [classes, bins, imageSize] = [4, 8, [160, 160]];
const head = heads.gfl({ numClasses: classes, bins, strides: [8, 16] });
const gt = { boxes: Float32Array.of(20, 30, 75, 80, 90, 60, 150, 140), labels: Int32Array.of(1, 3) };
const { gtIndex } = await engine.atssAssign({ imageSize, strides: head.strides }, gt);

/** [x, y, stride] of every anchor, level by level and row by row. */
const points = head.strides.flatMap((stride) => {
  const [rows, columns] = imageSize.map((side) => Math.ceil(side / stride));
  return Array.from({ length: rows * columns }, (_, i) => {
    const place = [i % columns, Math.floor(i / columns)];
    return [...place.map((cell) => (cell + head.anchorOffset) * stride), stride];
  });
});

// What a network would say: any numbers do.
const noise = (length, spread) => Float32Array.from({ length }, (_, i) => spread * Math.sin(i * i * 0.37));
const cls = noise(points.length * classes, 3);
const dist = noise(points.length * 4 * bins, 2);

const own = criterion(engine, { cls, dist, points, classes, bins, gt, gtIndex });
const built = await engine.gflCriterion({
  cls: { data: cls, dims: [1, points.length, classes] },
  dist: { data: dist, dims: [1, points.length, 4 * bins] },
  head,
  imageSize,
  gt: [gt],
  gtIndex: [gtIndex],
}, { grad: true });

const furthest = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
console.log(`own criterion ${own.total.toFixed(6)}, gflCriterion ${built.total.toFixed(6)}, ${built.numPos} positives`);
for (const map of ["cls", "dist"]) {
  console.log(`gradient of ${map}: at most ${furthest(own.grad[map], built.grad[map]).toExponential(1)} apart`);
}
