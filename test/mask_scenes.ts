/** Detections with masks, and how these are compared with the reference: all that is asked of them, pixel by pixel. */
import { heads, type ImageTransform, type Masks } from "densehead";
import { rle } from "densehead/eval";
import * as assert from "uvu/assert";
import { same } from "./compare.ts";
import { floats, type Random } from "./random.ts";
import { counts, mask, type MaskScene } from "./reference/masks.ts";

/** Rows of detections with their coefficients, best first; prototypes (B, channels, height, width). */
export interface Given {
  readonly imageSize: readonly [number, number];
  readonly boxes: readonly (readonly number[])[];
  readonly coefficients: readonly (readonly number[])[];
  readonly channels: number;
  readonly samples: readonly [number, number];
  readonly prototypes: Float32Array;
}

/** Rows that are detections already, so that a test says its boxes. */
export function outputsOf({ boxes, coefficients, channels, samples, prototypes }: Given, images = 1) {
  const rows = boxes.map((box, i) => [...box, 0.9 - i * 1e-4, 0, ...coefficients[i]]);
  const image = Float32Array.from(rows.flat());
  const data = new Float32Array(images * image.length);
  for (let i = 0; i < images; i++) data.set(image, i * image.length);
  return {
    rows: { data, dims: [images, boxes.length, 6 + channels] },
    prototypes: { data: prototypes, dims: [images, channels, ...samples] },
  };
}

export const headOf = (maskCoefficients: number) => heads.yolo26({ numClasses: 1, maskCoefficients });

/** The scene of the reference, and the boxes in its frame. */
function sceneOf(given: Given, transform?: ImageTransform): { scene: MaskScene; boxes: number[][] } {
  const { imageSize, channels, samples, prototypes } = given;
  const network = { frame: imageSize, scale: [1, 1] as const, pad: [0, 0] as const };
  const clip = transform?.clip;
  const frame = transform === undefined || clip === undefined ? network : {
    frame: clip,
    scale: [transform.scaleX, transform.scaleY] as const,
    pad: [transform.padX, transform.padY] as const,
  };
  const boxes = given.boxes.map((box) => {
    const kept = [...Float32Array.from(box)];
    if (clip === undefined) return kept;
    const moved = kept.map((value, side) => {
      const vertical = side % 2;
      return Math.min(Math.max((value - frame.pad[vertical]) / frame.scale[vertical], 0), clip[1 - vertical]);
    });
    const [x1, y1, x2, y2] = Float32Array.from(moved);
    return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
  });
  return { scene: { prototypes, channels, samples, imageSize, ...frame }, boxes };
}

/** All that is asked of masks agrees with the reference and with each other. */
export function checkMasks(masks: Masks, given: Given, transform?: ImageTransform, what = "mask"): void {
  const { scene, boxes } = sceneOf(given, transform);
  const [height, width] = scene.frame;
  assert.equal([masks.height, masks.width], [height, width], what);
  const labels = new Int32Array(height * width);
  const out = new Uint8Array(height * width);
  for (let i = boxes.length - 1; i >= 0; i--) {
    const { bitmap, sure } = mask(scene, given.coefficients[i].map(Math.fround), boxes[i]);
    assert.ok(sure.filter((each) => each === 0).length <= bitmap.length / 50, "most pixels are decided");
    assert.is(masks.bitmap(i, out.fill(7)), out);
    const off = out.findIndex((pixel, p) => pixel !== bitmap[p] && sure[p] === 1);
    if (off >= 0) {
      assert.unreachable(`${what} ${i}: pixel ${off % width}, ${Math.floor(off / width)} is ${out[off]}`);
    }
    same(masks.bitmap(i), out, `${what} ${i}, a new bitmap`);
    assert.is(masks.area(i), out.reduce((sum, pixel) => sum + pixel, 0), `${what} ${i}: area`);
    const { x, y, width: w, height: h, data } = masks.crop(i);
    const inside = (a: number, b: number, n: number) =>
      Array.from({ length: n }, (_, p) => p).filter((p) => p >= a && p < b);
    const [columns, rows] = [inside(boxes[i][0], boxes[i][2], width), inside(boxes[i][1], boxes[i][3], height)];
    assert.equal([w, h], [columns.length, rows.length], `${what} ${i}: size of the crop`);
    if (w > 0 && h > 0) assert.equal([x, y], [columns[0], rows[0]], `${what} ${i}: place of the crop`);
    const cut = rows.flatMap((row) => columns.map((column) => out[row * width + column]));
    same(data, cut, `${what} ${i}: crop`);
    const code = masks.rle(i);
    assert.equal(code, rle.encode(out, [height, width]), `${what} ${i}: rle`);
    same(rle.decode({ size: [height, width], counts: counts(out, height, width) }), out, `${what} ${i}: counts`);
    out.forEach((pixel, p) => {
      if (pixel === 1) labels[p] = i + 1;
    });
  }
  same(masks.labelMap(), labels, `${what}: label map`);
}

/** Smooth prototypes with some noise: masks of shapes, with holes and specks. */
export function prototypesOf(r: Random, channels: number, [rows, columns]: readonly [number, number]): Float32Array {
  const out = new Float32Array(channels * rows * columns);
  for (let c = 0; c < channels; c++) {
    const [fx, fy, at] = [r.uniform(-1, 1), r.uniform(-1, 1), r.uniform(0, 6)];
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        out[(c * rows + y) * columns + x] = Math.sin(fx * x + fy * y + at) + r.uniform(-0.2, 0.2);
      }
    }
  }
  return out;
}

export function givenOf(r: Random, changes: Partial<Given> = {}): Given {
  const channels = changes.channels ?? 1 + r.integer(9);
  const samples = changes.samples ?? [1 + r.integer(24), 1 + r.integer(24)] as const;
  const imageSize = changes.imageSize ?? [8 + r.integer(60), 8 + r.integer(60)] as const;
  const boxes = Array.from({ length: 4 }, () => {
    const [x, y] = [r.uniform(-10, imageSize[1]), r.uniform(-10, imageSize[0])];
    return [x, y, x + r.uniform(0, imageSize[1]), y + r.uniform(0, imageSize[0])];
  });
  const coefficients = boxes.map(() => [...floats(channels, () => r.uniform(-1, 1))]);
  return {
    imageSize,
    boxes,
    coefficients,
    channels,
    samples,
    prototypes: prototypesOf(r, channels, samples),
    ...changes,
  };
}

export function transformsOf(r: Random, [height, width]: readonly [number, number]): (ImageTransform | undefined)[] {
  const size = () => [3 + r.integer(90), 3 + r.integer(90)];
  const fitted = size();
  return [
    undefined,
    { scaleX: 0.5, scaleY: 2, padX: 3, padY: -4 },
    { scaleX: width / fitted[1], scaleY: height / fitted[0], padX: 0, padY: 0, clip: fitted },
    { scaleX: -width / fitted[1], scaleY: height / fitted[0], padX: width, padY: 0, clip: fitted },
    { scaleX: r.uniform(0.1, 3), scaleY: -r.uniform(0.1, 3), padX: r.uniform(-5, 9), padY: height - 2, clip: size() },
  ];
}
