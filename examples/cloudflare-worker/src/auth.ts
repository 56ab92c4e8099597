/**
 * Bearer tokens.
 */
import type { Env } from "./env.ts";
import { Problem } from "./problem.ts";

/** Throws 401 unless the request carries the token. */
export async function authenticate(request: Request, { API_TOKEN }: Env): Promise<void> {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "") ?? [];
  // A Worker whose secret was never set lets nobody in.
  if (API_TOKEN && token !== undefined && await isEqual(token, API_TOKEN)) return;
  throw new Problem(401, "wanted Authorization: Bearer and the token", {
    field: "Authorization",
    headers: { "WWW-Authenticate": 'Bearer realm="densehead"' },
  });
}

/** Takes as long for any two texts: digests have one length, and are compared to their ends. */
async function isEqual(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([digest(a), digest(b)]);
  return crypto.subtle.timingSafeEqual(digestA, digestB);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
