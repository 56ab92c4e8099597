/**
 * Cross-origin requests: which pages may call the Worker.
 */
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

const ALLOWED = {
  "Access-Control-Allow-Methods": "GET, POST",
  "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, Content-Encoding",
  "Access-Control-Max-Age": "86400",
};

/** The answer to a browser's question, which it asks without a token; null for any other request. */
export function preflight(request: Request, env: Env): Response | null {
  const isQuestion = request.method === "OPTIONS" && request.headers.has("Access-Control-Request-Method");
  if (!isQuestion) return null;
  if (!isAllowed(request, env)) {
    const origin = request.headers.get("Origin");
    throw new Problem(403, `the variable ALLOWED_ORIGINS of the Worker does not name ${origin}`, { field: "Origin" });
  }
  return new Response(null, { status: 204, headers: ALLOWED });
}

/** Lets the page read the answer, also one that is a problem. */
export function withCors(response: Response, request: Request, env: Env): Response {
  if (!env.ALLOWED_ORIGINS) return response;
  const { headers } = response;
  headers.append("Vary", "Origin");
  if (!isAllowed(request, env)) return response;
  headers.set("Access-Control-Allow-Origin", request.headers.get("Origin") ?? "");
  headers.set("Access-Control-Expose-Headers", "Server-Timing");
  return response;
}

/** `ALLOWED_ORIGINS` is "*", or origins with commas between them. */
function isAllowed(request: Request, { ALLOWED_ORIGINS = "" }: Env): boolean {
  const origin = request.headers.get("Origin");
  if (origin === null) return false;
  const allowed = ALLOWED_ORIGINS.split(",").map((text) => text.trim());
  return allowed.includes("*") || allowed.includes(origin);
}
