/**
 * The body of a request, up to a limit.
 */
import { badRequest, Problem } from "./problem.ts";

/** A head of 144 × 8400 in float32 has 4.6 MiB. */
export const MAX_BYTES = 16 * 1024 * 1024;

/** Room to begin with where the length is not said. */
const FIRST_ROOM = 256 * 1024;

const ENCODINGS = ["gzip", "deflate"] as const;

/** Reads the body, inflated where it came compressed; throws 413 as soon as it is known to be too long. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = encodingOf(request);
  const declared = Number(request.headers.get("Content-Length"));
  if (declared > MAX_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  if (encoding === null) return await readStream(request.body, declared);
  try {
    return await readStream(request.body.pipeThrough(new DecompressionStream(encoding)), 0);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw badRequest("body", `the body is not what Content-Encoding says: ${encoding}`);
  }
}

/** Null for a body as it is. */
function encodingOf(request: Request): (typeof ENCODINGS)[number] | null {
  const named = (request.headers.get("Content-Encoding") ?? "identity").trim().toLowerCase();
  if (named === "identity") return null;
  const known = ENCODINGS.find((encoding) => encoding === named);
  if (known !== undefined) return known;
  throw new Problem(415, `Content-Encoding is ${JSON.stringify(named)}; wanted ${ENCODINGS.join(" or ")} or none`, {
    field: "Content-Encoding",
    headers: { "Accept-Encoding": ENCODINGS.join(", ") },
  });
}

/**
 * Reads to the end, or to the limit, whatever `Content-Length` says. The stream fills one buffer: its own chunks, of 4 KiB,
 * would take three times as long.
 */
async function readStream(stream: ReadableStream, declared: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: "byob" });
  // The byte more is for the end to show before the room does.
  let room = new Uint8Array((declared || FIRST_ROOM) + 1);
  for (let length = 0;;) {
    const { value, done } = await reader.readAtLeast(room.length - length, room.subarray(length));
    // A read takes the buffer, and gives it back.
    if (value !== undefined) room = new Uint8Array(value.buffer);
    length += value?.length ?? 0;
    if (done) return room.subarray(0, length);
    if (length > MAX_BYTES) {
      await reader.cancel();
      throw tooLarge();
    }
    if (length === room.length) room = new Uint8Array(room.buffer.transfer(Math.min(2 * length, MAX_BYTES + 1)));
  }
}

function tooLarge(): Problem {
  return new Problem(413, `the body is over ${MAX_BYTES} bytes`, { field: "body" });
}
