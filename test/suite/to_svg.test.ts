/** toSvg: what is drawn of detections, and that no text of the caller's becomes more than text. */
import { createEngine, Detections, heads, type SvgOptions, toSvg } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { throws } from "../compare.ts";
import { random } from "../random.ts";
import { type Element, elements, parseXml } from "../xml.ts";

const test = suite("toSvg");

const size = [640, 640];
const one = { boxes: [100, 200, 300, 400], scores: [0.875], classes: [2] };
const spread = { ...one, std: [8, 9, 10, 11], excess: [4, 5, 6, 7] };

/** The picture, read as XML. */
function drawn(objects: unknown, options: Partial<SvgOptions> = {}): Element {
  return parseXml(toSvg(objects as never, { size, ...options }));
}

/** For values that TypeScript would refuse. */
// deno-lint-ignore no-explicit-any -- the point of it
const wrong = (value: unknown): any => value;

const boxesOf = (root: Element) => {
  return elements(root, "rect").filter(({ attributes }) => attributes["stroke-width"] === "2");
};
const textsOf = (root: Element) => elements(root, "text").map(({ text }) => text);
const pathsOf = (root: Element) => elements(root, "path").map(({ attributes }) => attributes.d);
const dashesOf = (root: Element) => elements(root, "rect").filter(({ attributes }) => "stroke-dasharray" in attributes);

// ── The whole ───────────────────────────────────────────────────────────────────

test("a box is this text", () => {
  assert.is(
    toSvg(one, { size, names: ["a", "b", "c"], title: "T" }),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 640" width="640" height="640">
<title>T</title>
<rect x="0" y="0" width="640" height="640" fill="#23272e"/>
<svg width="640" height="640" fill="none">
<g><title>c 0.88</title>\
<rect x="100" y="200" width="200" height="200" stroke="#000" stroke-opacity="0.35" stroke-width="3.5"/>\
<rect x="100" y="200" width="200" height="200" stroke="#00c88d" stroke-width="2"/></g>
<rect x="100" y="182" width="57.58" height="18" rx="3" fill="#00c88d"/>\
<text x="105" y="195" textLength="47.58" lengthAdjust="spacingAndGlyphs"\
 font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#000">c 0.88</text>
</svg>
</svg>
`,
  );
});

test("what detect returns, its JSON, columns and a list of objects are the same picture", async () => {
  const engine = await createEngine();
  const head = heads.gfl({ numClasses: 2, bins: 8, strides: [32] });
  const classes = { data: Float32Array.from({ length: 8 }, (_, i) => i % 3 - 1), dims: [1, 2, 2, 2] };
  const boxes = { data: Float32Array.from({ length: 128 }, (_, i) => i % 5), dims: [1, 32, 2, 2] };
  const [found] = engine.sync.detect({ classes, boxes }, { head, imageSize: [64, 64], uncertainty: true });
  engine.dispose();
  assert.ok(found.length > 1);
  const options = { size: [64, 64], names: { 1: "one" } };
  const text = toSvg(found, options);
  assert.ok(text.includes(">one 0.73</text>") && text.includes(">0 0.73</text>"));
  for (const same of [found.toJSON(), JSON.parse(JSON.stringify(found)), Detections.from(found.toJSON()), [...found]]) {
    assert.is(toSvg(same, options), text);
  }
  const { boxes: corners, scores, excess } = found;
  const arrays = { boxes: Float64Array.from(corners), scores: [...scores], classes: [...found.classes], excess };
  assert.is(toSvg(arrays, options), text);
});

test("nothing is an empty picture", () => {
  const empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 2" width="640" height="427">\n' +
    '<rect x="0" y="0" width="3" height="2" fill="#23272e"/>\n<svg width="3" height="2" fill="none">\n</svg>\n</svg>\n';
  assert.is(toSvg([], { size: [2, 3] }), empty);
  assert.is(toSvg({ boxes: new Float32Array(0), excess: new Float32Array(0) }, { size: [2, 3] }), empty);
  assert.is(toSvg([], { size: [2, 3], uncertainty: "std", labels: false }), empty);
});

test("lines and letters are as large beside pictures of any size; small ones are enlarged, large ones as they are", () => {
  const scaled = (factor: number) => {
    const objects = { ...one, boxes: one.boxes.map((side) => side * factor) };
    return drawn(objects, { size: [640 * factor, 320 * factor] });
  };
  const small = scaled(0.25);
  assert.equal([small.attributes.width, small.attributes.height], ["320", "640"]);
  assert.is(elements(small, "text")[0].attributes["font-size"], "3.25");
  const large = scaled(4);
  assert.equal([large.attributes.width, large.attributes.height], ["1280", "2560"]);
  assert.is(elements(large, "text")[0].attributes["font-size"], "52");
});

// ── Boxes ───────────────────────────────────────────────────────────────────────

test("the best are on top, in colours of their classes", () => {
  const root = drawn([{ box: [0, 0, 9, 9], classId: 0 }, { box: [1, 1, 8, 8], classId: 1 }, { box: [2, 2, 7, 7] }]);
  assert.equal(boxesOf(root).map(({ attributes }) => attributes.x), ["2", "1", "0"]);
  const [none, second, first] = boxesOf(root).map(({ attributes }) => attributes.stroke);
  assert.is(none, first, "without a class as class 0");
  assert.is.not(first, second);
});

test("boxes without a place are left out, and the legend says so; those of the truth too", () => {
  const bad = [[NaN, 0, 1, 1], [0, 0, Infinity, 1], [5, 0, 1, 1], [0, 5, 1, 1], [0, null, 1, 1]].map((box) => ({
    box,
  }));
  const good = [{ box: [1, 1, 1, 1] }, { box: [-5, -5, 700, 700] }];
  const root = drawn([...bad, ...good], { truth: wrong([...bad.slice(0, 1), ...good]) });
  assert.equal(textsOf(root), ["truth", "left out: 6 without a place"]);
  assert.is(boxesOf(root).length, 2);
  assert.is(dashesOf(root).length, 2 + 1, "two, and the legend's");
  assert.not.ok(/NaN|Infinity|undefined|null/.test(toSvg(wrong(bad), { size })));
  const flat = toSvg(wrong({ boxes: bad.flatMap(({ box }) => box) }), { size });
  assert.ok(flat.includes("left out: 5 without a place"));
});

test("labels are in the picture and off each other", () => {
  const boxes = Array.from({ length: 12 }, (_, i) => [520 + 9 * i, 20 * i, 640, 640 - i]);
  const root = drawn(boxes.map((box) => ({ box, score: 0.5, classId: 10 })));
  const chips = elements(root, "rect").filter(({ attributes }) => "rx" in attributes).map(({ attributes }) => {
    return ["x", "y", "width", "height"].map((name) => Number(attributes[name]));
  });
  assert.is(chips.length, 12);
  for (const [x, y, width, height] of chips) {
    assert.ok(x >= 0 && y >= 0 && x + width <= 640.001 && y + height <= 640.001, `${x}, ${y}`);
  }
  const overlaps = (a: number[], b: number[]) => {
    return [0, 1].every((axis) => a[axis] < b[axis] + b[axis + 2] && b[axis] < a[axis] + a[axis + 2]);
  };
  const pairs = chips.flatMap((a, i) => chips.slice(i + 1).filter((b) => overlaps(a, b)));
  assert.equal(pairs, []);
  const apart = [[0, 100, 200, 300], [0, 99, 150, 310]].map((box) => ({ box, score: 0.5 }));
  const [a, b] = elements(drawn(apart), "text").map(({ attributes }) => [attributes.x, attributes.y]);
  assert.not.equal(a, b);
});

test("thousands of boxes take no longer than their texts", () => {
  const boxes = Array.from({ length: 10000 }, (_, i) => [i % 97, i % 89, 100 + i % 501, 100 + i % 499]).flat();
  const svg = toSvg({ boxes, scores: new Float32Array(10000), classes: new Int32Array(10000) }, { size });
  assert.is(svg.split("\n").length, 20000 + 6);
});

// ── Uncertainty ─────────────────────────────────────────────────────────────────

/** Points of a path. */
function pointsOf(path: string): [number, number][] {
  return [...path.matchAll(/[ML]([-\d.e]+) ([-\d.e]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

test("ticks are as long as the sides are uncertain, and stand outside of the box", () => {
  const root = drawn(spread);
  const [edge, line] = pathsOf(root);
  assert.is(edge, line);
  assert.is(
    line,
    "M100 300L96 300M96 304L96 296M200 200L200 195M196 195L204 195M300 300L306 300M306 296L306 304M200 400L200 407M204 407L196 407",
  );
  assert.ok(toSvg(spread, { size }).includes("<title>2 0.88, ± 4.0, 5.0, 6.0, 7.0 px (l, t, r, b)</title>"));
  assert.equal(textsOf(root), ["2 0.88", "± how far a side spreads beyond interpolation"]);
  const sure = pathsOf(drawn({ ...one, excess: [0, 0, 0, 0] }))[0];
  for (const [x, y] of pointsOf(sure)) assert.ok(x <= 100 || x >= 300 || y <= 200 || y >= 400, `${x}, ${y}`);
  // Half of the dark edge's 3.
  assert.ok(sure.startsWith("M100 300L98.5 300"));
});

test("uncertainty chooses what ticks show", () => {
  const std = drawn(spread, { uncertainty: "std" });
  assert.ok(pathsOf(std)[0].startsWith("M100 300L92 300M92 304"));
  assert.ok(textsOf(std).includes("± standard deviation of a side"));
  const none = drawn(spread, { uncertainty: "none" });
  assert.equal(pathsOf(none), []);
  assert.equal(textsOf(none), ["2 0.88"]);
  assert.equal(pathsOf(drawn(one)), [], "where there is none, none is shown");
  const half = pathsOf(drawn({ ...one, excess: [NaN, 1, Infinity, 2] }));
  assert.is(half[0].split("M").length - 1, 2 * 2, "a side whose spread is not finite has no tick");
});

// ── Masks ───────────────────────────────────────────────────────────────────────

/** (height · width) of 0 and 1 as COCO's counts: column by column, zeros first. */
function countsOf(bitmap: ArrayLike<number>, height: number, width: number): number[] {
  const counts = [0];
  for (let p = 0; p < height * width; p++) {
    const value = bitmap[(p % height) * width + Math.floor(p / height)];
    if (value === (counts.length - 1) % 2) counts[counts.length - 1]++;
    else counts.push(1);
  }
  return counts;
}

/** Masks as `detect` has them, whose windows are the whole frame. */
function masksOf(bitmaps: readonly ArrayLike<number>[], height: number, width: number) {
  return { width, height, crop: (i: number) => ({ x: 0, y: 0, width, height, data: bitmaps[i] }) };
}

const maskPaths = (root: Element) => {
  return elements(root, "path").map(({ attributes }) => attributes).filter((attributes) => "fill-rule" in attributes);
};

/** 1 for each pixel whose centre is inside of the path by the rule "evenodd". */
function filled(path: string, height: number, width: number): number[] {
  const edges: [x: number, top: number, bottom: number][] = [];
  for (const [, startX, startY, steps] of path.matchAll(/M(\d+) (\d+)([^z]*)z/g)) {
    let [x, y] = [Number(startX), Number(startY)];
    for (const [, axis, text] of steps.matchAll(/([hv])(-?\d+)/g)) {
      const step = Number(text);
      if (axis === "v") edges.push([x, Math.min(y, y + step), Math.max(y, y + step)]);
      [x, y] = axis === "h" ? [x + step, y] : [x, y + step];
    }
    assert.is(x, Number(startX), "z goes straight up or down");
    edges.push([x, Math.min(y, Number(startY)), Math.max(y, Number(startY))]);
  }
  return Array.from({ length: height * width }, (_, p) => {
    const [x, y] = [p % width + 0.5, Math.floor(p / width) + 0.5];
    return edges.filter(([edge, top, bottom]) => edge < x && top < y && y < bottom).length % 2;
  });
}

test("a mask is outlines along the edges of its pixels, around holes too, in any form", () => {
  const ring = [1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1];
  const boxes = [0, 0, 3, 4];
  const window = { x: 1, y: 1, width: 2, height: 2, data: [0, 1, 1, 0] };
  const forms: [unknown, string][] = [
    [{ boxes, masks: masksOf([ring], 4, 3) }, "M0 0h3v4h-3zM1 3h1v-2h-1z"],
    [{ boxes, masks: [{ size: [4, 3], counts: [0, 5, 2, 5] }] }, "M0 0h3v4h-3zM1 3h1v-2h-1z"],
    [{ boxes, masks: [{ size: [4, 3], counts: "0520" }] }, "M0 0h3v4h-3zM1 3h1v-2h-1z"],
    [[{ box: boxes, segmentation: { size: [4, 3], counts: "0520" } }], "M0 0h3v4h-3zM1 3h1v-2h-1z"],
    [{ boxes, masks: { width: 3, height: 4, crop: () => window } }, "M2 1h1v1h-1v1h-1v-1h1z"],
    [[{ box: boxes, segmentation: [[0, 0, 2.5, 0, 2.5, 3], [1, 1, 2, 1, 2, 2]] }], "M0 0L2.5 0L2.5 3zM1 1L2 1L2 2z"],
  ];
  for (const [objects, path] of forms) {
    assert.equal(maskPaths(drawn(objects, { size: [4, 3] })).map(({ d }) => d), [path]);
    const [same] = elements(drawn([], { size: [4, 3], truth: wrong(objects) }), "path");
    assert.is(same.attributes.d, path);
  }
});

test("masks of any shape are filled to the pixel", () => {
  const { uniform } = random(7);
  for (const [height, width, share] of [[1, 1, 1], [5, 7, 0.5], [16, 16, 0.2], [16, 16, 0.8], [31, 9, 0.5]]) {
    const bitmap = Array.from({ length: height * width }, () => uniform() < share ? 1 : 0);
    const options = { size: [height, width] };
    const boxes = [0, 0, width, height];
    const [whole] = maskPaths(drawn({ boxes, masks: masksOf([bitmap], height, width) }, options));
    assert.equal(filled(whole.d, height, width), bitmap);
    assert.is(whole["fill-rule"], "evenodd");
    const runs = [{ size: [height, width], counts: countsOf(bitmap, height, width) }];
    const [coded] = maskPaths(drawn({ boxes, masks: runs }, options));
    assert.equal(filled(coded.d, height, width), bitmap);
  }
});

test("masks are grounds, outlines, both or none; an empty one is nothing", () => {
  const objects = { boxes: [0, 0, 3, 4], classes: [2], masks: masksOf([Array(12).fill(1)], 4, 3) };
  const looks = (masks?: SvgOptions["masks"]) => {
    return maskPaths(drawn(objects, { size: [4, 3], masks })).map(({ fill, stroke }) => [fill, stroke]);
  };
  assert.equal(looks(), [["#00c88d", "#00c88d"]]);
  assert.equal(looks("both"), looks());
  assert.equal(looks("fill"), [["#00c88d", undefined]]);
  assert.equal(looks("outline"), [[undefined, "#00c88d"]]);
  assert.equal(looks("none"), []);
  for (const masks of [masksOf([Array(12).fill(0)], 4, 3), [{ size: [4, 3], counts: [12] }]]) {
    assert.equal(maskPaths(drawn({ boxes: [0, 0, 3, 4], masks }, { size: [4, 3] })), []);
  }
});

test("one mask at a time is asked for", () => {
  let asked = 0;
  const masks = {
    width: 8,
    height: 8,
    crop: (i: number) => {
      assert.is(i, asked++);
      return { x: 0, y: 0, width: 1, height: 1, data: [1] };
    },
  };
  const objects = { boxes: Array(4 * 300).fill(1), masks };
  assert.is(maskPaths(drawn(objects, { size: [8, 8] })).length, 300);
  drawn(objects, { size: [8, 8], masks: "none" });
  assert.is(asked, 300);
});

// ── Keypoints ───────────────────────────────────────────────────────────────────

const linePaths = (root: Element) => {
  return elements(root, "path").filter(({ attributes }) => attributes["stroke-width"] === "2")
    .map(({ attributes }) => attributes.d);
};
const circlesOf = (root: Element) => elements(root, "circle").map(({ attributes }) => attributes);

test("keypoints are full where they are visible and hollow where not, with lines between visible ones", () => {
  const keypoints = [10, 20, 1, 30, 40, 0.75, 50, 60, 0.25, NaN, 1, 1];
  const skeleton = [[0, 1], [1, 2], [0, 3]] as const;
  const boxes = [0, 0, 99, 99];
  const root = drawn({ boxes, keypoints }, { skeleton });
  assert.equal(linePaths(root), ["M10 20L30 40"]);
  const looks = circlesOf(root).map(({ cx, cy, fill, opacity }) => [cx, cy, fill !== undefined, opacity]);
  const hollow = ["50", "60", false, undefined];
  assert.equal(looks.slice(0, 4), [["10", "20", true, undefined], ["30", "40", true, "0.75"], hollow, hollow]);
  assert.equal(textsOf(root), ["visibility under 0.5"]);
  const lower = drawn({ boxes, keypoints }, { skeleton, minVisibility: 0.25 });
  assert.equal(linePaths(lower), ["M10 20L30 40M30 40L50 60"]);
  assert.equal(textsOf(lower), []);
  const nested = [{ box: boxes, keypoints: [[10, 20, 1], [30, 40, 0.75], [50, 60, 0.25], [NaN, 1, 1]] }];
  assert.is(toSvg(nested, { size, skeleton }), toSvg({ boxes, keypoints }, { size, skeleton }));
});

test("17 keypoints are COCO's without a word; others have points alone", () => {
  const keypoints = (count: number) => Array.from({ length: count }, (_, k) => [10 * k, k, 1]).flat();
  const lines = (count: number, skeleton?: SvgOptions["skeleton"]) => {
    const [path = ""] = linePaths(drawn({ boxes: [0, 0, 9, 9], keypoints: keypoints(count) }, { skeleton }));
    return [...path.matchAll(/M(\d+) \d+L(\d+) \d+/g)].map(([, from, to]) => [Number(from) / 10, Number(to) / 10]);
  };
  const person = lines(17);
  assert.is(person.length, 19);
  const has = (...pair: number[]) => assert.ok(person.some((line) => String(line) === String(pair)), String(pair));
  // Shoulder to elbow to wrist, hip to knee to ankle, both sides.
  for (const pair of [[5, 7], [7, 9], [6, 8], [8, 10], [11, 13], [13, 15], [12, 14], [14, 16], [5, 11], [6, 12]]) {
    has(...pair);
  }
  assert.equal(lines(17, []), []);
  assert.equal(lines(4), []);
  assert.equal(lines(4, [[3, 0]]), [[3, 0]]);
  assert.equal(linePaths(drawn(one, { skeleton: [[3, 0]] })), [], "objects without keypoints have no lines");
});

test("of the truth all points are drawn that are known", () => {
  const truth = [{ box: [0, 0, 9, 9], keypoints: [1, 2, 2, 3, 4, 1, 0, 0, 0] }];
  const root = drawn([], { truth, skeleton: [[0, 1], [1, 2]] });
  const dashes = elements(root, "path").filter(({ attributes }) => "stroke-dasharray" in attributes);
  assert.equal(dashes.map(({ attributes }) => attributes.d), ["M1 2L3 4"]);
  assert.equal(circlesOf(root).map(({ cx, cy }) => [cx, cy]), [["1", "2"], ["1", "2"], ["3", "4"], ["3", "4"]]);
});

// ── Turned boxes ────────────────────────────────────────────────────────────────

test("turned boxes are polygons in place of their boxes, with a wide side where the angle points to", () => {
  // A quarter clockwise: the width goes down, and its end is the lower side.
  const rotated = [100, 200, 80, 20, Math.PI / 2];
  const columns = drawn({ boxes: [0, 0, 640, 640], rotated, scores: [0.5], classes: [2] });
  const [edge, line] = elements(columns, "polygon").map(({ attributes }) => attributes);
  assert.is(edge.points, line.points);
  assert.is(line.points, "110,160 110,240 90,240 90,160");
  assert.is(boxesOf(columns).length, 0);
  assert.is(elements(columns, "path")[0].attributes.d, "M110 240L90 240");
  assert.equal(textsOf(columns), ["2 0.50", "angle points to the wide side"]);
  const list = drawn([{ rotated, score: 0.5, classId: 2, excess: [1, 2, 3, 4] }]);
  const [label] = elements(list, "text");
  assert.equal([label.attributes.x, label.attributes.y], ["95", "155"], "above the box around it");
  const path = elements(list, "path").map(({ attributes }) => attributes.d).find((d) => d.startsWith("M100 160"));
  // Left, top, right and bottom side of the upright box are above, to the right, below, to the left.
  assert.is(
    path,
    "M100 160L100 158.5M96 158.5L104 158.5M110 200L112 200M112 196L112 204M100 240L100 243M104 243L96 243M90 200L86 200M86 204L86 196",
  );
  const truth = drawn([], { truth: { boxes: [0, 0, 9, 9], rotated: Float32Array.of(5, 5, 4, 2, 0) } });
  assert.is(elements(truth, "polygon")[1].attributes.points, "3,4 7,4 7,6 3,6");
});

test("turned boxes that are not finite are left out", () => {
  const bad = [[NaN, 1, 1, 1, 0], [1, 1, 1, 1, Infinity], [1, 1, -1, 1, 0]].map((rotated) => ({ rotated }));
  assert.equal(textsOf(drawn([...bad, { rotated: [1, 1, 0, 1, 1e6] }])).at(-1), "left out: 3 without a place");
});

// ── Options ─────────────────────────────────────────────────────────────────────

test("the truth is dashed, in any form", () => {
  const boxes = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const forms = [
    { boxes },
    { boxes, labels: Int32Array.of(1, 2), ignore: Float32Array.of(0, 0, 9, 9) },
    [{ box: [1, 2, 3, 4] }, { box: boxes.subarray(4) }],
  ];
  for (const truth of forms) {
    const root = drawn(one, { truth });
    assert.equal(
      dashesOf(root).slice(0, 2).map(({ attributes }) => [attributes.x, attributes.y]),
      [["1", "2"], ["5", "6"]],
    );
    assert.equal(textsOf(root), ["2 0.88", "truth"]);
  }
});

test("without labels the legend tells the classes, without a legend the picture is no higher", () => {
  const objects = { boxes: [...one.boxes, ...one.boxes, ...one.boxes], classes: [7, 2, 7], excess: Array(12).fill(1) };
  const root = drawn(objects, { labels: false, names: { 7: "seven" } });
  assert.equal(textsOf(root), ["2", "seven", "± how far a side spreads beyond interpolation"]);
  assert.is(root.attributes.viewBox, "0 0 640 660");
  const narrow = drawn(objects, { labels: false, size: [640, 200] });
  assert.is(narrow.attributes.viewBox, "0 0 200 680", "the long entry is in a line of its own, in smaller letters");
  const bare = drawn(objects, { labels: false, legend: false });
  assert.equal(textsOf(bare), []);
  assert.is(bare.attributes.viewBox, "0 0 640 640");
});

test("the background is a colour, or none", () => {
  const fill = (background?: string) => {
    return elements(drawn([], { background }), "rect").map(({ attributes }) => attributes.fill);
  };
  assert.equal(fill(), ["#23272e"]);
  assert.equal(fill("white"), ["white"]);
  assert.equal(fill("none"), []);
});

test("an image is its address, or has its bytes in it", () => {
  const href = (image: unknown) => elements(drawn([], { image: wrong(image) }), "image")[0].attributes;
  assert.is(href("photo 1.jpg?a=1&b=2").href, "photo 1.jpg?a=1&b=2");
  assert.is(href("data:image/png;base64,AAAA").href, "data:image/png;base64,AAAA");
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3);
  assert.is(href(png).href, "data:image/png;base64,iVBORwECAw==");
  assert.is(href(png.buffer).href, "data:image/png;base64,iVBORwECAw==");
  assert.is(href(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)).href, "data:image/jpeg;base64,/9j/4A==");
  const kinds = { "image/gif": "GIF89a", "image/webp": "RIFF....WEBPVP8 ", "image/avif": "....ftypavif" };
  for (const [mime, text] of Object.entries(kinds)) {
    assert.is(href(new TextEncoder().encode(text)).href, `data:${mime};base64,${btoa(text)}`);
  }
  const long = new Uint8Array(50000).fill(0xa5);
  long.set([0x89, 0x50, 0x4e, 0x47]);
  const [, base64] = String(href(long).href).split(",");
  assert.equal(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), long);
  assert.is(href("a.png").style, "image-orientation:from-image");
  const small = elements(drawn([], { image: "a.png", size: [160, 160] }), "image")[0];
  assert.is(small.attributes.style, "image-orientation:from-image;image-rendering:pixelated");
});

// ── Texts of others ─────────────────────────────────────────────────────────────

const ATTACKS = [
  `"><script>alert(1)</script>`,
  `' onload='alert(1)`,
  `]]><!-- <![CDATA[ &lt; &#0; &amp;`,
  "\u0000\u0001\b\v\f\u001b[31m\u007f\u0085",
  "\ud800 \udc00 \ufffe\uffff",
  "\u202e\u2066 \u200f",
  "a\nb\tc\rd",
  "</text></svg>",
];

function namesIn({ children }: Element): string[] {
  return children.flatMap((child) => [child.name, ...namesIn(child)]);
}

test("no text of others is more than text", () => {
  for (const text of ATTACKS) {
    const options = { names: [text], title: text, background: text, image: `a.png?${text}` };
    const objects = [{ box: [0, 0, 99, 99], score: 0.5, classId: 0 }];
    for (const labels of [true, false]) {
      const root = drawn(objects, { ...options, labels });
      const names = new Set(namesIn(root));
      assert.equal([...names].sort(), ["g", "image", "rect", "svg", "text", "title"], text);
      const marked = text.replaceAll(/[^ -~]/gu, "�");
      assert.is(elements(root, "title")[0].text, marked);
      assert.is(elements(root, "rect")[0].attributes.fill, marked);
      assert.is(elements(root, "image")[0].attributes.href, `a.png?${marked}`);
      assert.is(textsOf(root)[0], labels ? `${marked} 0.50` : marked);
    }
  }
});

test("letters of any script stay, and wide ones have room", () => {
  const width = (name: string) => {
    const [text] = elements(drawn([{ box: [0, 0, 9, 9], classId: 0 }], { names: [name] }), "text");
    assert.is(text.text, name);
    return Number(text.attributes.textLength);
  };
  assert.is(width("自転車"), width("abcdef"));
  assert.is(width("é"), width("e\u0301"));
  assert.is(width("🚲"), width("ab"));
});

test("addresses that run, or are of no image, are refused", () => {
  const place = "toSvg: options.image is";
  for (
    const image of ["javascript:alert(1)", " java\tscript:alert(1)", "VBScript:x", "data:text/html,<b>", "data:,x"]
  ) {
    throws(() => drawn([], { image }), RangeError, place, "wanted the address of an image");
  }
});

// ── Errors ──────────────────────────────────────────────────────────────────────

test("what does not fit is refused, by its place", () => {
  const bad = (objects: unknown, kind: ErrorConstructor, message: string) => {
    throws(() => drawn(objects), kind, `toSvg: ${message}`);
  };
  bad(undefined, TypeError, "detections is undefined; wanted detections, an object with boxes, or a list");
  bad("boxes", TypeError, 'detections is "boxes"');
  bad(new Float32Array(4), TypeError, "detections is Float32Array(4)");
  bad({ box: [0, 0, 1, 1] }, TypeError, "detections is an object (Object)");
  bad(
    { boxes: [1, 2, 3] },
    TypeError,
    "detections.boxes is an array of 3; wanted an array of four numbers for each box",
  );
  bad({ boxes: "abcd" }, TypeError, 'detections.boxes is "abcd"; wanted an array of numbers');
  bad({ boxes: [1, 2, "3", 4] }, TypeError, 'detections.boxes[2] is "3"; wanted a number');
  bad({ boxes: new BigInt64Array(4) }, TypeError, "detections.boxes[0] is bigint 0; wanted a number");
  bad({ ...one, scores: [] }, TypeError, "detections.scores is an array of 0; wanted an array of 1 numbers");
  bad(
    { ...one, std: new Float32Array(3) },
    TypeError,
    "detections.std is Float32Array(3); wanted an array of 4 numbers",
  );
  bad({ ...one, classes: [0.5] }, RangeError, "detections.classes[0] is 0.5; wanted an integer from 0");
  bad({ ...one, labels: [-1], classes: undefined }, RangeError, "detections.labels[0] is -1");
  bad({ ...one, score: [1] }, TypeError, "detections.score is unknown; did you mean scores?");
  bad([one.boxes], TypeError, "detections[0].0 is unknown");
  bad([{ box: one.boxes }, null], TypeError, "detections[1] is null; wanted an object");
  bad([{ score: 1 }], TypeError, "detections[0].box is undefined; wanted an array of 4 numbers");
  bad([{ box: one.boxes, score: "1" }], TypeError, "detections[0].score");
  bad([{ box: one.boxes, classId: -1 }], RangeError, "detections[0].classId is -1");
  bad([{ box: one.boxes, excess: [1] }], TypeError, "detections[0].excess is an array of 1; wanted an array of 4");
  bad(
    { ...one, rotated: [1, 2, 3, 4] },
    TypeError,
    "detections.rotated is an array of 4; wanted an array of 5 numbers",
  );
  bad({ ...one, keypoints: [1, 2] }, TypeError, "detections.keypoints is an array of 2; wanted x, y and visibility");
  bad({ boxes: [], keypoints: [1, 2, 3] }, TypeError, "detections.keypoints is an array of 3");
  bad({ ...one, masks: [] }, TypeError, "detections.masks is an array of 0; wanted an array of 1 run lengths");
  bad({ ...one, masks: {} }, TypeError, "detections.masks is an object (Object); wanted masks of `detect`");
  bad({ ...one, masks: null }, TypeError, "detections.masks is null; wanted masks of `detect`");
  bad({ ...one, masks: [{ size: [2, 2], counts: "0" }] }, RangeError, "detections.masks[0].counts is of 0 pixels");
  const small = "detections.masks is of [4, 3]; wanted [640, 640], as options.size has";
  bad({ ...one, masks: masksOf([Array(12).fill(0)], 4, 3) }, TypeError, small);
  const coded = { size: [4, 3], counts: "0520" };
  bad({ ...one, masks: [coded] }, TypeError, "detections.masks[0] is of [4, 3]; wanted [640, 640]");
  bad([{ box: one.boxes, segmentation: coded }], TypeError, "detections[0].segmentation is of [4, 3]");
  bad([{ box: one.boxes, segmentation: [[1, 2, 3, 4]] }], TypeError, "detections[0].segmentation[0] is an array of 4");
  bad([{ box: one.boxes, segmentation: 5 }], TypeError, "detections[0].segmentation is number 5");
  bad([{ box: one.boxes, keypoints: [[1, 2]] }], TypeError, "detections[0].keypoints[0] is an array of 2");
  bad([{ rotated: [1, 2] }], TypeError, "detections[0].rotated is an array of 2; wanted an array of 5 numbers");
  bad([{ box: one.boxes, clasId: 1 }], TypeError, "detections[0].clasId is unknown; did you mean classId?");
});

test("options that do not fit are refused, by their place", () => {
  const bad = (options: unknown, kind: ErrorConstructor, message: string) => {
    throws(() => toSvg(one, wrong(options)), kind, `toSvg: ${message}`);
  };
  bad(undefined, TypeError, "options is undefined; wanted an object");
  bad({}, TypeError, "options.size is undefined; wanted [height, width]");
  bad({ size: [640] }, TypeError, "options.size is an array of 1; wanted [height, width]");
  bad({ size: [640, 0] }, RangeError, "options.size is [640, 0]; wanted positive [height, width]");
  bad({ size, width: 640 }, TypeError, "options.width is unknown");
  bad({ size, label: true }, TypeError, "options.label is unknown; did you mean labels?");
  bad({ size, image: 5 }, TypeError, "options.image is number 5; wanted an address, or the bytes of a PNG");
  bad({ size, image: Uint8Array.of(1, 2) }, RangeError, "options.image is bytes that begin with ");
  bad({ size, background: 5 }, TypeError, "options.background is number 5; wanted a string");
  bad({ size, names: "abc" }, TypeError, 'options.names is "abc"; wanted a list of names');
  bad({ size, names: [0, 1, 2] }, TypeError, "options.names[2] is number 2; wanted a string");
  bad({ size, truth: 5 }, TypeError, "options.truth is number 5; wanted detections");
  bad({ size, truth: { boxes: [1] } }, TypeError, "options.truth.boxes is an array of 1");
  bad({ size, truth: [{ box: [1] }] }, TypeError, "options.truth[0].box is an array of 1");
  bad({ size, uncertainty: "ticks" }, TypeError, 'options.uncertainty is "ticks"; wanted "excess" or "std" or "none"');
  bad(
    { size, uncertainty: "std" },
    TypeError,
    'options.uncertainty is "std"; wanted "none", because not all detections',
  );
  bad({ size, masks: "all" }, TypeError, 'options.masks is "all"; wanted "both" or "outline" or "fill" or "none"');
  bad({ size, skeleton: "coco" }, TypeError, 'options.skeleton is "coco"; wanted a list of pairs of keypoints');
  bad({ size, skeleton: [[1, 2, 3]] }, TypeError, "options.skeleton[0] is an array of 3; wanted a pair of keypoints");
  bad({ size, skeleton: [[0, -1]] }, RangeError, "options.skeleton[0][1] is -1");
  const beyond = () => drawn({ ...one, keypoints: [1, 2, 1] }, { skeleton: [[0, 1]] });
  throws(beyond, RangeError, "toSvg: options.skeleton[0] is [0, 1]; wanted keypoints from 0 to 0");
  bad({ size, minVisibility: 2 }, RangeError, "options.minVisibility is 2; wanted a number from 0 to 1");
  bad({ size, labels: 1 }, TypeError, "options.labels is number 1; wanted true or false");
  bad({ size, legend: "no" }, TypeError, 'options.legend is "no"; wanted true or false');
  bad({ size, title: 5 }, TypeError, "options.title is number 5; wanted a string");
});

test.run();
