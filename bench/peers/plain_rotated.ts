/** Overlaps of rotated boxes in JavaScript: as programs have them, and with all care and no garbage. */

type Point = readonly [number, number];

/** Intersection of convex polygons by clipping one at every edge of the other, with a list of points for each. */
export function plainRotatedIou(a: Float32Array, b: Float32Array): Float32Array {
  const [first, second] = [polygonsOf(a), polygonsOf(b)];
  const ious = new Float32Array(first.length * second.length);
  first.forEach((p, i) =>
    second.forEach((q, k) => {
      const shared = areaOf(clipped(p, q));
      const union = areaOf(p) + areaOf(q) - shared;
      ious[i * second.length + k] = union === 0 ? 0 : shared / union;
    })
  );
  return ious;
}

/** Greedy NMS over the polygons of every pair; `careful` leaves out those whose enclosing boxes are apart. */
export function plainRotatedNms(
  boxes: Float32Array,
  scores: Float32Array,
  iouThreshold: number,
  careful: boolean,
): number[] {
  const polygons = polygonsOf(boxes);
  const areas = polygons.map(areaOf);
  const around = polygons.map((points) => {
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  });
  const areApart = ([a, b, c, d]: number[], [p, q, r, s]: number[]) => a >= r || p >= c || b >= s || q >= d;
  const kept: number[] = [];
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  for (const i of order) {
    const goes = kept.some((j) => {
      if (careful && areApart(around[i], around[j])) return false;
      const shared = areaOf(clipped(polygons[i], polygons[j]));
      return shared / (areas[i] + areas[j] - shared) > iouThreshold;
    });
    if (!goes) kept.push(i);
  }
  return kept;
}

function polygonsOf(boxes: Float32Array): Point[][] {
  return Array.from({ length: boxes.length / 5 }, (_, i) => {
    const [x, y, width, height, angle] = boxes.subarray(5 * i, 5 * i + 5);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return [[1, 1], [-1, 1], [-1, -1], [1, -1]].map(([u, v]): Point => {
      const [dx, dy] = [u * width / 2, v * height / 2];
      return [x + dx * cos - dy * sin, y + dx * sin + dy * cos];
    });
  });
}

function clipped(polygon: readonly Point[], clip: readonly Point[]): readonly Point[] {
  let points = polygon;
  for (let i = 0; i < clip.length && points.length > 0; i++) {
    const from = clip[i];
    const to = clip[(i + 1) % clip.length];
    const kept: Point[] = [];
    for (let k = 0; k < points.length; k++) {
      const here = points[k];
      const next = points[(k + 1) % points.length];
      const side = sideOf(from, to, here);
      const nextSide = sideOf(from, to, next);
      if (side >= 0) kept.push(here);
      if ((side > 0 && nextSide < 0) || (side < 0 && nextSide > 0)) {
        const t = side / (side - nextSide);
        kept.push([here[0] + t * (next[0] - here[0]), here[1] + t * (next[1] - here[1])]);
      }
    }
    points = kept;
  }
  return points;
}

function sideOf([x, y]: Point, [u, v]: Point, [a, b]: Point): number {
  return (u - x) * (b - y) - (v - y) * (a - x);
}

function areaOf(points: readonly Point[]): number {
  let twice = 0;
  for (let i = 0; i < points.length; i++) {
    const [x, y] = points[i];
    const [u, v] = points[(i + 1) % points.length];
    twice += x * v - u * y;
  }
  return twice / 2;
}

/** The same clipping in typed arrays that are made once, of pairs whose circles meet. */
export function carefulRotatedIou(a: Float32Array, b: Float32Array): Float32Array {
  const [first, second] = [cornersOf(a), cornersOf(b)];
  const [countA, countB] = [a.length / 5, b.length / 5];
  const ious = new Float32Array(countA * countB);
  for (let i = 0; i < countA; i++) {
    const reach = Math.hypot(a[5 * i + 2], a[5 * i + 3]) / 2;
    const area = a[5 * i + 2] * a[5 * i + 3];
    for (let k = 0; k < countB; k++) {
      const dx = b[5 * k] - a[5 * i];
      const dy = b[5 * k + 1] - a[5 * i + 1];
      const other = Math.sqrt(b[5 * k + 2] * b[5 * k + 2] + b[5 * k + 3] * b[5 * k + 3]) / 2;
      if (dx * dx + dy * dy > (reach + other) * (reach + other)) continue;
      const shared = sharedArea(first, 8 * i, second, 8 * k);
      ious[i * countB + k] = shared / (area + b[5 * k + 2] * b[5 * k + 3] - shared);
    }
  }
  return ious;
}

function cornersOf(boxes: Float32Array): Float64Array {
  const corners = new Float64Array(boxes.length / 5 * 8);
  for (const [i, point] of polygonsOf(boxes).flat().entries()) corners.set(point, 2 * i);
  return corners;
}

/** A corner for each edge of both. */
const POINTS = [new Float64Array(16), new Float64Array(16)];

function sharedArea(p: Float64Array, atP: number, q: Float64Array, atQ: number): number {
  let [points, kept] = POINTS;
  let count = 4;
  for (let i = 0; i < 8; i++) points[i] = p[atP + i];
  for (let edge = 0; edge < 4; edge++) {
    const x = q[atQ + 2 * edge];
    const y = q[atQ + 2 * edge + 1];
    const dx = q[atQ + (2 * edge + 2) % 8] - x;
    const dy = q[atQ + (2 * edge + 2) % 8 + 1] - y;
    let length = 0;
    let hereX = points[2 * count - 2];
    let hereY = points[2 * count - 1];
    let here = dx * (hereY - y) - dy * (hereX - x);
    for (let i = 0; i < count; i++) {
      const nextX = points[2 * i];
      const nextY = points[2 * i + 1];
      const next = dx * (nextY - y) - dy * (nextX - x);
      if ((here > 0 && next < 0) || (here < 0 && next > 0)) {
        const t = here / (here - next);
        kept[2 * length] = hereX + t * (nextX - hereX);
        kept[2 * length + 1] = hereY + t * (nextY - hereY);
        length++;
      }
      if (next >= 0) {
        kept[2 * length] = nextX;
        kept[2 * length + 1] = nextY;
        length++;
      }
      hereX = nextX;
      hereY = nextY;
      here = next;
    }
    if (length === 0) return 0;
    [points, kept] = [kept, points];
    count = length;
  }
  let twice = 0;
  for (let i = 0, before = count - 1; i < count; before = i++) {
    twice += points[2 * before] * points[2 * i + 1] - points[2 * i] * points[2 * before + 1];
  }
  return twice / 2;
}

/** Covariances once for each box, then the formula for each pair. */
export function plainProbIou(a: Float32Array, b: Float32Array): Float32Array {
  const [first, second] = [gaussiansOf(a), gaussiansOf(b)];
  const values = new Float32Array(first.length * second.length);
  for (let i = 0; i < first.length; i++) {
    const p = first[i];
    for (let k = 0; k < second.length; k++) {
      const q = second[k];
      const [xx, yy, xy] = [p.xx + q.xx, p.yy + q.yy, p.xy + q.xy];
      const [dx, dy] = [p.x - q.x, p.y - q.y];
      const mixed = p.xx * q.yy + q.xx * p.yy - 2 * p.xy * q.xy;
      const determinant = p.determinant + q.determinant + mixed;
      const far = (xx * dy * dy + yy * dx * dx - 2 * xy * dx * dy) / (4 * determinant);
      const shape = Math.log(determinant / (4 * Math.sqrt(p.determinant * q.determinant))) / 2;
      values[i * second.length + k] = 1 - Math.sqrt(-Math.expm1(-Math.max(0, far + shape)));
    }
  }
  return values;
}

function gaussiansOf(boxes: Float32Array) {
  return Array.from({ length: boxes.length / 5 }, (_, i) => {
    const [x, y, width, height, angle] = boxes.subarray(5 * i, 5 * i + 5);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [w, h] = [width * width / 12, height * height / 12];
    return {
      x,
      y,
      xx: w * cos * cos + h * sin * sin,
      yy: w * sin * sin + h * cos * cos,
      xy: (w - h) * sin * cos,
      determinant: w * h,
    };
  });
}
