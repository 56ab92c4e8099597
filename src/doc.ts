/**
 * Text for documentation and help. The build leaves it out of the library, and members of objects that are nothing but such
 * texts: nothing there may depend on it.
 */

/** The text, its line breaks as spaces. */
export function doc([text]: TemplateStringsArray): string {
  return text.replaceAll(/\s+/g, " ");
}
