/**
 * Large files of JSON: rows are parsed as they come, so that the text is never whole in memory.
 */
import { createReadStream } from "node:fs";
import { UsageError } from "../errors.ts";
import { checkFile } from "./file.ts";

const CHUNK = 2 ** 20;

/** What JSON.parse would give of the file. */
export async function readJson(path: string): Promise<unknown> {
  await checkFile(path);
  return parseChunks(createReadStream(path, { highWaterMark: CHUNK }));
}

/** The same of bytes in any pieces. */
export async function parseChunks(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<unknown> {
  const splitter = new Splitter();
  for await (const chunk of chunks) splitter.push(chunk);
  return splitter.end();
}

const [QUOTE, BACKSLASH, COMMA, SPACE] = [0x22, 0x5c, 0x2c, 0x20];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The lists whose objects are rows: the file itself, or a member of it. */
const LISTS = ["[", "{["];
const DEEPEST = 2;

/**
 * Cuts runs of rows out of the text and parses them. What is left, with the number of a run in its place, is short, and is
 * parsed at the end: so JSON.parse checks all of it, and only where rows begin and end is found here.
 */
class Splitter {
  readonly #runs: unknown[][] = [];
  readonly #decoder = new TextDecoder();
  #left = "";
  /** Bytes from the run's first row on, or none. */
  #bytes = new Uint8Array(0);
  /** Brackets that are open, and the outermost two of them. */
  #depth = 0;
  #open = "";
  #inString = false;
  #escaped = false;
  /** Where the current row began, −1 outside of rows. */
  #row = -1;

  push(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    // The run from its first row to behind its last whole one; what is before `done` is dealt with.
    let [first, last, done] = [this.#bytes.length > 0 ? 0 : -1, 0, 0];
    const cut = () => {
      if (first < 0 || last <= first) return;
      this.#left += `${this.#decoder.decode(bytes.subarray(done, first), { stream: true })}{"":${this.#runs.length}}`;
      this.#runs.push(parse(`[${new TextDecoder().decode(bytes.subarray(first, last))}]`) as unknown[]);
      done = last;
    };
    for (let i = this.#bytes.length; i < bytes.length; i++) {
      const byte = bytes[i];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      if (byte > SPACE && this.#row < 0 && this.#inList()) {
        if (byte === OPEN_OBJECT) {
          this.#row = i;
          if (first < 0) first = i;
        } else if (byte !== COMMA) {
          cut();
          first = -1;
        }
      }
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#opened(byte);
      else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && this.#closed()) last = i + 1;
    }
    cut();
    // An unfinished row is looked through no second time.
    const rest = this.#row < 0 ? bytes.length : this.#row;
    this.#left += this.#decoder.decode(bytes.subarray(done, rest), { stream: true });
    this.#bytes = bytes.slice(rest);
    if (this.#row >= 0) this.#row = 0;
  }

  /** Is a list of rows the innermost bracket? */
  #inList(): boolean {
    return this.#depth === this.#open.length && LISTS.includes(this.#open);
  }

  #opened(byte: number): void {
    if (this.#depth < DEEPEST) this.#open += String.fromCharCode(byte);
    this.#depth++;
  }

  /** Was it the end of a row? */
  #closed(): boolean {
    this.#depth--;
    if (this.#depth < DEEPEST) this.#open = this.#open.slice(0, Math.max(this.#depth, 0));
    if (this.#row < 0 || !this.#inList()) return false;
    this.#row = -1;
    return true;
  }

  end(): unknown {
    const whole = parse(this.#left + this.#decoder.decode() + new TextDecoder().decode(this.#bytes));
    const filled = (value: unknown) => Array.isArray(value) ? value.flatMap((item) => this.#rowsOf(item)) : value;
    if (Array.isArray(whole)) return filled(whole);
    if (typeof whole !== "object" || whole === null) return whole;
    return Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, filled(value)]));
  }

  /** Every object that is left in a list of rows has the number of a run. */
  #rowsOf(item: unknown): unknown {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return [item];
    return this.#runs[(item as { readonly "": number })[""]];
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("is no JSON");
  }
}
