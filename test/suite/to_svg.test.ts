/** toSvg: what is drawn of detections, and that no text of the caller's becomes more than text. */
import { createEngine, Detections, heads, type SvgOptions, toSvg } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { throws } from "../compare.ts";
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
  return elements(root, "rect").filter(({ attributes }) => attributes["stroke-width"] === "2.5");
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
<rect x="100" y="200" width="200" height="200" stroke="#000" stroke-opacity="0.35" stroke-width="4.5"/>\
<rect x="100" y="200" width="200" height="200" stroke="#1ded1d" stroke-width="2.5"/></g>
<rect x="100" y="182" width="57.58" height="18" rx="3" fill="#1ded1d"/>\
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

test("no text of others is more than text", () => {
  for (const text of ATTACKS) {
    const options = { names: [text], title: text, background: text, image: `a.png?${text}` };
    const objects = [{ box: [0, 0, 99, 99], score: 0.5, classId: 0 }];
    for (const labels of [true, false]) {
      const root = drawn(objects, { ...options, labels });
      const names = new Set(elements(root, "svg").concat(root).flatMap((svg) => svg.children.map(({ name }) => name)));
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
  bad({ size, labels: 1 }, TypeError, "options.labels is number 1; wanted true or false");
  bad({ size, legend: "no" }, TypeError, 'options.legend is "no"; wanted true or false');
  bad({ size, title: 5 }, TypeError, "options.title is number 5; wanted a string");
});

test.run();
