/**
 * Candidates of heads whose rows are detections already: each has its score and its class beside the box.
 */
import { anchorsIn } from "../heads/levels.ts";
import type { Field } from "../heads/outputs.ts";
import { describe, rangeError } from "../validate.ts";
import { type CandidateList, emptyList } from "./candidates.ts";
import { op } from "./checked_detect.ts";
import { type Passes, passesOf } from "./class_rules.ts";
import type { ImageRun } from "./image_run.ts";
import { checkProbability } from "./probabilities.ts";
import { readColumn, type Thresholds } from "./thresholds.ts";

/** The rows whose score is over the threshold, each with its class. */
export function selectRows(run: ImageRun, thresholds: Thresholds): CandidateList {
  const { backend, allocate, settings: { head, levels } } = run;
  const rows = anchorsIn(levels);
  const list = emptyList(allocate, rows);
  const { classRules } = run.settings;
  const passes: Passes = classRules === null ? () => true : passesOf(head, classRules, false);
  const [scores, labels] = [allocate(backend.stagingBytes(rows)), allocate(backend.stagingBytes(rows))];
  for (const { classes, firstAnchor } of run.parts) {
    const column = (channel: number): Field => ({
      ...classes,
      channels: 1,
      firstChannel: classes.firstChannel + channel,
    });
    readColumn(run, column(0), scores + 4 * firstAnchor);
    readColumn(run, column(1), labels + 4 * firstAnchor);
    const { floats, ints } = backend.memory;
    const threshold = floats[thresholds.pointer >> 2];
    for (let row = firstAnchor; row < firstAnchor + classes.anchors; row++) {
      const score = floats[(scores >> 2) + row];
      if (head.scores === "probabilities") checkProbability({ op, argument: classes.argument }, head, score);
      if (!(score > threshold)) continue;
      const label = classOf(run, classes, row, floats[(labels >> 2) + row]);
      if (!passes(label, score, NaN)) continue;
      ints[(list.anchors >> 2) + list.count] = row;
      ints[(list.labels >> 2) + list.count] = label;
      floats[(list.values >> 2) + list.count] = score;
      list.count++;
    }
  }
  return list;
}

function classOf({ settings: { head } }: ImageRun, { argument }: Field, row: number, label: number): number {
  if (Number.isInteger(label) && label >= 0 && label < head.numClasses) return label;
  const wanted = `a class, 0 to ${head.numClasses - 1}, for head ${head.name}`;
  throw rangeError({ op, argument: `the class of row ${row} in ${argument}` }, describe(label), wanted);
}
