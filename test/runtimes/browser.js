/** The browser that pages are tested in. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

export const BROWSERS = ["chromium-headless-shell", "chromium", "google-chrome"];

/** The path of one, or null. */
export function findBrowser() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = BROWSERS.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Headless, with WebGPU on a software adapter, a camera that shows a test picture, and silent on the network. */
export async function launchBrowser(executablePath) {
  // Not above: what asks only for the path may run before it is installed.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ],
  });
}
