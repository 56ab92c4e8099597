/**
 * Text for documentation and help. The build leaves it out of the library: nothing there may depend on it.
 */

/** The text, its line breaks as spaces. */
export function doc({ raw: [text] }: TemplateStringsArray): string {
  return text.replaceAll(/\s+/g, " ");
}
