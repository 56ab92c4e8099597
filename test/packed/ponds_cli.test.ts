/** `densehead run` of the ponds' networks: their metadata say which task they are for, and bins and strides follow; and `densehead detect` of their outputs. */
// needs: examples/onnxruntime
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { installPeers } from "../peer_packages.ts";
import { pathOf, PONDS } from "../ponds.ts";
import { cli, runIn } from "./in_process.ts";

const test = suite("the command on ponds");
const folder = mkdtempSync(join(tmpdir(), "densehead-ponds-"));
installPeers(folder);
symlinkSync(dirname(dirname(cli)), join(folder, "node_modules/densehead"), "junction");
test.after(() => rmSync(folder, { recursive: true, force: true }));

const ALL = ["--score", "0.4"];
/** The flags of each head, and the member that its results have for them; turned boxes are in the bbox. */
const HEADS = {
  masks: { flags: ["--mask-coefficients", "8"], member: "segmentation" },
  keypoints: { flags: ["--keypoints", "4x3:yolov8"], member: "keypoints" },
  turned: { flags: ["--angle", "sigmoid"], member: "bbox" },
};

interface Row {
  category_id: number;
  bbox: number[];
  score: number;
}

function rowsOf(...args: string[]): (Row & Record<string, unknown>)[] {
  const { status, stdout, stderr } = runIn(folder, ...args, ...ALL, "--json", "-");
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

for (const [head, { flags, member }] of Object.entries(HEADS)) {
  test(`${head}: run finds by the metadata's task what detect finds with ${flags.join(" ")}`, () => {
    for (const pond of PONDS) {
      const ran = rowsOf("run", resolve(pathOf(`${head}.onnx`)), resolve(pathOf(`${pond}.png`)));
      const detected = rowsOf("detect", resolve(pathOf(`${pond}.${head}.safetensors`)), ...flags);
      assert.ok(ran.length > 3, `${ran.length} objects`);
      assert.equal(ran.map(({ category_id }) => category_id), detected.map(({ category_id }) => category_id));
      ran.forEach((row, i) => {
        assert.ok(row[member] !== undefined, `no ${member}`);
        row.bbox.forEach((side, k) => assert.ok(Math.abs(side - detected[i].bbox[k]) < 0.01, `${pond}, bbox ${i}`));
      });
    }
  });
}

test("outputs in a file whose channels can be several things are read as none of them", () => {
  const file = resolve(pathOf("pond1.keypoints.safetensors"));
  const { status, stderr } = runIn(folder, "detect", file);
  assert.is(status, 2);
  assert.match(
    stderr,
    /outputs have 47 channels, which fit .*--bins 8 --strides 8,16 --keypoints 4x3:yolov8.*; say --bins/,
  );
  assert.match(stderr, /yolov8 with 3 classes \(--bins 11 --strides 8,16\)/);
});

test("an error counts anchors in words, and names members by their flags", () => {
  const file = resolve(pathOf("pond1.masks.safetensors"));
  const { status, stderr } = runIn(folder, "detect", file, "--head", "yolov8", "--bins", "8", "--strides", "8");
  assert.is(status, 2);
  assert.match(stderr, /; anchors: 400 /);
  assert.not.match(stderr, /--anchors/);
});

test.run();
