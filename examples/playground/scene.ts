/** A picture that is drawn by pointer or keyboard: shapes on a ground. */
import { type CLASSES, SIZE } from "./network.ts";

export type Kind = (typeof CLASSES)[number];

export interface Shape {
  readonly kind: Kind;
  x: number;
  y: number;
  /** From the centre to the farthest point. */
  radius: number;
  readonly colour: string;
}

const COLOURS = ["#d9482b", "#f2b01e", "#2f8f5b", "#7b4fa3", "#e86a92", "#146c94"];
/** Corners of a unit shape, by angle from the top and radius; a circle has none. */
const CORNERS: Readonly<Record<Kind, readonly (readonly [number, number])[]>> = {
  circle: [],
  square: polygon(4, Math.PI / 4),
  triangle: polygon(3, 0),
  star: polygon(10, 0).map(([angle], i) => [angle, i % 2 === 0 ? 1 : 0.45] as const),
};

const FIRST: readonly Shape[] = [
  { kind: "circle", x: 46, y: 52, radius: 25, colour: COLOURS[0] },
  { kind: "star", x: 112, y: 46, radius: 27, colour: COLOURS[1] },
  { kind: "square", x: 54, y: 118, radius: 24, colour: COLOURS[2] },
  { kind: "triangle", x: 116, y: 118, radius: 28, colour: COLOURS[3] },
];

const NEW_RADIUS = 20;
const LEAST_RADIUS = 8;
const MOST_RADIUS = 48;
const KEY_STEP = 4;

export class Scene {
  /** What a new shape is. */
  kind: Kind = "circle";
  /** Hears that the picture is another. */
  onChange: () => void = () => {};
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #shapes: Shape[] = FIRST.map((shape) => ({ ...shape }));
  #ground: ImageBitmap | null = null;
  /** Where the keyboard is. */
  #cursor = { x: SIZE / 2, y: SIZE / 2 };
  /** What the pointer does with the shape that it holds. */
  #grip: ((x: number, y: number) => void) | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    canvas.addEventListener("lostpointercapture", () => this.#grip = null);
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
    this.#draw();
  }

  /** The network's input: (3, SIZE, SIZE), RGB in [0, 1]. */
  pixels(): Float32Array {
    const { data } = this.#context.getImageData(0, 0, SIZE, SIZE);
    const plane = SIZE * SIZE;
    const pixels = new Float32Array(3 * plane);
    for (let i = 0; i < plane; i++) {
      for (let channel = 0; channel < 3; channel++) pixels[channel * plane + i] = data[4 * i + channel] / 255;
    }
    return pixels;
  }

  /** A picture in the place of everything, cut to a square. */
  setGround(picture: ImageBitmap): void {
    this.#ground = picture;
    this.#shapes = [];
    this.#changed();
  }

  clear(): void {
    this.#ground = null;
    this.#shapes = [];
    this.#changed();
  }

  removeLast(): void {
    this.#shapes.pop();
    this.#changed();
  }

  #changed(): void {
    this.#draw();
    this.onChange();
  }

  #add(x: number, y: number): Shape {
    const colour = COLOURS[this.#shapes.length % COLOURS.length];
    const shape = { kind: this.kind, x, y, radius: NEW_RADIUS, colour };
    this.#shapes.push(shape);
    return shape;
  }

  /** On a shape it moves that; elsewhere it draws one from its centre outwards. */
  #press(event: PointerEvent): void {
    const { x, y } = this.#place(event);
    const touched = this.#shapes.findLast((shape) => Math.hypot(shape.x - x, shape.y - y) < shape.radius * 0.8);
    this.#grip = touched === undefined ? this.#growing(this.#add(x, y)) : this.#moving(touched, x, y);
    this.#canvas.setPointerCapture(event.pointerId);
    this.#changed();
  }

  #growing(shape: Shape) {
    return (x: number, y: number) => {
      const reach = Math.hypot(x - shape.x, y - shape.y);
      if (reach > LEAST_RADIUS) shape.radius = Math.min(MOST_RADIUS, reach);
    };
  }

  #moving(shape: Shape, fromX: number, fromY: number) {
    const [offsetX, offsetY] = [shape.x - fromX, shape.y - fromY];
    return (x: number, y: number) => {
      shape.x = x + offsetX;
      shape.y = y + offsetY;
    };
  }

  #drag(event: PointerEvent): void {
    if (this.#grip === null) return;
    const { x, y } = this.#place(event);
    this.#grip(x, y);
    this.#changed();
  }

  /** Pixels of the network's input. */
  #place({ clientX, clientY }: PointerEvent): { x: number; y: number } {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (clientX - left) / width * SIZE, y: (clientY - top) / height * SIZE };
  }

  #onKey(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-KEY_STEP, 0],
      ArrowRight: [KEY_STEP, 0],
      ArrowUp: [0, -KEY_STEP],
      ArrowDown: [0, KEY_STEP],
    };
    const last = this.#shapes.at(-1);
    if (event.key in moves) this.#moveCursor(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.#add(this.#cursor.x, this.#cursor.y);
    else if (event.key === "+" && last) last.radius = Math.min(MOST_RADIUS, last.radius + 2);
    else if (event.key === "-" && last) last.radius = Math.max(LEAST_RADIUS, last.radius - 2);
    else if (event.key === "Backspace" || event.key === "Delete") this.#shapes.pop();
    else return;
    event.preventDefault();
    this.#changed();
  }

  #moveCursor([x, y]: readonly [number, number]): void {
    const inside = (value: number) => Math.min(SIZE, Math.max(0, value));
    this.#cursor = { x: inside(this.#cursor.x + x), y: inside(this.#cursor.y + y) };
    this.#canvas.parentElement?.style.setProperty("--cursor-x", `${100 * this.#cursor.x / SIZE}%`);
    this.#canvas.parentElement?.style.setProperty("--cursor-y", `${100 * this.#cursor.y / SIZE}%`);
  }

  #draw(): void {
    drawGround(this.#context, this.#ground);
    for (const shape of this.#shapes) drawShape(this.#context, shape);
  }
}

function drawGround(context: CanvasRenderingContext2D, picture: ImageBitmap | null): void {
  if (picture === null) {
    const light = context.createLinearGradient(0, 0, SIZE, SIZE);
    light.addColorStop(0, "#b9c4cf");
    light.addColorStop(1, "#8d9aa8");
    context.fillStyle = light;
    context.fillRect(0, 0, SIZE, SIZE);
    return;
  }
  const side = Math.min(picture.width, picture.height);
  const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
  context.drawImage(picture, x, y, side, side, 0, 0, SIZE, SIZE);
}

function drawShape(context: CanvasRenderingContext2D, { kind, x, y, radius, colour }: Shape): void {
  context.beginPath();
  if (kind === "circle") context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [angle, share] of CORNERS[kind]) {
    context.lineTo(x + radius * share * Math.sin(angle), y - radius * share * Math.cos(angle));
  }
  context.closePath();
  context.fillStyle = colour;
  context.fill();
}

function polygon(corners: number, turn: number): (readonly [number, number])[] {
  return Array.from({ length: corners }, (_, i) => [turn + 2 * Math.PI * i / corners, 1] as const);
}
