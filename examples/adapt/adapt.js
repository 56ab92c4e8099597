/** Twenty drawn pictures, a network that has never seen a heart, and how well it finds hearts before and after. */
import { cutLastLayers } from "./network.js";
import { Learner } from "./learner.js";
import { CLASSES, drawScenes, NEW_CLASS, versionsOf } from "./scenes.js";

const PICTURES = { training: { count: 20, seed: 1 }, heldOut: { count: 50, seed: 3 } };
/** Steps between two measurements of the held-out pictures. */
const INTERVAL = 15;
/** Scores that are drawn. */
const SHOWN = 0.3;

/**
 * `open` takes an ONNX file and returns what runs it: from pixels to outputs. `tell` hears what is done and waits for a page
 * to show it. Losses are of each step, `measures` (AP and AP50 of each class) of some, from the first to the last.
 */
export async function adapt(engine, file, open, { learn, steps = 150, pictures = PICTURES, tell = () => {} } = {}) {
  const cut = cutLastLayers(file);
  const run = await open(cut.file);
  const learner = new Learner(engine, cut.layers, learn);
  const lookAt = async (scenes, what) => {
    const samples = [];
    for (const scene of scenes) {
      samples.push(await learner.look(scene, run));
      await tell(`${what}: ${samples.length} of ${scenes.length}`);
    }
    return samples;
  };
  const training = drawScenes(pictures.training.count, pictures.training.seed).flatMap(versionsOf);
  const scenes = drawScenes(pictures.heldOut.count, pictures.heldOut.seed);
  const samples = await lookAt(training, "training pictures");
  const heldOut = await lookAt(scenes, "held-out pictures");

  const state = () => ({ classes: learner.measure(heldOut), found: learner.detect(heldOut, SHOWN) });
  const before = state();
  const losses = [];
  const measures = [{ step: 0, classes: before.classes }];
  for (const loss of learner.train(samples, { steps })) {
    losses.push(loss);
    if (losses.length % INTERVAL === 0 && losses.length < steps) {
      measures.push({ step: losses.length, classes: learner.measure(heldOut) });
    }
    await tell(`step ${losses.length} of ${steps}`, { losses, measures, steps });
  }
  const after = state();
  measures.push({ step: steps, classes: after.classes });
  return { losses, measures, steps, before, after, scenes };
}

/** Rows of a table: a class, or the mean of the four old ones, with AP50 and AP before and after. */
export function rowsOf({ before, after }) {
  const old = CLASSES.map((_, id) => id).filter((id) => id !== NEW_CLASS);
  const groups = [...CLASSES.map((name, id) => [name, [id]]), ["the old four", old]];
  return groups.map(([name, ids]) => ({
    name,
    AP50: [before, after].map(({ classes }) => mean(ids.map((id) => classes[id].AP50))),
    AP: [before, after].map(({ classes }) => mean(ids.map((id) => classes[id].AP))),
  }));
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
