/**
 * What somebody may have meant.
 */
import { editsBetween } from "../nearest.ts";

/** "; did you mean …?", where a known word is near enough to the typed one; else nothing. */
export function suggestion(typed: string, known: readonly string[]): string {
  const found = nearest(typed, known);
  return found === undefined ? "" : `; did you mean ${found}?`;
}

/** The known word with the fewest edits: at most one in three letters, or the only one with the typed one in it. */
function nearest(typed: string, known: readonly string[]): string | undefined {
  const plain = typed.toLowerCase();
  const [best] = known.map((word) => ({ word, edits: editsBetween(plain, word.toLowerCase()) })).sort((a, b) =>
    a.edits - b.edits
  );
  if (best !== undefined && best.edits <= Math.max(1, Math.floor(Math.max(typed.length, best.word.length) / 3))) {
    return best.word;
  }
  const parts = known.filter((word) => plain.length > 2 && word.toLowerCase().includes(plain.replace(/^--/, "")));
  return parts.length === 1 ? parts[0] : undefined;
}
