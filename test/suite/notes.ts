/** Lines that the run prints beside its counts: what was measured. */
export const notes: string[] = [];

export function note(text: string): void {
  notes.push(text);
}
