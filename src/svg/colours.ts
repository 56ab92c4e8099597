/**
 * A colour per class.
 */

/** Steps of the golden angle keep the hues of neighbouring classes far apart, however many there are. */
const GOLDEN_ANGLE = 137.508;

/** Bright enough to stand out on a photograph, as #rrggbb: not every viewer of SVG knows hsl(). */
export function classColour(classId: number): string {
  const hue = (205 + classId * GOLDEN_ANGLE) % 360;
  const looksDark = hue > 215 && hue < 300;
  const lightness = (looksDark ? 0.7 : 0.6) + 0.08 * (Math.floor(classId / 12) % 3 - 1);
  return hslToHex(hue, 0.85, lightness);
}

/** Black or white, whichever reads better on the colour. */
export function textColour(background: string): string {
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(background.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000" : "#fff";
}

function hslToHex(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
