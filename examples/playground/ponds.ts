/** Masks, keypoints and turned boxes: the recorded outputs of three networks, detected and drawn anew at each change. */
import {
  type Engine,
  type HeadOptions,
  heads,
  type HostTensor,
  type SvgObject,
  type SvgOptions,
  toSvg,
} from "densehead";
import { readSafetensors } from "densehead/files";
import { element, fixed } from "./text.ts";

const SIZE = [160, 160] as const;
const NAMES = ["fish", "turtle", "leaf"];
/** From front to left and right, and from there to the back. */
const SKELETON: SvgOptions["skeleton"] = [[0, 1], [0, 2], [1, 3], [2, 3]];

/** What each network finds beside boxes. */
const HEADS = {
  masks: { maskCoefficients: 8 },
  keypoints: { keypoints: { count: 4, dims: 3, coding: "yolov8" } },
  turned: { angle: "sigmoid" },
} satisfies Record<string, HeadOptions>;

type HeadName = keyof typeof HEADS;

interface Annotation extends Pick<SvgObject, "segmentation" | "keypoints"> {
  readonly image_id: number;
  /** x, y, width, height; of turned boxes centre x, y, width, height, angle. */
  readonly bbox: readonly number[];
}

/** The files are loaded when the section comes near. */
export function startPonds(engine: Engine): void {
  const observer = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    observer.disconnect();
    open(engine).catch((error: Error) => element("pond-status").textContent = error.message);
  }, { rootMargin: "200px" });
  observer.observe(element("ponds"));
}

async function open(engine: Engine): Promise<void> {
  const [upright, turned] = await Promise.all(["ponds.coco.json", "ponds.turned.coco.json"].map(truthOf));
  const form = element<HTMLFormElement>("pond-form");
  const show = async () => {
    const values = new FormData(form);
    const [name, pond] = [values.get("head") as HeadName, Number(values.get("pond"))];
    const outputs = await outputsOf(`pond${pond}.${name}`);
    const head = heads.yolov8({ numClasses: NAMES.length, bins: 8, strides: [8, 16], ...HEADS[name] });
    const scoreThreshold = Number(values.get("score"));
    const start = performance.now();
    const [found] = engine.sync.detect(outputs, { head, imageSize: SIZE, scoreThreshold });
    const ms = performance.now() - start;
    const truth = name === "turned" ? turned[pond - 1].map(turnedObject) : upright[pond - 1].map(objectOf[name]);
    element("pond").innerHTML = toSvg(found, {
      size: SIZE,
      image: `shapes/pond${pond}.png`,
      names: NAMES,
      skeleton: SKELETON,
      truth: values.has("truth") ? truth : [],
    });
    element("pond-score").textContent = fixed(scoreThreshold, 2);
    element("pond-status").textContent = `${found.length} objects, detected in ${fixed(ms, 1)} ms`;
  };
  form.addEventListener("input", show);
  await show();
}

/** The annotations of each pond. */
async function truthOf(file: string): Promise<Annotation[][]> {
  const { annotations } = await (await fetch(`shapes/${file}`)).json() as { annotations: Annotation[] };
  return [1, 2, 3].map((pond) => annotations.filter(({ image_id }) => image_id === pond));
}

const files = new Map<string, Promise<HostTensor[]>>();

/** A file is loaded once. */
function outputsOf(name: string): Promise<HostTensor[]> {
  const loaded = files.get(name) ?? fetch(`shapes/${name}.safetensors`).then(async (response) => {
    return [...readSafetensors(await response.arrayBuffer()).tensors.values()] as HostTensor[];
  });
  files.set(name, loaded);
  return loaded;
}

const objectOf = {
  masks: ({ bbox, segmentation }: Annotation): SvgObject => ({ box: cornersOf(bbox), segmentation }),
  keypoints: ({ bbox, keypoints }: Annotation): SvgObject => ({ box: cornersOf(bbox), keypoints }),
};

function turnedObject({ bbox }: Annotation): SvgObject {
  return { rotated: bbox };
}

function cornersOf([x, y, width, height]: readonly number[]): number[] {
  return [x, y, x + width, y + height];
}
