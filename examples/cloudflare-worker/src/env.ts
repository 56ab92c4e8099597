/**
 * What wrangler.jsonc and the secrets give the Worker.
 */
export interface Env {
  /** Secret: what clients send as `Authorization: Bearer …`. */
  readonly API_TOKEN: string;
  /** Origins of the pages that may call the Worker, with commas between them, or "*". Default: none. */
  readonly ALLOWED_ORIGINS?: string;
  /** What the heads in the bucket are: head, imageSize and so on, as a query string. */
  readonly QUEUE_QUERY: string;
  /** Raw heads, and ground truth beside them. */
  readonly HEADS: R2Bucket;
  /** Results, partial summaries, and the summary. */
  readonly RESULTS: R2Bucket;
  /** The queue that the Worker consumes, for `POST /queue`. */
  readonly KEYS: Queue<{ readonly key: string }>;
  readonly DEAD_LETTERS: Queue<DeadLetter>;
}

/** A message that can never succeed. */
export interface DeadLetter {
  /** As the message has it; null where it has none. */
  readonly key: unknown;
  readonly reason: string;
  /** The message as it came. */
  readonly message: unknown;
}
