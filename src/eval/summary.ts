/**
 * The statistics that pycocotools prints.
 */
import type { Curves } from "./accumulate.ts";
import type { AreaRange } from "./kind.ts";
import type { Settings } from "./settings.ts";

/** What to take the mean of: all, where it is not said. */
interface Choice {
  readonly threshold?: number;
  readonly area?: string;
  readonly k?: number;
  /** Place among maxDets; default the last. */
  readonly m?: number;
}

/** Means over the curves; −1 where there are none. */
export class Summary {
  constructor(
    private readonly curves: Curves,
    private readonly settings: Settings,
    private readonly areas: readonly AreaRange[],
  ) {}

  AP(choice: Choice): number {
    return this.mean(this.curves.precision, this.curves.counts[1], choice);
  }

  AR(choice: Choice): number {
    return this.mean(this.curves.recall, 1, choice);
  }

  /** By their names, in pycocotools' order. */
  stats(): Record<string, number> {
    const { kind, maxDets } = this.settings;
    const sizes = this.areas.slice(1).map(({ name }) => name);
    const bySize = (name: "AP" | "AR") => sizes.map((area) => [`${name}${area}`, this[name]({ area })] as const);
    const AP = [
      ["AP", this.AP({})],
      ["AP50", this.AP({ threshold: 0.5 })],
      ["AP75", this.AP({ threshold: 0.75 })],
    ] as const;
    const AR = kind === "keypoints"
      ? [
        ["AR", this.AR({})],
        ["AR50", this.AR({ threshold: 0.5 })],
        ["AR75", this.AR({ threshold: 0.75 })],
      ] as const
      : maxDets.map((most, m) => [`AR${most}`, this.AR({ m })] as const);
    return Object.fromEntries([...AP, ...bySize("AP"), ...AR, ...bySize("AR")]);
  }

  /** Of (T, inner, K, A, M) values. */
  private mean(values: Float64Array, inner: number, { threshold, area = "all", k, m }: Choice): number {
    const [T, , K, A, M] = this.curves.counts;
    const { iouThresholds } = this.settings;
    const a = this.areas.findIndex(({ name }) => name === area);
    let sum = 0;
    let count = 0;
    for (let t = 0; t < T; t++) {
      if (threshold !== undefined && iouThresholds[t] !== threshold) continue;
      for (let r = 0; r < inner; r++) {
        for (let own = k ?? 0; own <= (k ?? K - 1); own++) {
          const value = values[(((t * inner + r) * K + own) * A + a) * M + (m ?? M - 1)];
          if (value > -1) {
            sum += value;
            count++;
          }
        }
      }
    }
    return count === 0 ? -1 : sum / count;
  }
}
