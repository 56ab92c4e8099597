/** The public declarations as TypeDoc reads them, in the sections of the page. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Application, ReflectionKind } from "typedoc";
import { root } from "../ready.js";

/** Sections that come first, in their order; others follow by name. */
const ORDER = ["Engine", "Losses", "Boxes", "Detection", "Drawing", "Heads", "Pixels", "Values"];
/** Types that stand at the end of src/types.ts because they join all sections; a function whose room has another name. */
const MOVED = { SyncOps: "Engine", AsyncOps: "Engine", toSvg: "Drawing" };
const DECLARATION = ReflectionKind.Interface | ReflectionKind.TypeAlias | ReflectionKind.Function |
  ReflectionKind.Class;

/** [section, declarations] in order; a declaration is {reflection, name, entry}, and `entry` is what one imports it from. */
export async function sections() {
  const entries = entryPoints();
  const app = await Application.bootstrap({
    // Each declaration belongs to its own file, not to the entry that exports it under the same name.
    entryPoints: ["src/types.ts", ...Object.keys(entries)].map((path) => join(root, path)),
    tsconfig: join(root, "tools/docs/tsconfig.json"),
    basePath: root,
    // The project's own compiler checks the sources.
    skipErrorChecking: true,
    readme: "none",
    disableGit: true,
    sourceLinkTemplate: "{path}",
    logLevel: "Error",
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc cannot read the sources");
  const found = project.getReflectionsByKind(DECLARATION).map((reflection) => {
    const { fileName, line } = reflection.sources[0];
    const { name } = reflection;
    return {
      reflection,
      name,
      entry: entries[fileName],
      section: MOVED[name] ?? sectionOf(fileName, line),
      fileName,
      line,
    };
  }).sort((a, b) => a.fileName.localeCompare(b.fileName) || a.line - b.line);
  const names = new Set([...ORDER, ...found.map(({ section }) => section).sort()]);
  return [...names].map((name) => [name, found.filter(({ section }) => section === name)]);
}

/** The sources of the package's entries: {"src/entry/slim.ts": "densehead/slim"}. */
function entryPoints() {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const typed = Object.entries(exports).filter(([, { types }]) => types !== undefined);
  return Object.fromEntries(typed.map(([path, { types }]) => {
    return [types.replace(/^\.\/dist\/(.*)\.d\.ts$/, "src/$1.ts"), path.replace(".", name)];
  }));
}

/** Of src/types.ts the section comment above the line, as `// ── Losses ──`; else the folder's name. */
function sectionOf(fileName, line) {
  const [, folder] = fileName.split("/");
  if (folder === "entry") return "Engine";
  if (folder !== "types.ts") return folder[0].toUpperCase() + folder.slice(1).replace(".ts", "");
  const above = readFileSync(join(root, fileName), "utf8").split(/\r?\n/).slice(0, line);
  return above.findLast((text) => text.startsWith("// ──"))?.match(/\w+/)[0] ?? "Values";
}

/** Members in the order of the sources; TypeDoc sorts them by kind. What the platform declares comes last. */
export function membersOf({ children = [] }) {
  const position = ({ sources = [] }) =>
    sources.length === 0 ? Infinity : sources[0].line * 1000 + sources[0].character;
  return [...children].sort((a, b) => position(a) - position(b));
}
