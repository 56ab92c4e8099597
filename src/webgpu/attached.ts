/**
 * What detections have beside box and class, from tensors that stay on the device: only the channels of the detections come back.
 */
import type { AttachedRequest, CandidateSearch } from "../detect/search.ts";
import { channelsShader, DETECT_LANES } from "./detect_shaders.ts";
import type { Gpu } from "./gpu.ts";
import { itemGroups } from "./grid.ts";
import { ImageTensors } from "./image_tensors.ts";
import { storageOf } from "./storage.ts";
import { Work } from "./work.ts";

/** Values (anchors, channels) of every request, in one submission. */
export async function gatherAttached(
  gpu: Gpu,
  search: CandidateSearch,
  requests: readonly AttachedRequest[],
): Promise<Float32Array[]> {
  const gathers = await Promise.all(requests.map((request) => gatherOf(gpu, search, request)));
  const work = new Work(search.op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const tensors = new Map<number, ImageTensors>();
      for (const gather of gathers) {
        const { image } = gather.request;
        const own = tensors.get(image) ?? new ImageTensors(search.op, gpu.device, work, image);
        tensors.set(image, own);
        encode(work, encoder, own, gather);
      }
    });
    await work.read();
  } finally {
    work.release();
  }
  return gathers.map(({ values }) => values);
}

/** A request with the shader of each part, and its answer. */
type Gather = Awaited<ReturnType<typeof gatherOf>>;

async function gatherOf(gpu: Gpu, { op, parts }: CandidateSearch, request: AttachedRequest) {
  const { role, anchors } = request;
  const fields = parts.flatMap((part) => part[role] === null ? [] : [{ part, field: part[role] }]);
  const pipelines = await Promise.all(
    fields.map(({ field }) =>
      gpu.pipelines.get(op, channelsShader({ values: storageOf(field.source), listed: false }))
    ),
  );
  const channels = fields[0]?.field.channels ?? 0;
  return { request, fields, pipelines, channels, values: new Float32Array(anchors.length * channels) };
}

function encode(
  work: Work,
  encoder: GPUCommandEncoder,
  tensors: ImageTensors,
  { request: { anchors }, fields, pipelines, channels, values }: Gather,
): void {
  if (values.length === 0) return;
  const [list, result] = [work.upload(anchors), work.storage(values.byteLength)];
  fields.forEach(({ part, field }, i) => {
    const params = tensors.params(part, channels, anchors.length, [field]);
    const bindings = [params, list, result, tensors.bind(field)];
    work.dispatch(encoder, pipelines[i], bindings, itemGroups(values.length, DETECT_LANES));
  });
  work.copyBack(encoder, result, values);
}
