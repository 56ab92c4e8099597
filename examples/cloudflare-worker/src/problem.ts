/**
 * What is wrong with a request, as application/problem+json (RFC 9457).
 */
const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

interface Extras {
  /** The parameter, tensor or header that is wrong. */
  readonly field?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Characters of a detail: some quote what came, which may be long. */
const MAX_DETAIL = 500;

/** An error of the caller's making; in the queue, one that no repeat can mend. */
export class Problem extends Error {
  readonly status: keyof typeof TITLES;
  readonly field: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: keyof typeof TITLES, detail: string, { field, headers = {} }: Extras = {}) {
    super(detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)} …` : detail);
    this.status = status;
    this.field = field;
    this.headers = headers;
  }
}

/** A wrong parameter, tensor or body. */
export function badRequest(field: string, detail: string): Problem {
  return new Problem(400, detail, { field });
}

/** Runs densehead; what it refuses is the caller's mistake, and its message names the argument. */
export function refusing<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw badRequest(fieldOf(error), error.message);
    throw error;
  }
}

/**
 * "detect: outputs[1] is …" is about outputs[1], "readSafetensors: … tensor cls has …" about cls; other refusals (of memory,
 * say) are about the body as a whole.
 */
function fieldOf({ message }: Error): string {
  const [, tensor] = /^readSafetensors: .*?\btensor (.+?) (?:is|has|begins|lacks) /.exec(message) ?? [];
  if (tensor !== undefined || /^read\w+: /.test(message)) return tensor ?? "body";
  const [, argument] = /^[\w.]+: (?:(?:options|input)\.)?(?:head\.)?(\S+) (?:is|has) /.exec(message) ?? [];
  return argument ?? "body";
}

export function problemResponse({ status, message: detail, field, headers }: Problem): Response {
  const body = { type: "about:blank", title: TITLES[status], status, detail, field };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
