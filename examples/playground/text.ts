/** Numbers as the page writes them. */

const MINUS = "−";

/** With so many digits after the point. */
export function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace("-", MINUS);
}

/** With so many digits that count. */
export function precise(value: number, digits = 4): string {
  return value.toPrecision(digits).replaceAll("-", MINUS);
}

export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}
