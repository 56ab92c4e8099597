/** The page of an example, built and served by its own `npm start`, in headless Chromium. */
// needs: test/runtimes
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";

export const root = process.env.DENSEHEAD_ROOT ?? process.cwd();

export interface Visit {
  readonly page: Page;
  /** What the console and the page complained of, and requests that left the page's own origin. */
  readonly complaints: string[];
  /** Opens the page, which begins anew. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A visit, or why there can be none here. */
export async function visit(example: string, { webgpu = true } = {}): Promise<Visit | string> {
  const { findBrowser, launchBrowser } = await import(pathToFileURL(join(root, "test/runtimes/browser.js")).href);
  const path = findBrowser();
  if (path === null) return "no browser found";
  const server = spawn(process.execPath, ["build.js", "--serve"], {
    cwd: join(root, "examples", example),
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => server.kill());
  const url = await urlOf(server);
  const browser: Browser = await launchBrowser(path);
  const close = async () => {
    await browser.close();
    server.kill();
  };
  const page = await browser.newPage();
  if (webgpu && !await hasAdapter(page, url)) {
    await close();
    return "WebGPU: no adapter";
  }
  const open = async () => {
    await page.goto(url);
  };
  return { page, complaints: complaintsOf(page, url), open, close };
}

async function hasAdapter(page: Page, url: string): Promise<boolean> {
  // Of the page's origin, but nothing runs there.
  await page.goto(`${url}main.js`);
  return page.evaluate(async () => await navigator.gpu?.requestAdapter() != null);
}

/** What the server prints when it is ready. */
async function urlOf({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface(stdout!)) {
    if (line.startsWith("http://")) return line;
  }
  throw new Error("the example's server ended before it printed its address");
}

function complaintsOf(page: Page, url: string): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) complaints.push(request.url());
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`);
  });
  return complaints;
}
