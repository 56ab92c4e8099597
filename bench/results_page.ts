/** RESULTS.md and the README's lines, as `deno fmt` has them. */
import {
  describeRun,
  familyOf,
  headline,
  HIGHLIGHTS,
  type Race,
  raceOf,
  type Rated,
  type Results,
  type Run,
} from "./results.ts";
import { significant } from "./statistics.ts";

const WIDTH = 120;

/** bench/RESULTS.md. */
export function resultsPage(results: Results): string {
  const { runs, date, machine, quick } = results;
  const parts = [
    "# Results",
    wrap(
      `Written by \`npm run bench -- --write${quick ? " --quick" : ""}\` on ${date}, on one thread of ${machine}. ` +
        (quick ? "It was a quick run: trust only what is far from 1. " : "") +
        "Ours and each peer run in one process, one right after the other, again and again; PyTorch and OpenCV are " +
        "processes of their own and take their turns. A ratio is the median of those pairs: how many times longer the peer takes. Its result " +
        "is compared with ours before its time counts. Spreads are in `results.json`.",
    ),
    `![How many times longer the peers take](results.svg)`,
    ...section("Ratios", runs, (run) => raceTables(run, ratioRow)),
    ...section("Times in milliseconds", runs, (run) => raceTables(run, timeRow)),
    ...section("Other figures", runs, figureLists),
    ...section("Not measured, or not in every case", runs, ({ skipped }) => {
      return skipped.length === 0 ? [] : [skipped.map(item).join("\n")];
    }),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The README with what stands between its markers made anew. */
export function readmeWith(readme: string, results: Results): string {
  return readme.replace(
    /(?<=<!-- results -->\n\n)[^]*?(?=\n\n<!-- \/results -->)/,
    () => readmeLines(results),
  );
}

function readmeLines(results: Results): string {
  const run = headline(results);
  const lines = HIGHLIGHTS.filter(({ quoted }) => quoted).flatMap(({ label, title }) => {
    const race = raceOf(run, title);
    if (race === undefined) return [];
    const rivals = race.rivals.map(({ name, ratio }) => `${significant(ratio.median)}× ${withoutVersion(name)}`);
    return [item(`${label}: ${significant(race.ms)} ms; ${rivals.join(", ")}`)];
  });
  const how = `How many times longer others take for the same result: medians of interleaved runs on one thread of ` +
    `${results.machine.split(",")[0]}, ${describeRun(run)}, ${results.date}${results.quick ? " (a quick run)" : ""}. ` +
    "[bench/RESULTS.md](bench/RESULTS.md) has all of them; `npm run bench -- --write` repeats them.";
  return `${wrap(how)}\n\n${lines.join("\n")}`;
}

export function withoutVersion(name: string): string {
  return name.replace(/ \d+\.\d+[.\w]*/, "");
}

/** Of every run that has something to tell. */
function section(title: string, runs: readonly Run[], tell: (run: Run) => string[]): string[] {
  const parts = runs.flatMap((run) => {
    const told = tell(run);
    return told.length === 0 ? [] : [`### ${describeRun(run)}`, ...told];
  });
  return parts.length === 0 ? [] : [`## ${title}`, ...parts];
}

type Row = (race: Race, rival: string) => string;

const ratioRow: Row = ({ rivals }, rival) => cell(rivals, rival, ({ ratio }) => `${significant(ratio.median)}×`);
const timeRow: Row = ({ rivals }, rival) => cell(rivals, rival, ({ ms }) => significant(ms));

function cell(rivals: readonly Rated[], rival: string, text: (rated: Rated) => string): string {
  const rated = rivals.find(({ name }) => name === rival);
  return rated === undefined ? "–" : text(rated);
}

/** A table for each family and each of our ways, with a column for each peer. */
function raceTables(run: Run, row: Row): string[] {
  const raced = run.races.filter(({ rivals }) => rivals.length > 0);
  const names = [...new Set(raced.map(nameOf))];
  return names.flatMap((name) => {
    const races = raced.filter((race) => nameOf(race) === name);
    const rivals = [...new Set(races.flatMap(({ rivals }) => rivals.map(({ name }) => name)))];
    const rows = races.map((race) => [
      race.title.slice(familyOf(race.title).length + 2),
      ...(row === timeRow ? [significant(race.ms)] : []),
      ...rivals.map((rival) => row(race, rival)),
    ]);
    const head = ["", ...(row === timeRow ? ["ours"] : []), ...rivals];
    return [`#### ${name}`, table(head, rows)];
  });
}

/** "losses, in memory". */
function nameOf({ title, ours }: Race): string {
  return `${familyOf(title)}${ours.replace(/^ours/, "")}`;
}

function figureLists(run: Run): string[] {
  const titles = [...new Set(run.figures.map(({ title }) => title))];
  return titles.flatMap((title) => {
    const rows = run.figures.filter((figure) => figure.title === title).map(({ name, text }) =>
      item(`${name}: ${text}`)
    );
    return [`#### ${title}`, rows.join("\n")];
  });
}

/** The first column is text, the others are figures. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((text, i) => i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]));
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function item(text: string): string {
  return `- ${wrap(text, WIDTH - 2).replaceAll("\n", "\n  ")}`;
}

/** Code is not broken. */
function wrap(text: string, width = WIDTH): string {
  const lines = [""];
  for (const word of text.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
