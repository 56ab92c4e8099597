/** Live detection: a picture, the network, and three ways from its outputs to boxes. */
import { createEngine, type Detections, type DetectOptions, type Engine, heads, type Outputs as Maps } from "densehead";
import { BINS, CLASSES, dispose, type Network, openNetwork, type Outputs, SIZE, STRIDES } from "./network.ts";
import { plainDetect, type PlainDetection } from "./plain_detect.ts";
import { showDetections, showTimes, type Way } from "./results.ts";
import { type Kind, Scene } from "./scene.ts";
import { element } from "./text.ts";

const OPTIONS = {
  head: heads.gfl({ numClasses: CLASSES.length, bins: BINS, strides: STRIDES }),
  imageSize: [SIZE, SIZE],
  scoreThreshold: 0.4,
  iouThreshold: 0.6,
  uncertainty: true,
} satisfies DetectOptions;

const PLAIN_OPTIONS = { ...OPTIONS, numClasses: CLASSES.length, bins: BINS };

type HostWay = Exclude<Way, "webgpu">;

/** Detection on the host is short and a browser's clock coarse: it runs again until so much time is over. */
const MEASURED_MS = 10;
const WARM_UP_MS = 150;

/** The picture can be drawn at once; the network is loaded when the section comes near. */
export function startDetection(engine: Engine): void {
  const scene = new Scene(element("scene"));
  listenToPictures(scene);
  const observer = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    open(engine, scene).catch(report);
  }, { rootMargin: "200px" });
  observer.observe(element("detection"));
}

async function open(engine: Engine, scene: Scene): Promise<void> {
  say("Loading the network …");
  const network = await openNetwork();
  const gpuEngine = network.device && await createEngine({ gpuDevice: network.device });
  const live = new LiveDetection({ scene, network, engine, gpuEngine });
  await live.warmUp();
  const gpu = gpuEngine?.capabilities.webgpu;
  say(gpu ? `The network runs on WebGPU (${gpu}).` : "There is no WebGPU here: the network runs on WebAssembly.");
  const ways = element<HTMLFieldSetElement>("ways");
  ways.disabled = false;
  (ways.querySelector("[value=webgpu]") as HTMLInputElement).disabled = gpuEngine === null;
  const detect = () => live.request().catch(report);
  scene.onChange = detect;
  ways.addEventListener("change", detect);
  detect();
}

function report(error: Error): void {
  say(`Detection does not run here: ${error.message}`);
}

function say(text: string): void {
  element("detection-status").textContent = text;
}

interface Parts {
  readonly scene: Scene;
  readonly network: Network;
  readonly engine: Engine;
  /** On the network's device; null where that is the host. */
  readonly gpuEngine: Engine | null;
}

class LiveDetection {
  readonly #parts: Parts;
  #wanted = false;
  #running = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Once through everything, so that shaders and hot loops are compiled before they are timed. */
  async warmUp(): Promise<void> {
    const outputs = await this.#parts.network.run(this.#parts.scene.pixels());
    if (this.#parts.gpuEngine !== null) await this.#findOnGpu(outputs);
    const host = await readBack(outputs);
    for (const way of ["javascript", "wasm"] as const) measured(() => this.#detect(host, way), WARM_UP_MS);
    dispose(outputs);
  }

  /** Detects what the picture shows now; while a run is under way, once more after it. */
  async request(): Promise<void> {
    this.#wanted = true;
    if (this.#running) return;
    this.#running = true;
    element("results").ariaBusy = "true";
    try {
      while (this.#wanted) {
        this.#wanted = false;
        await this.#run();
      }
    } finally {
      this.#running = false;
      element("results").ariaBusy = "false";
    }
  }

  async #run(): Promise<void> {
    const { scene, network } = this.#parts;
    const way = chosenWay();
    const input = await timed(() => scene.pixels());
    const { result: outputs, ms } = await timed(() => network.run(input.result));
    const found = way === "webgpu" ? await this.#findOnGpu(outputs) : await this.#findOnHost(outputs, way);
    dispose(outputs);
    showTimes(way, { input: input.ms, network: ms, readback: found.readback, detect: found.detect });
    showDetections(found.detections);
  }

  async #findOnGpu(outputs: Outputs) {
    const engine = this.#parts.gpuEngine as Engine;
    const { result: [found], ms } = await timed(() => engine.detect(mapsOf(outputs), OPTIONS));
    return { detections: listOf(found), readback: null, detect: ms };
  }

  async #findOnHost(outputs: Outputs, way: HostWay) {
    const { result: host, ms: readback } = await timed(() => readBack(outputs));
    const { result: found, ms } = measured(() => this.#detect(host, way), MEASURED_MS);
    return { detections: listOf(found), readback, detect: ms };
  }

  #detect(host: Record<string, HostMap>, way: HostWay): Detections | PlainDetection[] {
    if (way === "javascript") return plainDetect(levelsOf(host), PLAIN_OPTIONS);
    return this.#parts.engine.sync.detect(mapsOf(host), OPTIONS)[0];
  }
}

// ── Outputs ─────────────────────────────────────────────────────────────────────

interface HostMap {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

async function readBack(outputs: Outputs): Promise<Record<string, HostMap>> {
  const entries = Object.entries(outputs).map(async ([name, tensor]) => {
    return [name, { data: await tensor.getData() as Float32Array, dims: tensor.dims }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** As densehead takes them, on the GPU or on the host. */
function mapsOf({ cls_s8, cls_s16, reg_s8, reg_s16 }: Outputs | Record<string, HostMap>): Maps {
  return { classes: [cls_s8, cls_s16], boxes: [reg_s8, reg_s16] } as Maps;
}

function levelsOf(host: Record<string, HostMap>) {
  return STRIDES.map((stride) => ({
    classes: host[`cls_s${stride}`].data,
    boxes: host[`reg_s${stride}`].data,
    stride,
    size: SIZE / stride,
  }));
}

function listOf(found: Detections | PlainDetection[]): PlainDetection[] {
  if (Array.isArray(found)) return found;
  return [...found].map(({ box, score, classId, excess = [] }) => ({ box, score, classId, excess }));
}

// ── Time ────────────────────────────────────────────────────────────────────────

async function timed<T>(work: () => T | Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now();
  const result = await work();
  return { result, ms: performance.now() - start };
}

/** The mean of as many runs as fill the time. */
function measured<T>(work: () => T, least: number): { result: T; ms: number } {
  const start = performance.now();
  let result: T;
  let runs = 0;
  do {
    result = work();
    runs++;
  } while (performance.now() - start < least);
  return { result, ms: (performance.now() - start) / runs };
}

// ── Controls ────────────────────────────────────────────────────────────────────

function chosenWay(): Way {
  return element("ways").querySelector<HTMLInputElement>(":checked")?.value as Way;
}

function listenToPictures(scene: Scene): void {
  element("kinds").addEventListener("change", ({ target }) => scene.kind = (target as HTMLInputElement).value as Kind);
  element("clear").addEventListener("click", () => scene.clear());
  element("remove-last").addEventListener("click", () => scene.removeLast());
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-scene]")) {
    button.addEventListener("click", async () => {
      const file = await fetch(`shapes/${button.dataset.scene}.png`);
      scene.setGround(await createImageBitmap(await file.blob()));
    });
  }
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    const picture = await createImageBitmap(file).catch(() => null);
    if (picture === null) say(`${file.name} is no picture that this browser reads.`);
    else scene.setGround(picture);
  };
  const chooser = element<HTMLInputElement>("picture-file");
  chooser.addEventListener("change", () => take(chooser.files?.[0]));
  const stage = element("stage");
  stage.addEventListener("dragover", (event) => event.preventDefault());
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files[0]);
  });
}
