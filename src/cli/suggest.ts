/**
 * What somebody may have meant.
 */

/** " Did you mean …?", where a known word is near enough to the typed one; else nothing. */
export function suggestion(typed: string, known: readonly string[]): string {
  const found = nearest(typed, known);
  return found === undefined ? "" : `; did you mean ${found}?`;
}

/** The known word with the fewest edits: at most one in three letters, or one that begins or ends with the typed one. */
function nearest(typed: string, known: readonly string[]): string | undefined {
  const plain = typed.toLowerCase();
  const [best] = known.map((word) => ({ word, edits: edits(plain, word.toLowerCase()) })).sort((a, b) =>
    a.edits - b.edits
  );
  if (best !== undefined && best.edits <= Math.max(1, Math.floor(Math.max(typed.length, best.word.length) / 3))) {
    return best.word;
  }
  const parts = known.filter((word) => plain.length > 2 && word.toLowerCase().includes(plain.replace(/^--/, "")));
  return parts.length === 1 ? parts[0] : undefined;
}

/** Letters to insert, drop, replace or swap with their neighbour, from one word to the other. */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? rows[i - 2][j - 2] + 1
        : Infinity;
      row.push(Math.min(row[j - 1] + 1, rows[i - 1][j] + 1, replaced, swapped));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
