/**
 * The consumer: detects in the heads whose keys come from the queue, one at a time.
 */
import type { GroundTruth } from "densehead";
import { MAX_BYTES } from "./body.ts";
import { cocoRows, detect } from "./detect.ts";
import type { Env } from "./env.ts";
import { stateOf } from "./evaluation.ts";
import { outputsOf } from "./outputs.ts";
import { readKeep, readNetwork, readScoring } from "./params.ts";
import { badRequest, Problem } from "./problem.ts";
import { Query } from "./query.ts";
import { score } from "./score.ts";
import { type Contribution, contributionOf, type Contributions, writePartial } from "./summary.ts";
import { readTensors } from "./tensors.ts";
import { truthFromJson } from "./truth.ts";

type Params = ReturnType<typeof readParams>;

/** Of an object's name, in UTF-8; the names of results are longer. */
const MAX_KEY_BYTES = 1000;
/** Seconds: 5, 10, 20 and so on, up to an hour. */
const [FIRST_DELAY, LONGEST_DELAY] = [5, 3600];

/**
 * Results are written before the partial summary, that before the acknowledgements: what is interrupted between them comes
 * again, and is written again as it was.
 */
export async function consume({ messages }: MessageBatch, env: Env): Promise<void> {
  const params = readParams(env.QUEUE_QUERY);
  const done: Message[] = [];
  const contributions: Contributions = new Map();
  for (const message of messages) {
    try {
      const key = checkKey(keyOf(message.body));
      contributions.set(key, await processHead(key, params, env));
      done.push(message);
    } catch (error) {
      await giveUpOrRetry(message, error, env);
    }
  }
  if (done.length === 0) return;
  try {
    await writePartial(env.RESULTS, contributions);
    for (const message of done) message.ack();
  } catch (error) {
    for (const message of done) retry(message, error);
  }
}

function readParams(text: string) {
  const query = new Query(new URLSearchParams(text));
  const network = readNetwork(query);
  const params = { network, keep: readKeep(query, network), scoring: readScoring(query) };
  query.finish();
  return params;
}

/** Keys of a request: it is what Cloudflare takes in one batch. */
const MAX_KEYS = 100;

/** Puts the keys of heads, `{"keys": [ … ]}`, into the queue, as R2's notifications do; returns how many. */
export async function enqueue(body: Uint8Array, env: Env): Promise<number> {
  const keys = keysOf(body);
  await env.KEYS.sendBatch(keys.map((key) => ({ body: { key } })));
  return keys.length;
}

function keysOf(body: Uint8Array): string[] {
  const wanted = `wanted {"keys": [ … ]} with 1 to ${MAX_KEYS} keys`;
  let keys: unknown;
  try {
    keys = Object(JSON.parse(new TextDecoder().decode(body))).keys;
  } catch {
    throw badRequest("body", `the body is no JSON; ${wanted}`);
  }
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    throw badRequest("keys", `keys is ${Array.isArray(keys) ? `a list of ${keys.length}` : "no list"}; ${wanted}`);
  }
  return keys.map(checkKey);
}

/** Of R2's event notifications, or of `{"key": …}` from any other producer. */
function keyOf(body: unknown): unknown {
  const { key, object } = Object(body);
  return key ?? Object(object).key;
}

function checkKey(key: unknown): string {
  if (typeof key !== "string" || key === "") throw badRequest("key", "the message names no key");
  if (!key.isWellFormed() || new TextEncoder().encode(key).length > MAX_KEY_BYTES) {
    throw badRequest("key", `the key is no text of up to ${MAX_KEY_BYTES} bytes`);
  }
  return key;
}

/** Writes the result of one head, and returns what it adds to the summary. */
async function processHead(key: string, { network, keep, scoring }: Params, env: Env): Promise<Contribution> {
  const head = await env.HEADS.get(key);
  if (head === null) throw new Problem(404, "there is no such object");
  checkSize(head);
  const raw = outputsOf(readTensors(new Uint8Array(await head.arrayBuffer())));
  const images = detect(raw, network, keep.options);
  const truth = await readTruth(key, env);
  const scored = truth && score(raw, truth, network, scoring);
  const result = { key, etag: head.etag, detections: cocoRows(images, keep), score: scored };
  await env.RESULTS.put(`results/${key}.json`, JSON.stringify(result), JSON_OBJECT);
  // Another consumer may have read the new head and written its result before this one.
  const { etag } = await env.HEADS.head(key) ?? {};
  if (etag !== head.etag) throw new Error("the head was written anew meanwhile");
  const state = truth && stateOf(key, images[0], truth, network.head.numClasses, keep.options.transform);
  return contributionOf(head, images, scored, state);
}

/** Ground truth that lies beside a head. */
async function readTruth(key: string, env: Env): Promise<GroundTruth | undefined> {
  const object = await env.HEADS.get(`${key}.gt.json`);
  if (object === null) return undefined;
  checkSize(object);
  return truthFromJson(await object.text());
}

function checkSize({ key, size }: R2Object): void {
  if (size > MAX_BYTES) throw new Problem(413, `object ${key} has ${size} bytes; wanted at most ${MAX_BYTES}`);
}

const JSON_OBJECT = { httpMetadata: { contentType: "application/json" } };

/** A {@link Problem} is the message's own, and goes to the dead letters; anything else may pass. */
async function giveUpOrRetry(message: Message, error: unknown, env: Env): Promise<void> {
  if (!(error instanceof Problem)) return retry(message, error);
  try {
    await env.DEAD_LETTERS.send({ key: keyOf(message.body) ?? null, reason: error.message, message: message.body });
    message.ack();
  } catch (failure) {
    retry(message, failure);
  }
}

function retry(message: Message, error: unknown): void {
  console.warn(`message ${message.id}, attempt ${message.attempts}: ${error}`);
  message.retry({ delaySeconds: Math.min(FIRST_DELAY * 2 ** (message.attempts - 1), LONGEST_DELAY) });
}
