/**
 * Masks of detections from prototypes that stay on the device: only bits of the detections' windows come back.
 */
import type { CandidateSearch, MaskRequest } from "../detect/search.ts";
import type { Prototypes } from "../heads/prototypes.ts";
import { type BitPlan, WINDOW_NUMBERS } from "../masks/bit_plan.ts";
import type { AnySource } from "../validate.ts";
import type { Gpu } from "./gpu.ts";
import { itemGroups } from "./grid.ts";
import { bindShare, shareOfLength } from "./image_share.ts";
import { MASK_COUNTS, maskBitsShader, maskLogitsShader } from "./mask_shaders.ts";
import { paramsBlock } from "./params.ts";
import { storageOf } from "./storage.ts";
import { Work } from "./work.ts";

/** Samples whose logits are there at a time: 16 MiB. More are made window after window. */
const MAX_SAMPLES = 4 * 1024 * 1024;

/** The bits of each request. */
export function findMasks(gpu: Gpu, search: CandidateSearch, requests: readonly MaskRequest[]): Promise<Uint32Array[]> {
  return Promise.all(requests.map((request) => bitsOf(gpu, search, request)));
}

async function bitsOf(gpu: Gpu, search: CandidateSearch, { image, plan }: MaskRequest): Promise<Uint32Array> {
  const { op } = search;
  const prototypes = search.prototypes as Prototypes<AnySource>;
  const bits = new Uint32Array(plan.words);
  if (plan.words === 0) return bits;
  const [logitsPipeline, bitsPipeline] = await Promise.all(
    [maskLogitsShader(storageOf(prototypes.source)), maskBitsShader].map((code) => gpu.pipelines.get(op, code)),
  );
  const work = new Work(op, gpu.device, gpu.pool);
  try {
    work.submit((encoder) => {
      const { channels, height, width } = prototypes;
      const share = shareOfLength(prototypes.source, channels * height * width, image);
      const place = { op, argument: prototypes.argument };
      const source = bindShare(work, place, prototypes.source, share, gpu.device.limits);
      const runs = runsOf(plan);
      const [table, across, down, coefficients] = [plan.table, plan.across, plan.down, plan.coefficients].map((data) =>
        work.upload(data)
      );
      const logits = work.storage(4 * Math.max(...runs.map(({ samples }) => samples)));
      const result = work.storage(bits.byteLength);
      for (const run of runs) {
        const counts = { ...MASK_COUNTS, ...layoutOf(prototypes, share.first), ...run.counts };
        const params = (items: number) => {
          return work.uniform(paramsBlock({ counts: { ...counts, items }, parameters: {} }));
        };
        const forLogits = [params(run.samples), table, coefficients, logits, source];
        work.dispatch(encoder, logitsPipeline, forLogits, itemGroups(run.samples));
        const forBits = [params(run.words), table, across, down, logits, result];
        work.dispatch(encoder, bitsPipeline, forBits, itemGroups(run.words));
      }
      work.copyBack(encoder, result, bits);
    });
    await work.read();
    return bits;
  } finally {
    work.release();
  }
}

/** Windows whose logits are there together. */
interface MaskRun {
  readonly counts: { readonly first_window: number; readonly windows: number; readonly first_sample: number };
  readonly samples: number;
  readonly words: number;
}

function runsOf({ table, words, samples }: BitPlan): MaskRun[] {
  const count = table.length / WINDOW_NUMBERS;
  const firstWord = (window: number) => window < count ? table[window * WINDOW_NUMBERS + 9] : words;
  const firstSample = (window: number) => window < count ? table[window * WINDOW_NUMBERS + 10] : samples;
  const runs: MaskRun[] = [];
  for (let first = 0; first < count;) {
    let end = first + 1;
    while (end < count && firstSample(end + 1) - firstSample(first) <= MAX_SAMPLES) end++;
    runs.push({
      counts: { first_window: first, windows: end - first, first_sample: firstSample(first) },
      samples: firstSample(end) - firstSample(first),
      words: firstWord(end) - firstWord(first),
    });
    first = end;
  }
  return runs;
}

function layoutOf({ channelsFirst, channels, height, width }: Prototypes<AnySource>, base: number) {
  return channelsFirst
    ? { channels, base, by_channel: height * width, by_row: width, by_column: 1 }
    : { channels, base, by_channel: 1, by_row: width * channels, by_column: channels };
}
