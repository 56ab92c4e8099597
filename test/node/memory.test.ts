/** What a thousand calls leave behind: nothing. Needs the collector (`--expose-gc`). */
import { createEngine, heads } from "densehead";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LinearMemory } from "../../src/wasm/memory.ts";
import { random } from "../random.ts";
import { inOrder, pack, randomHead } from "../raw_head.ts";

const test = suite("memory");

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapAfter(calls: number, call: () => void): number {
  for (let i = 0; i < calls; i++) call();
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const head = heads.yolov8();
const imageSize = [640, 640] as const;
const raw = randomHead(random(60), head, imageSize, 1, 12);
const outputs = pack(head, raw, inOrder(head, raw));

test("a 144×8400 head is streamed from a host array in at most 2 MiB", async () => {
  const engine = await createEngine();
  const [found] = engine.sync.detect(outputs, { head, imageSize });
  assert.is(found.length, 300);
  assert.ok(engine.memory.peak <= 2 * 1024 * 1024, `peak ${engine.memory.peak}`);
  assert.ok(engine.memory.reserved <= 2 * 1024 * 1024, `reserved ${engine.memory.reserved}`);
});

test("a thousand calls change neither the reserved memory nor the heap", async () => {
  const engine = await createEngine();
  const small = randomHead(random(61), head, [160, 160]);
  const tensor = pack(head, small, inOrder(head, small));
  const call = () => void engine.sync.detect(tensor, { head, imageSize: [160, 160], uncertainty: true });
  const heaps = [heapAfter(300, call)];
  const { reserved, used } = engine.memory;
  for (let round = 0; round < 4; round++) heaps.push(heapAfter(1000, call));
  assert.is(engine.memory.reserved, reserved);
  assert.is(engine.memory.used, used);
  // Code and caches settle in one round or another; a leak grows in all, one result a call by 8 MB.
  const least = Math.min(...heaps.slice(1).map((heap, i) => heap - heaps[i]));
  assert.ok(least < 64 * 1024, `the heap grew in every round, by at least ${least} bytes`);
});

test("to free what is no block is an error of ours", () => {
  const memory = new LinearMemory(new WebAssembly.Memory({ initial: 2 }), 1024, 2 ** 20);
  const block = memory.allocate("test", 100);
  memory.free(block);
  for (const pointer of [block, 0, 64, NaN]) assert.throws(() => memory.free(pointer), /is no block/);
  assert.is(memory.used, 1024);
});

test("an error gives its memory back", async () => {
  const engine = await createEngine({ maxMemory: 1024 * 1024 });
  const { used } = engine.memory;
  const many = new Float32Array(400000);
  for (let i = 0; i < 20; i++) {
    assert.throws(() => engine.sync.nms(many, new Float32Array(100000), { iouThreshold: 0.5 }), /needs \d+ bytes/);
  }
  assert.is(engine.memory.used, used);
});

test.run();
