"""Draw ponds from above: fish, turtles and leaves, each with its mask, box, turned box and four keypoints.

All that is drawn is known exactly: an object is a few outlines in a frame of its own, in which it looks along x and is
one unit long. They are bent, scaled, turned and moved, and then painted. `python3 pond.py` draws a sheet of ponds to look at.
"""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

CLASSES = ("fish", "turtle", "leaf")    # in the order in which they lie above each other
KEYPOINTS = ("front", "left", "right", "back")
IMAGE_SIZE = 160
MAX_OBJECTS = 6
LENGTHS = (26, 84)          # pixels from front to back
FINE = 4                    # objects are drawn larger by this, and reduced
LEAST_VISIBLE = 0.72        # of each object's pixels, whatever lies above it
MOST_OVERLAP = 0.3          # IoU of two objects' boxes


# --------------------------------------------------------------------------
# Objects: outlines and keypoints, one unit long, looking along x (y is down, so left is up)
# --------------------------------------------------------------------------

class Shape:
    """Parts make the silhouette; details are painted on the last part. Both are (outline, color)."""

    def __init__(self, parts, details, keypoints, bend=0.0):
        self.parts, self.details, self.bend = parts, details, bend
        self.keypoints = bent(np.array(keypoints), bend)
        everything = np.concatenate([bent(outline, bend) for outline, _ in parts])
        self.low, self.high = everything.min(0), everything.max(0)


def bent(points, bend):
    """Points around a spine along x that turns by `bend` radians a unit."""
    points = np.asarray(points, float)
    turn = bend * points[:, 0]
    spine = bend * points[:, 0] ** 2 / 2
    return np.stack([points[:, 0] - points[:, 1] * np.sin(turn),
                     spine + points[:, 1] * np.cos(turn)], 1)


def mirrored(half):
    """An outline from its side of positive y."""
    half = np.asarray(half, float)
    return np.concatenate([half, half[::-1] * (1, -1)])


def other_side(outline):
    return np.asarray(outline, float) * (1, -1)


def ellipse(x, y, rx, ry, count=40):
    turn = np.linspace(0, 2 * math.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1)


def smooth_patch(rng, x, y, radius):
    """A patch without corners."""
    turn = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    waves = 1 + 0.3 * np.sin(2 * turn + rng.uniform(0, 7)) + 0.2 * np.sin(3 * turn + rng.uniform(0, 7))
    return np.stack([x + 1.5 * radius * waves * np.cos(turn), y + radius * waves * np.sin(turn)], 1)


def shade(color, gain):
    """Darker below 1, lighter above."""
    color = np.array(color, float)
    return color * gain if gain <= 1 else 255 - (255 - color) * (2 - gain)


def pick(rng, colors):
    return np.array(colors[rng.integers(len(colors))], float) + rng.uniform(-18, 18, 3)


KOI = ((245, 240, 228), (240, 120, 40), (250, 190, 70), (222, 70, 45), (250, 225, 170), (60, 62, 74), (150, 175, 200))
SKIN = ((120, 140, 70), (165, 150, 90), (90, 110, 85), (190, 175, 120))
SHELL = ((105, 80, 45), (70, 95, 55), (130, 100, 60), (85, 70, 65), (60, 110, 90))
LEAVES = ((110, 165, 60), (70, 130, 60), (190, 190, 70), (225, 150, 50), (200, 80, 50), (160, 60, 70), (150, 190, 110))


def draw_fish(rng):
    width, bend = rng.uniform(0.115, 0.155), rng.uniform(-0.8, 0.8)
    color = pick(rng, KOI)
    fins = shade(color, rng.uniform(0.7, 0.9)) if rng.random() < 0.6 else shade(color, 1.5)
    x = np.linspace(0.5, -0.33, 30)
    along = (0.5 - x) / 0.83
    body = mirrored(np.stack([x, width * (np.sin(math.pi * along ** 0.72).clip(0) ** 0.8 + 0.18 * along)], 1))
    tip = (rng.uniform(0.0, 0.05), rng.uniform(0.24, 0.29))
    fin = np.array([(0.27, 0.07), (0.2, 0.17), tip, (tip[0] - 0.02, tip[1] - 0.05), (0.1, 0.07)])
    spread, notch = rng.uniform(0.13, 0.18), rng.uniform(-0.43, -0.4)
    tail = mirrored([(-0.27, 0.025), (-0.36, 0.07), (-0.5, spread), (-0.47, 0.06), (notch, 0)])
    patches = [(smooth_patch(rng, rng.uniform(-0.25, 0.4), rng.uniform(-0.1, 0.1), rng.uniform(0.05, 0.12)), pick(rng, KOI))
               for _ in range(rng.integers(0, 5))]
    back = (mirrored([(0.16, 0.006), (0.0, 0.016), (-0.16, 0.004)]), shade(color, 0.8))
    eyes = [(ellipse(0.4, side * width * 0.62, 0.02, 0.02, 10), (20, 20, 25)) for side in (-1, 1)]
    parts = [(tail, fins), (fin, fins), (other_side(fin), fins), (body, color)]
    return Shape(parts, patches + [back] + eyes, [(0.5, 0), other_side(tip), tip, (notch, 0)], bend)


def draw_turtle(rng):
    skin, shell = pick(rng, SKIN), pick(rng, SHELL)
    rx, ry = rng.uniform(0.3, 0.33), rng.uniform(0.235, 0.27)
    head = ellipse(0.39, 0, 0.11, rng.uniform(0.065, 0.085))
    tip = (rng.uniform(0.0, 0.14), rng.uniform(0.36, 0.4))
    flipper = np.array([(0.25, 0.12), (0.27, 0.22), (0.2, 0.31), tip, (tip[0] + 0.02, tip[1] - 0.07), (0.08, 0.2)])
    rear = np.array([(-0.16, 0.17), (-0.24, 0.27), (-0.33, 0.29), (-0.33, 0.22), (-0.26, 0.1)])
    tail = mirrored([(-0.24, 0.06), (-0.5, 0)])
    limbs = [(outline, skin) for outline in (head, tail, flipper, other_side(flipper), rear, other_side(rear))]
    plates = [(ellipse(0.0, 0, rx * 0.86, ry * 0.84), shade(shell, rng.uniform(1.15, 1.4)))]
    for turn in np.arange(6) * math.pi / 3 + math.pi / 6:
        a, b = np.array([rx, ry]) * 0.4, np.array([rx, ry])
        across = np.array([-math.sin(turn), math.cos(turn)]) * 0.012
        along = np.array([math.cos(turn), math.sin(turn)])
        plates.append((np.array([a * along - across, b * along - across, b * along + across, a * along + across]), shell))
    six = np.arange(6) * math.pi / 3 + math.pi / 6
    for size, color in ((0.46, shell), (0.38, shade(shell, rng.uniform(1.2, 1.5)))):
        plates.append((np.stack([rx * size * np.cos(six), ry * size * np.sin(six)], 1), color))
    return Shape(limbs + [(ellipse(0.0, 0, rx, ry), shell)], plates, [(0.5, 0), other_side(tip), tip, (-0.5, 0)])


def draw_leaf(rng):
    color, bend = pick(rng, LEAVES), rng.uniform(-0.7, 0.7)
    width, base, widest = rng.uniform(0.16, 0.25), rng.uniform(-0.34, -0.28), rng.uniform(-0.08, 0.1)
    x = np.concatenate([np.linspace(0.5, widest, 16), np.linspace(widest, base, 14)[1:]])
    to_tip, to_base = (x - widest) / (0.5 - widest), (widest - x) / (widest - base)
    half = width * np.where(x > widest, (1 - to_tip.clip(0) ** 1.6) ** 1.15, (1 - to_base.clip(0) ** 2.2) ** 0.7)
    blade = mirrored(np.stack([x, half], 1))
    stem = mirrored([(base + 0.1, 0.018), (-0.5, 0.022)])
    vein = shade(color, rng.choice([0.72, 1.35]))
    details = [(np.concatenate([np.stack([x, half], 1), [(base, 0), (0.5, 0)]]), shade(color, rng.uniform(0.82, 0.95)))]
    for start in np.linspace(base + 0.08, 0.3, 5):
        for side in (-1, 1):
            rib = np.array([(start, 0), (start + 0.02, 0), (start + 0.16, width), (start + 0.15, width)])
            details.append((rib * (1, side), vein))
    details.append((mirrored([(0.5, 0.002), (base, 0.013)]), vein))
    return Shape([(stem, shade(vein, 0.9)), (blade, color)], details,
                 [(0.5, 0), (widest, -width), (widest, width), (-0.5, 0)], bend)


DRAW = {"fish": draw_fish, "turtle": draw_turtle, "leaf": draw_leaf}


# --------------------------------------------------------------------------
# Water
# --------------------------------------------------------------------------

WATER = ((28, 92, 110), (40, 120, 130), (24, 70, 100), (60, 110, 80), (90, 125, 95), (110, 120, 100), (50, 140, 150),
         (150, 150, 120), (30, 55, 75))


def noise(rng, cells):
    """Values 0..1 with the given number of cells on each side."""
    coarse = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize((IMAGE_SIZE, IMAGE_SIZE), Image.BICUBIC)) / 255.0


def to_image(pixels):
    return Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


def draw_water(rng):
    deep, bright = pick(rng, WATER), shade(pick(rng, WATER), rng.uniform(0.8, 1.25))
    pixels = deep + noise(rng, int(rng.integers(2, 5)))[..., None] * (bright - deep)
    image = to_image(pixels)
    for _ in range(rng.integers(0, 14)):
        draw_pebble(rng, image)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 1.6)))
    light = 1 - 2 * np.abs(noise(rng, int(rng.integers(7, 14))) - 0.5)     # bright lines, as waves make on the ground
    pixels = np.asarray(image, float) + (light ** 5)[..., None] * rng.uniform(10, 55)
    image = to_image(pixels)
    for _ in range(rng.integers(0, 3)):
        draw_ripples(rng, image)
    for _ in range(rng.integers(0, 4)):
        draw_reed(rng, image)
    return image


def draw_pebble(rng, image):
    x, y = rng.uniform(0, IMAGE_SIZE, 2)
    outline = smooth_patch(rng, 0, 0, rng.uniform(3, 12)) @ rotation(rng.uniform(0, 7)).T * (0.75, 1) + (x, y)
    color = shade(np.array([1, 0.97, 0.9]) * rng.uniform(60, 190), rng.uniform(0.8, 1.1))
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=int(rng.uniform(60, 200)))
    image.paste(fill(color), mask=mask)


def draw_ripples(rng, image):
    x, y = rng.uniform(0, IMAGE_SIZE, 2)
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for ring in range(rng.integers(2, 5)):
        radius = 7 * (ring + 1) + rng.uniform(-1, 1)
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=int(110 / (ring + 1)))
    image.paste((240, 250, 250), mask=mask.filter(ImageFilter.GaussianBlur(0.5)))


def draw_reed(rng, image):
    """A blade of grass that comes from outside."""
    turn = rng.uniform(0, 2 * math.pi)
    start = IMAGE_SIZE / 2 + 125 * np.array([math.cos(turn), math.sin(turn)])
    inward = turn + math.pi + rng.uniform(-0.6, 0.6)
    length, width = rng.uniform(45, 110), rng.uniform(1.2, 3.2)
    outline = mirrored([(0, width), (length * 0.6, width * 0.8), (length, 0)])
    points = bent(outline / length, rng.uniform(-0.6, 0.6)) * length @ rotation(inward).T + start
    color = shade(pick(rng, ((80, 130, 60), (140, 150, 80), (70, 100, 50))), rng.uniform(0.7, 1.1))
    ImageDraw.Draw(image).polygon([tuple(p) for p in points], fill=fill(color))


# --------------------------------------------------------------------------
# Ponds
# --------------------------------------------------------------------------

def rotation(turn):
    return np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])


def fill(color):
    return tuple(int(c) for c in np.clip(color, 0, 255))


class Placed:
    """A shape at its place: `turn` is the direction in which it looks, clockwise on the screen from x."""

    def __init__(self, shape, length, turn, center):
        self.shape, self.length, self.turn = shape, length, turn
        middle = (shape.low + shape.high) / 2
        self.offset = np.asarray(center) - length * rotation(turn) @ middle

    def place(self, points):
        """From the shape's frame, after its bend, to pixels."""
        return self.length * np.asarray(points) @ rotation(self.turn).T + self.offset

    def outline(self, points):
        return self.place(bent(points, self.shape.bend))

    def keypoints(self):
        return self.place(self.shape.keypoints)

    def turned_box(self):
        """Centre, size and angle in [-pi/4, 3 pi/4): a box has no front."""
        center = self.place([(self.shape.low + self.shape.high) / 2])[0]
        angle = (self.turn + math.pi / 4) % math.pi - math.pi / 4
        return np.array([*center, *(self.length * (self.shape.high - self.shape.low)), angle])

    def corners(self):
        return self.place([(x, y) for x in (self.shape.low[0], self.shape.high[0])
                           for y in (self.shape.low[1], self.shape.high[1])])

    def render(self):
        """Colors and coverage in a patch, and the patch's corner."""
        corners = self.corners()
        corner = np.floor(corners.min(0)).astype(int) - 2
        size = tuple(int(n) * FINE for n in np.ceil(corners.max(0)).astype(int) + 2 - corner)
        colors, mask = Image.new("RGB", size, fill(self.shape.parts[-1][1])), Image.new("L", size)

        def paint(target, outline, color):
            ImageDraw.Draw(target).polygon([tuple(p) for p in (self.outline(outline) - corner) * FINE - 0.5], fill=color)

        for outline, color in self.shape.parts:
            paint(colors, outline, fill(color))
            paint(mask, outline, 255)
        body = Image.new("L", size)
        paint(body, self.shape.parts[-1][0], 255)
        detailed = colors.copy()
        for outline, color in self.shape.details:
            paint(detailed, outline, fill(color))
        colors = Image.composite(detailed, colors, body)
        edge = ImageChops.subtract(mask, mask.filter(ImageFilter.MinFilter(5)))
        colors = Image.composite(colors.point(lambda v: v * 0.62), colors, edge)
        return colors.reduce(FINE), mask.reduce(FINE), tuple(int(n) for n in corner)


class Pond:
    """The picture, the number of the uppermost object of each pixel (0: water), and the objects."""

    def __init__(self, image):
        self.image, self.objects, self.areas = image, [], []
        self.ids = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)

    def add(self, label, placed):
        """Paint an object, unless it would stand over the edge or hide another. Returns whether it was painted."""
        corners = placed.corners()
        if corners.min() < 1 or corners.max() > IMAGE_SIZE - 1:
            return False
        colors, mask, (x, y) = placed.render()
        whole = Image.new("L", self.image.size)
        whole.paste(mask, (x, y))
        covered = np.asarray(whole) >= 128
        if not self.stays_visible(covered):
            return False
        shadow = Image.new("L", self.image.size)
        shadow.paste(mask, (x + 2, y + 3))
        shadow = shadow.filter(ImageFilter.GaussianBlur(2.2)).point(lambda v: v * 0.4)
        self.image.paste((8, 22, 30), mask=shadow)
        self.image.paste(colors, (x, y), mask)
        self.objects.append((label, placed))
        self.areas.append(covered.sum())
        self.ids[covered] = len(self.objects)
        return True

    def stays_visible(self, covered):
        """Can the objects be seen where these pixels are covered too?"""
        for number, area in enumerate(self.areas, 1):
            before = self.ids == number
            if (before & ~covered).sum() < LEAST_VISIBLE * area:
                return False
            if box_iou(box_of(covered), box_of(before)) > MOST_OVERLAP:
                return False
        return True

    def keypoints(self, number):
        """(4, 3): x, y, and as COCO says 2 for a visible point, 1 for one that another object hides."""
        points = self.objects[number - 1][1].keypoints()
        columns, rows = np.floor(points).astype(int).clip(0, IMAGE_SIZE - 1).T
        return np.column_stack([points, np.where(self.ids[rows, columns] > number, 1.0, 2.0)])


def box_of(mask):
    y, x = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return np.array([x[0], y[0], x[-1] + 1, y[-1] + 1], float)


def box_iou(a, b):
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = size.clip(0).prod()
    return both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)


def draw_pond(rng):
    """A pond and its picture's pixels, uint8 (H, W, 3)."""
    pond = Pond(draw_water(rng))
    for label in sorted(rng.integers(0, len(CLASSES), rng.integers(2, MAX_OBJECTS + 1))):
        shape = DRAW[CLASSES[label]](rng)
        for _ in range(12):
            length, turn = math.exp(rng.uniform(*np.log(LENGTHS))), rng.uniform(-math.pi, math.pi)
            if pond.add(int(label), Placed(shape, length, turn, rng.uniform(10, IMAGE_SIZE - 10, 2))):
                break
    pixels = np.asarray(pond.image, float)
    pixels = pixels + rng.normal(0, rng.uniform(0, 5), pixels.shape)
    return pond, np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def main():
    sheet = Image.new("RGB", (6 * IMAGE_SIZE, 4 * IMAGE_SIZE))
    for i in range(24):
        _, pixels = draw_pond(np.random.default_rng([2, i]))
        sheet.paste(Image.fromarray(pixels), (i % 6 * IMAGE_SIZE, i // 6 * IMAGE_SIZE))
    path = Path("ponds.png").resolve()
    sheet.save(path)
    print(path)


if __name__ == "__main__":
    main()
