/**
 * A colour per class.
 */

/** Steps of the golden angle keep the hues of neighbouring classes far apart, however many there are. */
const GOLDEN_ANGLE = 137.508;
const FIRST_HUE = 250;
/** Of OKLCH: one lightness looks as bright in every hue, and stands out on a photograph. */
const [LIGHTNESS, CHROMA] = [0.73, 0.17];
/** Hues come near each other again after so many classes; these differ in lightness. */
const [ROUND, STEP] = [13, 0.09];

/** As #rrggbb: not every viewer of SVG knows more than that. */
export function classColour(classId: number): string {
  const lightness = LIGHTNESS + STEP * [0, -1, 1][Math.floor(classId / ROUND) % 3];
  return oklchToHex(lightness, CHROMA, FIRST_HUE + classId * GOLDEN_ANGLE);
}

/** Black or white, whichever reads better on the colour. */
export function textColour(background: string): string {
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(background.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000" : "#fff";
}

/** Ottosson's OKLab of polar coordinates to sRGB; what that cannot show is cut off. */
function oklchToHex(lightness: number, chroma: number, degrees: number): string {
  const angle = degrees * Math.PI / 180;
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${linear.map((value) => hexOf(gamma(Math.min(1, Math.max(0, value))))).join("")}`;
}

function gamma(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

function hexOf(value: number): string {
  return Math.round(255 * value).toString(16).padStart(2, "0");
}
