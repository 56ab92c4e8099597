/** examples/cloudflare-worker with buckets and consumers that fail at random, and without its delays. */
import worker from "../../examples/cloudflare-worker/src/index.ts";
import { random } from "../random.ts";

type Env = Parameters<typeof worker.queue>[1];
type Batch = Parameters<typeof worker.queue>[0];
type Message = Batch["messages"][number];

const r = random(80);
const oneIn = (n: number) => r.integer(n) === 0;

export default {
  /** The tests' own way to the buckets: miniflare's takes ten times as long. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/objects") return await worker.fetch(request as never, env);
    if (request.method === "GET") return Response.json(await readAll(env.RESULTS, searchParams.get("prefix") ?? ""));
    const bytes = await request.arrayBuffer();
    await env.HEADS.put(searchParams.get("key") ?? "", bytes);
    return new Response();
  },

  async queue(batch: Batch, env: Env): Promise<void> {
    if (batch.queue === "dead-letters") {
      for (const { id, body } of batch.messages) await env.RESULTS.put(`dead/${id}`, JSON.stringify(body));
      return;
    }
    const messages = leaving(batch.messages) as unknown as Batch["messages"];
    await worker.queue({ ...batch, messages }, { ...env, HEADS: flaky(env.HEADS), RESULTS: flaky(env.RESULTS) });
    if (oneIn(20)) throw new Error("the consumer is gone after its work");
  },
};

/** Now and then the consumer is gone between two messages; retries come at once. */
function* leaving(messages: readonly Message[]): Iterable<Partial<Message>> {
  for (const message of messages) {
    if (oneIn(300)) throw new Error("the consumer is gone amid its work");
    const { id, attempts, body } = message;
    yield { id, attempts, body, ack: () => message.ack(), retry: () => message.retry() };
  }
}

/** A bucket whose operations fail now and then, before they are done or after; some objects can never be read. */
function flaky(bucket: R2Bucket): R2Bucket {
  const wrap = (name: "get" | "put" | "head") => async (key: string, ...rest: unknown[]) => {
    if (key.startsWith("unreadable/") || oneIn(100)) throw new Error(`${name} failed`);
    const result = await (bucket[name] as (...args: unknown[]) => Promise<unknown>)(key, ...rest);
    if (oneIn(100)) throw new Error(`${name} failed after its work`);
    return result;
  };
  return { get: wrap("get"), put: wrap("put"), head: wrap("head") } as unknown as R2Bucket;
}

/** Objects of JSON, by key without the prefix. */
async function readAll(bucket: R2Bucket, prefix: string): Promise<Record<string, unknown>> {
  const found: [string, unknown][] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, cursor });
    for (const { key } of page.objects) found.push([key.slice(prefix.length), await (await bucket.get(key))?.json()]);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return Object.fromEntries(found);
}
