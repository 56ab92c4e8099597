/**
 * Scores as people and programs read them.
 */
import { printable, printableJson } from "../../text.ts";
import { nameOf } from "../ground_truth.ts";
import type { NetworkFile } from "../network.ts";
import { rankCorrelation } from "../../eval/rank_correlation.ts";
import { stemOf } from "../readers/tensors.ts";
import type { Score, Tally } from "../score_result.ts";
import { aligned, networkText } from "./text.ts";

/** A headline, a row for each image, and one for all where there are several. */
export function scoreTable({ chosen, inputSize }: NetworkFile, scores: readonly Score[], all: Tally): string {
  const columns = ["file", "image", "loss", ...Object.keys(all.parts), "positives", "quality", "detections", "ranks"];
  const rows = scores.map((score) => row(stemOf(score.file), nameOf(score.image), score));
  const lines = aligned([columns, ...rows, ...(scores.length === 1 ? [] : [row("all", "", all)])], 2);
  return [networkText(chosen, inputSize), ...lines.map((line) => `  ${line}`), ""].join("\n");
}

function row(file: string, image: string, { total, parts, numPos, quality, scores, ious }: Tally): string[] {
  const losses = [total, ...Object.values(parts)].map((loss) => loss.toFixed(4));
  const counts = [numPos, scores.length].map(String);
  const [mean, ranks] = [quality, rankCorrelation(scores, ious)].map((n) => Number.isNaN(n) ? "–" : n.toFixed(3));
  return [printable(file), printable(image), ...losses, counts[0], mean, counts[1], ranks];
}

/** A line of JSON for each image, and one for all; null stands for what is no number. */
export function scoreLines(scores: readonly Score[], all: Tally): string {
  const images = scores.map((score) => ({
    image_id: score.image.id,
    file_name: score.image.fileName,
    file: score.file,
    ...members(score),
  }));
  return [...images, { images: scores.length, ...members(all) }].map((line) => `${printableJson(line)}\n`).join("");
}

function members({ total, parts, numPos, quality, scores, ious }: Tally) {
  return { total, parts, numPos, quality, detections: scores.length, rankCorrelation: rankCorrelation(scores, ious) };
}
