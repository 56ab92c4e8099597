/**
 * The 80 classes of COCO, and the category ids that its annotations have for them.
 */

const NAMES = `
  person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, parking
  meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie,
  suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis
  racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot
  dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard,
  cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier,
  toothbrush
`;

/** In the order of the ids. */
export const COCO_CLASSES: readonly string[] = NAMES.trim().replaceAll(/\s+/g, " ").split(", ");

/** Of the 90 ids, these name no class. */
const UNUSED = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];

/** From 1 to 90, for each class. */
export const COCO_CATEGORY_IDS: readonly number[] = Array.from({ length: 90 }, (_, i) => i + 1).filter((id) =>
  !UNUSED.includes(id)
);
