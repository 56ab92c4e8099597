/** examples/cloudflare-worker behind its queue. */
import { createEngine, type GroundTruth, heads, type HostTensor } from "densehead";
import { cocoEvaluate, CocoEvaluator } from "densehead/eval";
import { writeSafetensors } from "densehead/files";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { consume, enqueue } from "../../examples/cloudflare-worker/src/queue.ts";
import {
  type Contribution,
  type Contributions,
  merge,
  mergePartials,
  type Summary,
} from "../../examples/cloudflare-worker/src/summary.ts";
import { truthFromJson } from "../../examples/cloudflare-worker/src/truth.ts";
import { random } from "../random.ts";
import { pack, randomHead } from "../raw_head.ts";
import { note } from "../suite/notes.ts";
import { skip } from "../suite/skip.ts";
import { type Miniflare, missing, root, startWorker, TOKEN, withWorker } from "./cloudflare_worker.ts";

const test = suite("cloudflare-worker, queue");
const { sync } = await createEngine({ relaxedSimd: "off" });

/** 10 000 by hand. */
const KEYS = Number(process.env.DENSEHEAD_QUEUE_KEYS ?? 1000);

// ── Heads and what becomes of them ──────────────────────────────────────────────

const QUEUE_QUERY = "head=gfl&imageSize=32,32&numClasses=2&bins=8&strides=8,16&score=0.3";
const head = heads.gfl({ numClasses: 2, bins: 8, strides: [8, 16] });
const imageSize = [32, 32] as const;
const gt: GroundTruth = { boxes: Float32Array.of(2, 3, 20, 25, 10, 8, 31, 30), labels: Int32Array.of(0, 1) };
const TRUTH = JSON.stringify({ boxes: [[2, 3, 20, 25], [10, 8, 31, 30]], labels: [0, 1] });

interface Head {
  readonly cls: HostTensor;
  readonly reg: HostTensor;
  readonly scored: boolean;
}

/** Every second has ground truth beside it. */
function headOf(i: number): Head {
  const raw = randomHead(random(9000 + i), head, imageSize);
  return { cls: pack(head, raw, [raw.classes]), reg: pack(head, raw, [raw.boxes]), scored: i % 2 === 0 };
}

/** (anchors, channels) of (1, channels, anchors). */
function rowsOf({ data, dims: [, channels, anchors] }: HostTensor): HostTensor {
  const rows = Float32Array.from(
    { length: data.length },
    (_, i) => data[(i % channels) * anchors + Math.floor(i / channels)] as number,
  );
  return { data: rows, dims: [anchors, channels] };
}

/** What the result of a head says, but for the version of the head. */
function expected(key: string, { cls, reg, scored }: Head) {
  const [found] = sync.detect({ classes: cls, boxes: reg }, { head, imageSize, scoreThreshold: 0.3 });
  const { total, parts, numPos } = sync.gflCriterion({
    cls: rowsOf(cls),
    dist: rowsOf(reg),
    head,
    imageSize,
    gt: [gt],
  });
  const score = { criterion: "gfl", total, parts, numPos };
  return JSON.parse(JSON.stringify({ key, detections: found.toCoco(0), ...(scored ? { score } : {}) }));
}

/** What mergePartials should say of results. */
function summaryOf(results: ReturnType<typeof expected>[]): Summary {
  const scoreHistogram = new Array<number>(10).fill(0);
  const rows: { score: number }[] = results.flatMap(({ detections }) => detections);
  for (const { score } of rows) scoreHistogram[Math.min(Math.floor(score * 10), 9)]++;
  const scored = results.flatMap(({ score }) => score === undefined ? [] : [{ total: score.total, ...score.parts }]);
  const mean = (name: string) => scored.reduce((sum, losses) => sum + losses[name], 0) / scored.length;
  const lossMeans = Object.fromEntries(["total", "cls", "box", "dfl"].map((name) => [name, mean(name)]));
  const evaluation = evaluationOf(results);
  return {
    heads: results.length,
    detections: rows.length,
    scoreHistogram,
    scored: scored.length,
    lossMeans,
    evaluation,
  };
}

/** What one machine would say of the results that have ground truth, at once. */
function evaluationOf(results: ReturnType<typeof expected>[]): Summary["evaluation"] {
  const scored = results.filter(({ score }) => score !== undefined);
  const sides = [[2, 3, 18, 22], [10, 8, 21, 22]];
  const dataset = {
    images: scored.map(({ key }) => ({ id: key })),
    categories: [{ id: 0 }, { id: 1 }],
    annotations: scored.flatMap(({ key }) => sides.map((bbox, i) => ({ image_id: key, category_id: i, bbox }))),
  };
  const rows = scored.flatMap(({ key, detections }) => {
    const found = detections as { image_id: string; category_id: number; bbox: number[]; score: number }[];
    return found.map((row) => ({ ...row, image_id: key })).filter(({ bbox }) => bbox[2] > 0 && bbox[3] > 0);
  });
  const { stats, lrp, calibration } = cocoEvaluate(dataset, rows);
  return { stats, lrp, calibration };
}

function sameSummary({ lossMeans, ...counts }: Summary, wanted: Summary): void {
  // Through JSON, which has null for NaN: the numbers are the same to the bit.
  assert.equal(
    JSON.parse(JSON.stringify({ ...counts, lossMeans: {} })),
    JSON.parse(JSON.stringify({ ...wanted, lossMeans: {} })),
  );
  assert.equal(Object.keys(lossMeans).sort(), Object.keys(wanted.lossMeans).sort());
  for (const [name, mean] of Object.entries(wanted.lossMeans)) {
    // Only the order of addition differs.
    assert.ok(
      Math.abs(lossMeans[name] - mean) <= 1e-12 * Math.abs(mean),
      `${name}: ${lossMeans[name]}, wanted ${mean}`,
    );
  }
}

// ── In workerd ──────────────────────────────────────────────────────────────────

const QUEUE = { maxBatchSize: 20, maxBatchTimeout: 0, maxRetries: 100 };

async function start(): Promise<Miniflare> {
  return await startWorker(join(root, "test/examples/flaky_worker.ts"), {
    bindings: { API_TOKEN: TOKEN, QUEUE_QUERY },
    queueConsumers: { heads: { ...QUEUE, deadLetterQueue: "dead-letters" }, "dead-letters": QUEUE },
    // The failures that are wanted would fill the terminal.
    handleStructuredLogs: () => {},
  });
}

/** Messages, and a reason for each key of theirs. */
const poison: [body: unknown, key: unknown, reason: RegExp][] = [
  [{ key: "missing" }, "missing", /no such object/],
  [{ object: { key: "truncated" } }, "truncated", /no whole .safetensors file/],
  [{ key: "other shape" }, "other shape", /wanted \(B, 2, anchors\)/],
  [{ key: "bad truth" }, "bad truth", /labels is no list of 2 classes/],
  [{ key: "no class" }, "no class", /labels\[1\] is 2; wanted a class/],
  [{ key: "long".repeat(300) }, "long".repeat(300), /up to 1000 bytes/],
  [{ key: 7 }, 7, /names no key/],
  ["text", null, /names no key/],
  [null, null, /names no key/],
];

async function fill(put: (key: string, value: BodyInit) => Promise<unknown>, keys: readonly string[]): Promise<void> {
  for (const [i, key] of keys.entries()) {
    const { cls, reg, scored } = headOf(i);
    if (scored) await put(`${key}.gt.json`, TRUTH);
    await put(key, writeSafetensors({ cls, reg }));
  }
  const { cls, reg } = headOf(0);
  const good = writeSafetensors({ cls, reg });
  await put("truncated", good.subarray(0, 900));
  await put("other shape", writeSafetensors({ cls: { data: new Float32Array(60), dims: [1, 3, 20] }, reg }));
  await put("bad truth", good);
  await put("bad truth.gt.json", TRUTH.replace("[0,1]", "[0]"));
  await put("no class", good);
  await put("no class.gt.json", TRUTH.replace("[0,1]", "[0,2]"));
  await put("unreadable/head", good);
}

interface Letter {
  readonly key: unknown;
  readonly reason?: string;
}

test("every good key has its result and every poison key its reason, whatever fails on the way", async () => {
  if (missing !== null) return skip(missing);
  await withWorker(await start(), everyKeyHasItsResult);
});

async function everyKeyHasItsResult(worker: Miniflare): Promise<void> {
  const url = await worker.ready;
  const objects = (query: Record<string, string>) => new URL(`/objects?${new URLSearchParams(query)}`, url);
  // An idle connection may end while this thread computes, and the next request would fail on it.
  const headers = { Connection: "close" };
  const read = async <T>(prefix: string) => {
    return await (await fetch(objects({ prefix }), { headers })).json() as Record<string, T>;
  };
  const put = async (key: string, body: BodyInit) =>
    await (await fetch(objects({ key }), { method: "PUT", body })).text();
  const keys = Array.from({ length: KEYS }, (_, i) => `heads/${i}.safetensors`);
  await fill(put, keys);

  // As R2 notifies of them, and some more than once.
  const notify = (key: string) => ({
    action: "PutObject",
    bucket: "densehead-heads",
    object: { key, size: 1, eTag: "" },
  });
  const bodies: unknown[] = keys.flatMap((key, i) => new Array(i % 7 === 0 ? 3 : 1).fill(notify(key)));
  poison.forEach(([body], i) => bodies.splice(i * 90, 0, body));
  bodies.push({ key: "unreadable/head" }, ...poison.map(([body]) => body));
  const queue = await worker.getQueueProducer("KEYS");
  const started = performance.now();
  for (let i = 0; i < bodies.length; i += 100) {
    await queue.sendBatch(bodies.slice(i, i + 100).map((body) => ({ body })));
  }

  const summarise = async (): Promise<Summary> => {
    const init = { method: "POST", headers: { ...headers, Authorization: `Bearer ${TOKEN}` } };
    return await (await fetch(new URL("/summary", url), init)).json() as Summary;
  };
  const letters = async () => Object.values(await read<Letter>("dead/"));
  const isOf = ({ key, reason }: Letter) => (p: typeof poison[number]) => p[1] === key && p[2].test(reason ?? "");
  const unreadable = JSON.stringify({ key: "unreadable/head" });
  const settled = async () => {
    const dead = await letters();
    return poison.every((p) => dead.some((letter) => isOf(letter)(p))) &&
      dead.some((letter) => JSON.stringify(letter) === unreadable) && (await summarise()).heads === KEYS;
  };
  for (const deadline = Date.now() + 60_000 + 60 * KEYS; !await settled(); await sleep(500)) {
    assert.ok(Date.now() < deadline, `not settled: ${JSON.stringify([await letters(), await summarise()])}`);
  }
  note(`cloudflare-worker: ${KEYS} keys took ${((performance.now() - started) / 1000).toFixed(1)} s with failures`);

  const results = await read<ReturnType<typeof expected>>("results/");
  assert.equal(Object.keys(results).sort(), keys.map((key) => `${key}.json`).sort());
  const wanted = keys.map((key, i) => expected(key, headOf(i)));
  for (const result of wanted) {
    const { etag, ...rest } = results[`${result.key}.json`];
    assert.match(etag, /^[0-9a-f]{32}$/);
    assert.equal(rest, result);
  }
  // Nothing else has died. Cloudflare's own letter, of what has exhausted its retries, is the message as it came.
  for (const letter of await letters()) {
    assert.ok(poison.some(isOf(letter)) || JSON.stringify(letter) === unreadable, JSON.stringify(letter));
  }

  const summary = await summarise();
  sameSummary(summary, summaryOf(wanted));
  assert.equal((await read("summary.json"))[""], summary);
  // A share of the keys at a time gives the same.
  const partials = Object.entries(await read<object>("summaries/"));
  for (const passBytes of [20_000, 1e9]) {
    sameSummary(await mergePartials(bucketOfPartials(partials), passBytes), summary);
  }
}

// ── Without workerd ─────────────────────────────────────────────────────────────

type Env = Parameters<typeof consume>[1];
type Batch = Parameters<typeof consume>[0];

/** Consumes messages that name keys, and tells what became of each: "ack", or the seconds until it comes again. */
async function outcomes(messages: { key: unknown; attempts: number }[], env: Partial<Record<keyof Env, object>>) {
  const seen: (string | number | undefined)[] = [];
  const wrapped = messages.map(({ key, attempts }) => ({
    id: `${key}`,
    attempts,
    body: { key },
    ack: () => seen.push("ack"),
    retry: ({ delaySeconds }: { delaySeconds?: number }) => seen.push(delaySeconds),
  }));
  const { warn } = console;
  console.warn = () => {};
  await consume({ messages: wrapped } as unknown as Batch, { QUEUE_QUERY, ...env } as unknown as Env)
    .finally(() => console.warn = warn);
  return seen;
}

/** A bucket of one head. */
function bucketOf(i: number, head: () => { etag: string } | null = () => ({ etag: "1" })) {
  const { cls, reg } = headOf(i);
  const bytes = writeSafetensors({ cls, reg });
  const object = {
    etag: "1",
    uploaded: new Date(0),
    size: bytes.length,
    arrayBuffer: () => Promise.resolve(bytes.buffer),
  };
  return {
    get: (key: string) => Promise.resolve(key === "head" ? object : null),
    head: () => Promise.resolve(head()),
  };
}

/** What mergePartials reads, and pages of seven. */
function bucketOfPartials(partials: [string, object | string][], changes: object = {}) {
  const objects = partials.map(([key, partial]) => ({ key, size: textOf(partial).length }));
  const byKey = new Map(partials);
  const bucket = {
    list: ({ cursor = "0" }: { cursor?: string }) => {
      const end = Number(cursor) + 7;
      const page = objects.slice(Number(cursor), end);
      return Promise.resolve({ objects: page, truncated: end < objects.length, cursor: `${end}` });
    },
    get: (key: string) => Promise.resolve({ text: () => Promise.resolve(textOf(byKey.get(key))) }),
    head: () => Promise.resolve(null),
    put: () => Promise.resolve({}),
    ...changes,
  };
  return bucket as unknown as Parameters<typeof mergePartials>[0];
}

const textOf = (partial: unknown) => typeof partial === "string" ? partial : JSON.stringify(partial);

const fails = () => Promise.reject(new Error("R2 is not there"));
const RESULTS = { put: () => Promise.resolve() };

test("what may pass is tried again after longer and longer delays", async () => {
  const messages = [1, 2, 3, 4, 9, 10, 11, 50].map((attempts) => ({ key: "head", attempts }));
  const delays = [5, 10, 20, 40, 1280, 2560, 3600, 3600];
  assert.equal(await outcomes(messages, { HEADS: { get: fails } }), delays);
  assert.equal(await outcomes(messages, { HEADS: bucketOf(1), RESULTS: { put: fails } }), delays);
  // The result is written, and only the partial summary is not.
  const put = (key: string) => key.startsWith("results/") ? Promise.resolve() : fails();
  assert.equal(await outcomes(messages, { HEADS: bucketOf(1), RESULTS: { put } }), delays);
  // A dead letter that cannot be sent.
  assert.equal(await outcomes([{ key: "", attempts: 2 }], { DEAD_LETTERS: { send: fails } }), [10]);
  assert.equal(await outcomes([{ key: "head", attempts: 1 }], { HEADS: bucketOf(1), RESULTS }), ["ack"]);
});

test("a head that is written anew while it is read is read again", async () => {
  for (const now of [{ etag: "2" }, null]) {
    assert.equal(await outcomes([{ key: "head", attempts: 1 }], { HEADS: bucketOf(1, () => now), RESULTS }), [5]);
  }
});

test("a wrong QUEUE_QUERY fails the batch, so that nothing is given up for it", async () => {
  const error = await consume({ messages: [] } as unknown as Batch, { QUEUE_QUERY: "head=x" } as Env).catch((e) => e);
  assert.match(error.message, /head is "x"/);
});

test("an object that is too large is not read", async () => {
  const letters: { reason: string }[] = [];
  const send = (letter: { reason: string }) => Promise.resolve(letters.push(letter));
  const get = () => Promise.resolve({ key: "head", size: 2 ** 24 + 1 });
  const seen = await outcomes([{ key: "head", attempts: 1 }], { HEADS: { get }, DEAD_LETTERS: { send } });
  assert.equal(seen, ["ack"]);
  assert.match(letters[0].reason, /16777217 bytes/);
});

const CONTRIBUTION: Contribution = { uploaded: 1, etag: "1", scores: [1, 0, 0, 0, 0, 0, 0, 0, 0, 2] };

test("a partial summary that is none is named, and the others are merged", async () => {
  const { warn } = console;
  console.warn = () => {};
  const partials: [string, object | string][] = [
    ["summaries/a.json", { one: CONTRIBUTION }],
    ["summaries/b.json", "no JSON"],
    ["summaries/c.json", "5"],
    ["summaries/d.json", { two: { ...CONTRIBUTION, scores: "many" } }],
    ["summaries/e.json", { three: CONTRIBUTION, four: CONTRIBUTION }],
    ["summaries/f.json", "null"],
  ];
  const summary = await mergePartials(bucketOfPartials(partials)).finally(() => console.warn = warn);
  assert.is(summary.heads, 3);
  assert.is(summary.detections, 9);
  assert.equal(summary.unreadable, ["b", "c", "d", "f"].map((name) => `summaries/${name}.json`));
});

test("states of another network give no common evaluation, and the summary says why", async () => {
  const state = (classes: number) => new CocoEvaluator(Array.from({ length: classes }, (_, id) => ({ id }))).toJSON();
  const contribution = (evaluation: object) => ({ uploaded: 1, etag: "1", scores: new Array(10).fill(0), evaluation });
  const merged = (classes: number[]) => {
    const partials = classes.map((n, i): [string, object] => [`${i}`, { [`head${i}`]: contribution(state(n)) }]);
    return mergePartials(bucketOfPartials(partials));
  };
  assert.is((await merged([2, 2])).heads, 2);
  const { heads, evaluation } = await merged([2, 2, 3]);
  assert.is(heads, 3);
  assert.match((evaluation as { error: string }).error, "CocoEvaluator.merge: other.categories");
});

test("of two merges at once the later begins anew, so that no older list overwrites a newer one", async () => {
  const partials: [string, object][] = [["summaries/a.json", { one: CONTRIBUTION }]];
  const conditions: unknown[] = [];
  let version = 0;
  const bucket = bucketOfPartials(partials, {
    head: () => Promise.resolve(version === 0 ? null : { etag: `${version}` }),
    put: (_key: string, _text: string, { onlyIf }: { onlyIf: unknown }) => {
      conditions.push(onlyIf);
      // Another merge has written it each time, but for the last.
      return Promise.resolve(++version < 3 ? null : {});
    },
  });
  assert.is((await mergePartials(bucket)).heads, 1);
  assert.equal(conditions, [{ etagDoesNotMatch: "*" }, { etagMatches: "1" }, { etagMatches: "2" }]);
  const busy = bucketOfPartials(partials, { put: () => Promise.resolve(null) });
  const error = await mergePartials(busy).catch((problem) => problem);
  assert.is(error.status, 503);
});

test("keys of a request go into the queue, and what is no key is refused", async () => {
  const sent: unknown[] = [];
  const env = {
    KEYS: { sendBatch: (messages: unknown[]) => Promise.resolve(sent.push(...messages)) },
  } as unknown as Env;
  const body = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  assert.is(await enqueue(body({ keys: ["a", "b/c"] }), env), 2);
  assert.equal(sent, [{ body: { key: "a" } }, { body: { key: "b/c" } }]);
  for (const value of ["no JSON", 5, {}, { keys: "a" }, { keys: [] }, { keys: [5] }, { keys: Array(101).fill("a") }]) {
    const error = await enqueue(body(value), env).catch((problem) => problem);
    assert.is(error.status, 400, JSON.stringify(value));
  }
  assert.is(sent.length, 2);
});

test("classes of the ground truth are whole numbers", () => {
  const truth = (labels: unknown) => truthFromJson(JSON.stringify({ boxes: [[0, 0, 1, 1]], labels }));
  assert.equal(truth([3]).labels, Int32Array.of(3));
  for (const label of [0.9, 2 ** 32, -(2 ** 40), 1e300]) {
    assert.throws(() => truth([label]), /labels\[0\] is .*; wanted a class/);
  }
});

test("partial summaries merge in any order, in any groups, and any number of times", () => {
  const r = random(90);
  const contribution = (): Contribution => ({
    uploaded: r.integer(3),
    etag: `${r.integer(3)}`,
    scores: [r.integer(5)],
  });
  const versions = new Map<string, Contribution>();
  // A version of a key is always the same.
  const pick = (key: string): [string, Contribution] => {
    const made = contribution();
    const version = `${key} ${made.uploaded} ${made.etag}`;
    if (!versions.has(version)) versions.set(version, made);
    return [key, versions.get(version) as Contribution];
  };
  const sorted = (all: Contributions) => [...all].sort(([a], [b]) => a < b ? -1 : 1);
  for (let round = 0; round < 200; round++) {
    const partials = Array.from({ length: 5 }, () => new Map(Array.from({ length: 4 }, () => pick(`${r.integer(6)}`))));
    const all = (list: Contributions[]) => list.reduce(merge, new Map());
    const wanted = sorted(all(partials));
    const shuffled = partials.toSorted(() => r.uniform() - 0.5);
    assert.equal(sorted(all([...shuffled, ...partials])), wanted);
    assert.equal(sorted(merge(all(shuffled.slice(0, 2)), all(shuffled.slice(2)))), wanted);
    for (const [key, { uploaded }] of wanted) {
      assert.ok(partials.every((partial) => (partial.get(key)?.uploaded ?? 0) <= uploaded), "the latest counts");
    }
  }
});

test.run();
