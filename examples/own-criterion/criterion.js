/**
 * The training loss of one image: quality focal loss of all anchors, and over the P positives generalized IoU and distribution
 * focal loss, each by the anchor's confidence. `points` are [x, y, stride] of each anchor, `gtIndex` its object or a negative number.
 */
export function criterion({ sync }, { cls, dist, points, classes, bins, gt, gtIndex }) {
  const positives = [...points.keys()].filter((anchor) => gtIndex[anchor] >= 0);
  const count = positives.length;
  const each = 1 / Math.max(count, 1);
  const collect = (valuesOf) => Float32Array.from(positives.flatMap(valuesOf));
  const rowOf = (map, width, anchor) => map.subarray(anchor * width, (anchor + 1) * width);

  // Boxes and their objects, around the anchors' points.
  const logits = collect((anchor) => [...rowOf(dist, 4 * bins, anchor)]);
  const strides = collect((anchor) => Array(4).fill(points[anchor][2]));
  const mirrored = (sides) => sides.map((side, i) => i % 4 < 2 ? -side : side);
  const sides = sync.dflDecode({ data: logits, dims: [count, 4 * bins] }, { bins });
  const boxes = mirrored(sides.map((side, i) => side * strides[i]));
  const objects = collect((anchor) => {
    return [...rowOf(gt.boxes, 4, gtIndex[anchor])].map((edge, i) => edge - points[anchor][i % 2]);
  });
  const goals = mirrored(objects).map((side, i) => Math.min(Math.max(side / strides[i], 0), bins - 1.1));

  // What is constant: each positive's quality and confidence.
  const labels = Int32Array.from(gtIndex, (object) => object < 0 ? -1 : gt.labels[object]);
  const scores = new Float32Array(points.length);
  sync.alignedBoxIou(boxes, objects).forEach((iou, i) => scores[positives[i]] = iou);
  const confidence = collect((anchor) => 1 / (1 + Math.exp(-Math.max(...rowOf(cls, classes, anchor)))));

  const weighed = { weight: confidence, reduction: "sum", lossWeight: 2 * each, grad: true };
  const quality = sync.qualityFocalLoss({ data: cls, dims: [points.length, classes] }, { labels, scores }, {
    weight: Float32Array.from(gtIndex, (object) => object === -2 ? 0 : 1), // ignored anchors
    avgFactor: 1 / each,
    grad: true,
  });
  const box = sync.giouLoss(boxes, objects, weighed);
  const ofSides = { ...weighed, weight: strides.map((_, i) => confidence[i >> 2]), lossWeight: each / 4 };
  const fine = sync.distributionFocalLoss({ data: logits, dims: [4 * count, bins] }, goals, ofSides);

  // Back through boxes and means to the logits.
  const slopes = mirrored(box.grad.map((slope, i) => slope * strides[i]));
  const through = sync.dflDecodeGradient(logits, slopes, { bins });
  const grad = { cls: quality.grad, dist: new Float32Array(dist.length) };
  positives.forEach((anchor, i) => {
    grad.dist.set(
      rowOf(through, 4 * bins, i).map((slope, k) => slope + fine.grad[i * 4 * bins + k]),
      anchor * 4 * bins,
    );
  });
  return { total: quality.loss + box.loss + fine.loss, grad };
}
