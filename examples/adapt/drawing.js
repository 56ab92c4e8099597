/** Polygons, colours and painting on RGB numbers, without a canvas. Points are [x, y]; a colour is a function of the pixel. */
import { between } from "./random.js";

/** Side of a picture, pixels. */
export const SIZE = 160;

/** The corners of a line of that width. */
export function bar([ax, ay], [bx, by], width) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [nx, ny] = [(ay - by) * width / length / 2, (bx - ax) * width / length / 2];
  return [[ax + nx, ay + ny], [bx + nx, by + ny], [bx - nx, by - ny], [ax - nx, ay - ny]];
}

/** Points around the origin, so far from it. */
export function turned(count, turn, radiusOf) {
  return Array.from({ length: count }, (_, i) => polar(radiusOf(i), turn + 2 * Math.PI * i / count, [0, 0]));
}

export function spun(points, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return points.map(([x, y]) => [x * cos - y * sin, x * sin + y * cos]);
}

export function polar(radius, angle, [x, y]) {
  return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
}

export function boundsOf(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Share of each pixel inside of a polygon: exact along a line, four lines in a pixel. */
export function coverage(outline) {
  const [left, top, right, bottom] = boundsOf(outline);
  const box = [
    ...[left, top].map((low) => Math.max(0, Math.floor(low))),
    ...[right, bottom].map((high) => Math.min(SIZE, Math.ceil(high))),
  ];
  const width = Math.max(0, box[2] - box[0]);
  const shares = new Float32Array(width * Math.max(0, box[3] - box[1]));
  for (let line = 4 * box[1]; line < 4 * box[3]; line++) {
    const row = width * ((line >> 2) - box[1]);
    const ends = crossings(outline, (line + 0.5) / 4);
    for (let i = 0; i < ends.length; i += 2) {
      for (let x = Math.max(box[0], Math.floor(ends[i])); x < Math.min(box[2], ends[i + 1]); x++) {
        shares[row + x - box[0]] += (Math.min(x + 1, ends[i + 1]) - Math.max(x, ends[i])) / 4;
      }
    }
  }
  return { box, shares };
}

function crossings(outline, y) {
  const found = [];
  outline.forEach(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length];
    if (ay <= y !== by <= y) found.push(ax + (bx - ax) * (y - ay) / (by - ay));
  });
  return found.sort((a, b) => a - b);
}

/** Lays colours over a picture, as much as a coverage says. */
export function paint(picture, { box: [x0, y0, x1, y1], shares }, colourAt, opacity = 1) {
  let i = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++, i++) {
      const share = opacity * shares[i];
      if (share === 0) continue;
      const colour = colourAt(x, y);
      const at = 3 * (y * SIZE + x);
      for (let c = 0; c < 3; c++) picture[at + c] += share * (colour[c] - picture[at + c]);
    }
  }
}

/** A colour between two, by a shade from 0 to 1. */
export function blend(shade, first, second) {
  return (x, y) => first.map((value, c) => value + shade(x, y) * (second[c] - value));
}

/** 0 to 1 across a box, in any direction. */
export function ramp(random, [x0, y0, x1, y1]) {
  const angle = 2 * Math.PI * random();
  const along = (x, y) => x * Math.cos(angle) + y * Math.sin(angle);
  const ends = [[x0, y0], [x1, y0], [x0, y1], [x1, y1]].map(([x, y]) => along(x, y));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return (x, y) => (along(x, y) - low) / (high - low);
}

/** 0 to 1, smooth between so many cells a side. */
export function smoothNoise(random, cells) {
  const values = Float32Array.from({ length: (cells + 1) ** 2 }, random);
  const ease = (t) => t * t * (3 - 2 * t);
  return (x, y) => {
    const [u, v] = [x * cells / SIZE, y * cells / SIZE];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [ease(u - i), ease(v - j)];
    const at = j * (cells + 1) + i;
    const [top, bottom] = [at, at + cells + 1].map((k) => values[k] + s * (values[k + 1] - values[k]));
    return top + t * (bottom - top);
  };
}

/** A colour of any hue, with saturation and value between bounds. */
export function colourOf(random, saturations, values) {
  const [hue, saturation, value] = [6 * random(), between(random, ...saturations), between(random, ...values)];
  return [5, 3, 1].map((offset) => {
    const k = (offset + hue) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  });
}

/** A colour that is far from another. */
export function contrasting(random, under) {
  let colour;
  for (let attempt = 0; attempt < 20; attempt++) {
    colour = colourOf(random, [0.25, 1], [0.3, 1]);
    if (Math.hypot(...colour.map((value, c) => value - under[c])) > 80) break;
  }
  return colour;
}
