/**
 * Command lines, read with Node's `parseArgs`; its errors in our words.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { reason, UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Values and positionals; the error of a wrong line names the option. */
export function readArguments<const T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>> {
  const more = `(densehead ${command} --help lists the options)`;
  const joined = joinNegatives(args);
  for (const name of optionNames(joined)) {
    if (Object.hasOwn(options, name.replace(/^--/, ""))) continue;
    const known = Object.keys(options).map((option) => `--${option}`);
    throw new UsageError(`Unknown option '${name}'${suggestion(synonym(name), known)} ${more}`);
  }
  try {
    return parseArgs({ args: joined, options, allowPositionals: true });
  } catch (error) {
    // Node goes on to explain how to pass a value that starts with a dash, over several lines.
    const [what] = reason(error).split(". ");
    throw new UsageError(`${what.replace("argument is ambiguous.", "has a value that begins with a dash")} ${more}`);
  }
}

/** What other tools call an option. */
const SYNONYMS: Readonly<Record<string, string>> = {
  "--threshold": "--score",
  "--conf": "--score",
  "--score-threshold": "--score",
  "--iou-threshold": "--iou",
  "--nms": "--iou",
  "--imgsz": "--image-size",
  "--size": "--image-size",
  "--names": "--classes",
  "--labels-file": "--classes",
  "--reg-max": "--bins",
  "--output": "--json",
};

function synonym(name: string): string {
  return SYNONYMS[name] ?? name;
}

/** Node takes "-1" after an option for another option, unless it is written --option=-1. */
function joinNegatives(args: readonly string[]): string[] {
  const isNumber = (text: string) => /^-\.?\d/.test(text);
  return args.flatMap((arg, i) => {
    if (i > 0 && isNumber(arg) && isBareOption(args[i - 1])) return [];
    return isBareOption(arg) && isNumber(args[i + 1] ?? "") ? [`${arg}=${args[i + 1]}`] : [arg];
  });
}

function isBareOption(arg: string): boolean {
  return /^--[^=]+$/.test(arg);
}

/** Everything that looks like an option, as far as "--". */
function optionNames(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).filter((arg) => /^-./.test(arg)).map((arg) => arg.split("=")[0]);
}
