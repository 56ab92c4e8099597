/**
 * run.mjs of a folder that `npm run gpu -- --pack` made: adapter, conformance and bandwidth, each step in a process of its
 * own with a limit of time. It needs Node and nothing else.
 *
 *   node run.mjs [--quick] [--software] [--out FOLDER]
 *
 * It ends with 1 where there is no adapter, a test failed or a step died. A figure under its target is only named.
 */
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const folder = fileURLToPath(new URL(".", import.meta.url));
/** Of the whole run: what is not begun by then is skipped. */
const WHOLE_S = 570;
/** Of the suites together, so that the bench has its time. */
const SUITES_S = 240;
/** Of one step. */
const LIMIT_S = { adapter: 30, suite: 120, bench: 330 };
const QUICK_SUITES = ["webgpu_rows"];
/** How many times longer PyTorch is to take on the same card. */
const TORCH_TARGETS = { eager: 3, compiled: 1 };
/** Drivers' files that a loader of ours does not look for by itself. */
const DRIVERS = [
  "/usr/share/vulkan/icd.d/nvidia_icd.json",
  "/etc/vulkan/icd.d/nvidia_icd.json",
  "/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json",
];
const SOFTWARE = "software adapter only";
const begun = Date.now();

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    software: { type: "boolean", default: false },
    out: { type: "string", default: join(folder, "out") },
  },
});
// So that "exit" is heard, which ends the step that runs.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const out = resolve(options.out);
mkdirSync(out, { recursive: true });
process.exitCode = await main();

async function main() {
  const { adapter, env, tried } = await findAdapter();
  if (adapter === undefined) {
    console.error(`no WebGPU adapter here. Tried:\n${tried.map((line) => `  ${line}`).join("\n")}`);
    console.error("VK_ICD_FILENAMES names a Vulkan driver's file; --software takes the software adapter of the pack.");
    return 1;
  }
  const { version } = JSON.parse(readFileSync(join(folder, "node_modules/densehead/package.json"), "utf8"));
  const table = {
    date: new Date().toISOString().slice(0, 10),
    package: `densehead ${version}`,
    runtime: `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    adapter,
    driver: driverName(adapter),
    quick: options.quick,
    suites: [],
    rows: [],
    skipped: [],
    died: [],
  };
  for (const line of headOf(table)) console.log(line);
  await runSuites(table, env);
  await runBench(table, env);
  table.seconds = Math.round((Date.now() - begun) / 1000);
  writeFileSync(join(out, "gpu.json"), `${JSON.stringify(table, null, 2)}\n`);
  writeFileSync(join(out, "gpu.md"), pageOf(table));
  console.log(`\n${pageOf(table)}\nin ${out}: gpu.md, gpu.json and the logs`);
  const failed = table.suites.some(({ failed }) => failed > 0);
  if (failed) console.error("conformance failed");
  for (const reason of table.died) console.error(reason);
  return failed || table.died.length > 0 ? 1 : 0;
}

/** The environment as it is, then a driver's file with the loader of the pack; the software adapter only when asked. */
async function findAdapter() {
  const vulkan = join(folder, "vulkan");
  const loader = { LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, vulkan].filter(Boolean).join(delimiter) };
  const software = join(vulkan, "vk_swiftshader_icd.json");
  const drivers = DRIVERS.filter(existsSync).map((file) => ({ VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file }));
  const environments = options.software
    ? existsSync(software) ? [{ VK_ICD_FILENAMES: software, VK_DRIVER_FILES: software, ...loader }] : []
    : [{}, ...existsSync(vulkan) ? [loader] : [], ...drivers.map((driver) => ({ ...driver, ...loader }))];
  const tried = [];
  for (const env of environments) {
    const { code, output } = await step(["adapter.log", ["-e", askForAdapter()]], LIMIT_S.adapter, env);
    const found = /^ADAPTER (.*)$/m.exec(output)?.[1];
    if (found !== undefined) return { adapter: JSON.parse(found), env };
    const names = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const reason = code === 2 ? "no adapter" : output.trim().split("\n").at(-1);
    tried.push(`${names.join(" ") || "the environment as it is"}: ${reason}`);
  }
  if (tried.length === 0) tried.push("--software: the pack has none, it was made where there is no Chromium");
  return { tried };
}

function askForAdapter() {
  return `import("webgpu").then(async ({ create }) => {
    const gpu = globalThis.gpu = create([]);
    const found = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (found === null) process.exit(2);
    const { vendor, architecture, device, description, isFallbackAdapter } = found.info;
    const named = [vendor, architecture, description].join(" ");
    const software = isFallbackAdapter || /swiftshader|llvmpipe/i.test(named);
    console.log("ADAPTER " + JSON.stringify({ vendor, architecture, device, description, software }));
    process.exit(0);
  })`;
}

/** What tells the driver's version: NVIDIA's tool; elsewhere it stands in the adapter's description, if anywhere. */
function driverName({ software }) {
  if (software) return null;
  const query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
  const { status, stdout } = spawnSync("nvidia-smi", query, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

async function runSuites(table, env) {
  const all = readdirSync(join(folder, "suites")).filter((name) => name !== "process.js");
  const names = all.map((name) => name.replace(/\.js$/, ""));
  const chosen = options.quick ? QUICK_SUITES : names;
  if (options.quick) table.skipped.push(`${names.length - chosen.length} suites: --quick`);
  for (const name of chosen) {
    const left = SUITES_S - (Date.now() - begun) / 1000;
    if (left <= 0) {
      table.died.push(`conformance ${name}: not begun, the suites before it took ${SUITES_S} s`);
      continue;
    }
    const args = ["suites/process.js", `${name}.js`, ...options.quick ? ["--thin"] : []];
    const { reason, output } = await step([`${name}.log`, args], Math.min(left, LIMIT_S.suite), env);
    const report = /^REPORT (.*)$/m.exec(output)?.[1];
    if (report === undefined || reason !== null) {
      table.died.push(`conformance ${name}: ${reason ?? "no report"}; see ${name}.log`);
      continue;
    }
    const { passed, failed, failures, skips } = JSON.parse(report);
    table.suites.push({ name, passed, failed, skipped: [...new Set(skips)] });
    console.log(`conformance ${name}: ${passed} passed, ${failed} failed, ${skips.length} skipped`);
    for (const text of failures) console.log(text);
    if (passed + failed === 0) table.died.push(`conformance ${name}: no test ran`);
  }
}

async function runBench(table, env) {
  const left = WHOLE_S - (Date.now() - begun) / 1000;
  const saved = join(out, "bench.json");
  rmSync(saved, { force: true });
  const args = ["--expose-gc", "bench.mjs", "--save", saved, ...options.quick ? ["--quick"] : [], "gpu"];
  const { reason, output } = await step(["bench.log", args], Math.min(left, LIMIT_S.bench), env);
  if (existsSync(saved)) addFigures(table, JSON.parse(readFileSync(saved, "utf8")));
  if (reason !== null) {
    table.died.push(`bench: ${reason}; see bench.log\n${output.trim().split("\n").slice(-3).join("\n")}`);
  } else if (table.rows.length === 0) table.died.push("bench: no figure; see bench.log");
}

function addFigures(table, { figures, races, skipped }) {
  const what = (title) => title.replace(/^gpu: /, "").replace(`, ${SOFTWARE}`, "");
  for (const { title, text, share, target } of figures) {
    if (share !== undefined) table.rows.push({ what: what(title), text, value: share, target: target ?? null });
  }
  for (const { title, rivals } of races) {
    for (const { name, ms, ratio } of rivals) {
      const way = /^PyTorch.*(eager|compiled)/.exec(name)?.[1];
      if (way === undefined) continue;
      const target = table.adapter.software ? null : TORCH_TARGETS[way];
      const text = `${ratio.median}× faster than ${name}, ${ms} ms`;
      table.rows.push({ what: what(title), text, value: ratio.median, target });
    }
  }
  if (options.quick && table.adapter.software) table.skipped.push("all losses but one: --quick on a software adapter");
  // Other libraries are not in the pack; npm run bench -- gpu measures them.
  table.skipped.push(...skipped.filter((reason) => /^PyTorch|result differs/.test(reason)));
}

/** Runs Node in the pack's folder; a log has what it writes, also while it runs. */
function step([log, args], seconds, env) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env, DENSEHEAD_ROOT: folder, DENSEHEAD_RUNTIMES: "{}", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  writeFileSync(join(out, log), "");
  let output = "";
  const keep = (text) => {
    output += text;
    appendFileSync(join(out, log), text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", keep);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop();
    }, 1000 * seconds);
    const end = (code, signal) => {
      clearTimeout(timer);
      process.off("exit", stop);
      const ended = code === 0 ? null : `ended with ${signal ?? `code ${code}`}`;
      resolve({ code, output, reason: late ? `not done after ${Math.round(seconds)} s` : ended });
    };
    child.on("error", ({ message }) => {
      keep(message);
      end(1, null);
    });
    child.on("close", end);
  });
}

function headOf({ date, package: name, runtime, adapter, driver, quick }) {
  const { vendor, architecture, description, software } = adapter;
  return [
    `Adapter: ${[vendor, architecture, description].filter(Boolean).join(", ")}${software ? `; ${SOFTWARE}` : ""}`,
    `Driver: ${driver ?? "not told"}`,
    `${name}, ${date}, ${runtime}${quick ? ", quick" : ""}`,
  ];
}

function pageOf(table) {
  const lines = ["# WebGPU on an adapter", "", ...headOf(table).map((line) => `- ${line}`)];
  lines.push(
    "",
    "## Conformance",
    "",
    ...tableOf([["Suite", "Passed", "Failed", "Skipped"], ...table.suites.map(suiteRow)]),
  );
  lines.push(
    "",
    "## Speed",
    "",
    ...tableOf([["What", "Measured", "Wanted"], ...table.rows.map((row) => speedRow(table, row))]),
  );
  const notes = [...table.died, ...table.skipped.map((reason) => `skipped: ${reason}`)];
  if (notes.length > 0) {
    lines.push(
      "",
      "## Not measured",
      "",
      ...notes.map((text) => `- ${text.replaceAll("\n", " ")}`),
    );
  }
  return `${lines.join("\n")}\n`;
}

function suiteRow({ name, passed, failed, skipped }) {
  return [name, `${passed}`, `${failed}`, skipped.join("; ") || "–"];
}

function speedRow({ adapter }, { what, text, value, target }) {
  if (adapter.software) return [what, `${text}, ${SOFTWARE}`, "–"];
  if (target === null) return [what, text, "–"];
  const wanted = target < 1 ? `≥ ${100 * target} %` : `≥ ${target}×`;
  return [what, text, `${wanted}: ${value >= target ? "reached" : "MISSED"}`];
}

/** Rows of Markdown whose cells are as wide as their columns. */
function tableOf(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)];
}
