/**
 * The Worker: an API over HTTP, the consumer of a queue, and a daily merge of its summaries.
 */
import { authenticate } from "./auth.ts";
import { readBody } from "./body.ts";
import { preflight, withCors } from "./cors.ts";
import { cocoRows, detect, structsOfArrays } from "./detect.ts";
import { engine } from "./engine.ts";
import type { Env } from "./env.ts";
import { outputsOf } from "./outputs.ts";
import { readKeep, readNetwork, readScoring } from "./params.ts";
import { Problem, problemResponse } from "./problem.ts";
import { Query } from "./query.ts";
import { consume, enqueue } from "./queue.ts";
import { score } from "./score.ts";
import { mergePartials } from "./summary.ts";
import { readerFor } from "./tensors.ts";
import { Timing } from "./timing.ts";
import { truthOf } from "./truth.ts";

interface Route {
  readonly method: "GET" | "POST";
  readonly handle: (request: Request, query: Query, env: Env) => Promise<Response> | Response;
}

const ROUTES: Readonly<Record<string, Route>> = {
  "/detect": { method: "POST", handle: detectRoute },
  "/score": { method: "POST", handle: scoreRoute },
  "/queue": { method: "POST", handle: queueRoute },
  "/summary": { method: "POST", handle: summaryRoute },
  "/health": { method: "GET", handle: healthRoute },
};

const STRUCTS_OF_ARRAYS = "application/vnd.densehead.detections+json";

export default {
  async fetch(request, env): Promise<Response> {
    return withCors(await respond(request, env), request, env);
  },

  queue: consume,

  async scheduled(_event, env): Promise<void> {
    await mergePartials(env.RESULTS);
  },
} satisfies ExportedHandler<Env>;

async function respond(request: Request, env: Env): Promise<Response> {
  try {
    return preflight(request, env) ?? await route(request, env);
  } catch (error) {
    if (error instanceof Problem) return problemResponse(error);
    console.error(error);
    return problemResponse(new Problem(500, "an error of ours, which is in the log"));
  }
}

/** Nothing of a request is read before its token. */
async function route(request: Request, env: Env): Promise<Response> {
  await authenticate(request, env);
  const { pathname, searchParams } = new URL(request.url);
  if (!Object.hasOwn(ROUTES, pathname)) {
    throw new Problem(404, `there is no ${pathname}; there are ${Object.keys(ROUTES).join(", ")}`);
  }
  const { method, handle } = ROUTES[pathname];
  if (request.method !== method) {
    throw new Problem(405, `${pathname} takes ${method}`, { headers: { Allow: method } });
  }
  return await handle(request, new Query(searchParams), env);
}

async function detectRoute(request: Request, query: Query): Promise<Response> {
  const read = readerFor(request.headers.get("Content-Type"));
  const network = readNetwork(query);
  const keep = readKeep(query, network);
  query.finish();
  const bytes = await readBody(request);

  const timing = new Timing();
  const raw = timing.measure("parse", () => outputsOf(read(bytes)));
  const images = timing.measure("detect", () => detect(raw, network, keep.options));
  const asStructs = request.headers.get("Accept")?.includes(STRUCTS_OF_ARRAYS);
  const text = timing.measure(
    "serialise",
    () => JSON.stringify(asStructs ? structsOfArrays(images) : cocoRows(images, keep)),
  );
  return json(text, timing, asStructs ? STRUCTS_OF_ARRAYS : "application/json");
}

async function scoreRoute(request: Request, query: Query): Promise<Response> {
  const read = readerFor(request.headers.get("Content-Type"));
  const network = readNetwork(query);
  const scoring = readScoring(query);
  query.finish();
  const bytes = await readBody(request);

  const timing = new Timing();
  const [raw, truth] = timing.measure("parse", () => {
    const tensors = read(bytes);
    return [outputsOf(tensors), truthOf(tensors)] as const;
  });
  const result = timing.measure("score", () => score(raw, truth, network, scoring));
  return json(timing.measure("serialise", () => JSON.stringify(result)), timing);
}

async function queueRoute(request: Request, query: Query, env: Env): Promise<Response> {
  query.finish();
  const queued = await enqueue(await readBody(request), env);
  return Response.json({ queued }, { status: 202 });
}

async function summaryRoute(_request: Request, query: Query, env: Env): Promise<Response> {
  query.finish();
  return Response.json(await mergePartials(env.RESULTS));
}

function healthRoute(_request: Request, query: Query): Response {
  query.finish();
  const { capabilities, memory } = engine;
  return Response.json({ capabilities, memory });
}

function json(text: string, timing: Timing, type = "application/json"): Response {
  return new Response(text, { headers: { "Content-Type": type, "Server-Timing": timing.toString() } });
}
