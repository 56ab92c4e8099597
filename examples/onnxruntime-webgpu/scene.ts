/** A picture that moves: shapes on their ways over a ground. */

const SIZE = 480;
/** Radius of the way that a shape goes round in so many seconds. */
const WAY = 33;
const SECONDS_OF_A_TURN = 12;

type Corner = readonly [angle: number, share: number];

/** Corners by angle from the top and share of the radius; a circle has none. */
const CIRCLE: readonly Corner[] = [];
const SQUARE = polygon(4, Math.PI / 4);
const TRIANGLE = polygon(3, 0);
const STAR = polygon(10, 0).map(([angle], i): Corner => [angle, i % 2 === 0 ? 1 : 0.45]);

interface Shape {
  readonly corners: readonly Corner[];
  readonly colour: string;
  readonly radius: number;
  /** Where its way begins, in turns; each has a quarter of the picture to itself. */
  readonly phase: number;
}

const SHAPES: readonly Shape[] = [
  { corners: CIRCLE, colour: "#d9482b", radius: 69, phase: 0.1 },
  { corners: STAR, colour: "#f2b01e", radius: 78, phase: 0.4 },
  { corners: TRIANGLE, colour: "#146c94", radius: 81, phase: 0.9 },
  { corners: SQUARE, colour: "#2f8f5b", radius: 69, phase: 0.6 },
];

export function createScene(): HTMLCanvasElement {
  return Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
}

/** The scene at a time in seconds. */
export function drawScene(canvas: HTMLCanvasElement, seconds: number): void {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const light = context.createLinearGradient(0, 0, SIZE, SIZE);
  light.addColorStop(0, "#b9c4cf");
  light.addColorStop(1, "#8d9aa8");
  context.fillStyle = light;
  context.fillRect(0, 0, SIZE, SIZE);
  SHAPES.forEach((shape, i) => {
    const angle = 2 * Math.PI * (shape.phase + seconds / SECONDS_OF_A_TURN);
    const [column, row] = [i % 2, i >> 1];
    const x = SIZE * (column + 0.5) / 2 + WAY * Math.cos(angle);
    const y = SIZE * (row + 0.5) / 2 + WAY * Math.sin(angle);
    drawShape(context, shape, x, y);
  });
}

function drawShape(context: CanvasRenderingContext2D, { corners, colour, radius }: Shape, x: number, y: number): void {
  context.beginPath();
  if (corners === CIRCLE) context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [angle, share] of corners) {
    context.lineTo(x + radius * share * Math.sin(angle), y - radius * share * Math.cos(angle));
  }
  context.closePath();
  context.fillStyle = colour;
  context.fill();
}

function polygon(corners: number, turn: number): Corner[] {
  return Array.from({ length: corners }, (_, i): Corner => [turn + 2 * Math.PI * i / corners, 1]);
}
