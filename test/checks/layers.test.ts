/**
 * Rooms import what the table in ARCHITECTURE.md allows, and files do not import each other in a cycle.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("layers");
const root = process.env.DENSEHEAD_ROOT ?? ".";
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");

interface Import {
  /** From the folder on: "ops/nms.ts". */
  readonly target: string;
  /** Is more of it imported than types, and at once? */
  readonly runs: boolean;
}

const STATIC = /^(?:import|export)( type)?\b([^;"]*?)\bfrom "(\.[^"]+)"/gm;
const EFFECT = /^import "(\.[^"]+)"/gm;
/** Types of it too. */
const ASKED_FOR = /\bimport\("(\.[^"]+)"\)/g;
const TYPE_NAMES = /^\s*\{(\s*type \w+( as \w+)?,?)+\s*\}\s*$/;

function importsOf(file: string, text: string): Import[] {
  const targetOf = (path: string) => {
    const target = posix.normalize(posix.join(posix.dirname(file), path)).replace(/^\.\.\//, "");
    return target.endsWith(".ts") || target.endsWith(".js") ? target : `${target}.ts`;
  };
  return [
    ...[...text.matchAll(STATIC)].map(([, type, names, path]) => {
      return { target: targetOf(path), runs: type === undefined && !TYPE_NAMES.test(names) };
    }),
    ...[...text.matchAll(EFFECT)].map(([, path]) => ({ target: targetOf(path), runs: true })),
    ...[...text.matchAll(ASKED_FOR)].map(([, path]) => ({ target: targetOf(path), runs: false })),
  ];
}

/** The imports of every file in a folder. */
function graphOf(folder: string): Map<string, Import[]> {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.replaceAll("\\", "/"));
  return new Map(files.map((file) => [file, importsOf(file, read(folder, file))]));
}

/** A file's way to itself, or null where there is none. */
function cycleIn(graph: ReadonlyMap<string, readonly Import[]>): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | null => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const { target } of graph.get(file) ?? []) {
      const cycle = visit(target, [...way, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

interface Room {
  /** A file's name or, with a slash, a folder's. */
  readonly name: string;
  readonly imports: readonly string[];
  readonly types: readonly string[];
}

/** The rows of the table. */
function readRooms(): Room[] {
  const lines = read("ARCHITECTURE.md").split("\n");
  const head = lines.findIndex((line) => /^\| Room +\| Imports +\|/.test(line));
  assert.ok(head >= 0, "ARCHITECTURE.md has no table of rooms");
  const rows = lines.slice(head + 2);
  return rows.slice(0, rows.findIndex((line) => !line.startsWith("|"))).map((line) => {
    const [[name], imports, types] = line.split("|").slice(1, 4).map((cell) => {
      return [...cell.matchAll(/`([^`]+)`/g)].map(([, found]) => found);
    });
    return { name, imports, types };
  });
}

const rooms = readRooms();
const src = graphOf("src");

/** The file itself, or the innermost folder that is a room. */
function roomOf(file: string): Room {
  const path = file.replace(/(\.d)?\.[jt]s$/, "");
  const [room] = rooms.filter(({ name }) => name.endsWith("/") ? path.startsWith(name) : path === name)
    .sort((a, b) => b.name.length - a.name.length);
  assert.ok(room, `${file} stands in no room of ARCHITECTURE.md`);
  return room;
}

test("rooms import only from rooms below them", () => {
  rooms.forEach(({ name, imports, types }, i) => {
    const there = [`src/${name}`, `src/${name}.ts`, name].some((path) => existsSync(join(root, path)));
    assert.ok(there, `room ${name} is nowhere`);
    const below = rooms.slice(i + 1).map((room) => room.name);
    for (const other of [...imports, ...types]) assert.ok(below.includes(other), `${other} is no room below ${name}`);
  });
});

test("files import what the table allows their room, and the table allows no more", () => {
  const taken = new Map(rooms.map(({ name }) => [name, { imports: new Set<string>(), types: new Set<string>() }]));
  for (const [file, imports] of src) {
    const room = roomOf(file);
    for (const { target, runs } of imports) {
      const { name } = roomOf(target);
      if (name === room.name) continue;
      const may = room.imports.includes(name) || (!runs && room.types.includes(name));
      assert.ok(may, `${file} imports ${runs ? "" : "types of "}${target}; ${room.name} may not`);
      taken.get(room.name)?.[runs ? "imports" : "types"].add(name);
    }
  }
  const unused = rooms.flatMap(({ name, imports, types }) => [
    ...imports.filter((other) => !taken.get(name)?.imports.has(other)).map((other) =>
      `${name} runs nothing of ${other}`
    ),
    ...types.filter((other) => !taken.get(name)?.types.has(other)).map((other) => `${name} has no types of ${other}`),
  ]);
  assert.equal(unused, [], "ARCHITECTURE.md allows more");
});

test("WebGPU and WASM know nothing of each other, and WebGPU is loaded only when it is asked for", () => {
  for (const { name, imports, types } of rooms) {
    if (name === "webgpu/") assert.not.ok([...imports, ...types].includes("wasm/"), "webgpu imports wasm");
    if (name === "wasm/") assert.not.ok([...imports, ...types].includes("webgpu/"), "wasm imports webgpu");
    if (!name.startsWith("webgpu")) {
      assert.not.ok(imports.some((other) => other.startsWith("webgpu")), `${name} loads WebGPU`);
    }
  }
});

test("files do not import each other in a cycle", () => {
  assert.is(cycleIn(src)?.join(" → ") ?? "no cycle", "no cycle");
  assert.is(cycleIn(graphOf("assembly"))?.join(" → ") ?? "no cycle", "no cycle");
});

test("every way to import is seen, and a cycle of types", () => {
  const text = [
    `import { a } from "./a.ts";`,
    `import {\n  type B,\n  type C as D,\n} from "../b.ts";`,
    `export type * from "./c/d.ts";`,
    `import "./e.ts";`,
    `export * from "../../build/f.d.ts";`,
    `import { g } from "./g"`,
    `const later = () => import("./h.ts");`,
    `import { type I, j } from "./i.ts";`,
  ].join("\n");
  assert.equal(importsOf("x/y.ts", text).map(({ target, runs }) => `${target} ${runs}`), [
    "x/a.ts true",
    "b.ts false",
    "x/c/d.ts false",
    "build/f.d.ts true",
    "x/g.ts true",
    "x/i.ts true",
    "x/e.ts true",
    "x/h.ts false",
  ]);
  const of = (...targets: string[]) => targets.map((target) => ({ target, runs: false }));
  assert.equal(cycleIn(new Map([["a", of("b")], ["b", of("c")], ["c", of("b")]])), ["b", "c", "b"]);
  assert.is(cycleIn(new Map([["a", of("b", "c")], ["b", of("c")], ["c", of()]])), null);
});

test.run();
