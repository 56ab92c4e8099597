"""Assignments of anchors to objects, from the definitions: every anchor against every object, in exact fractions.

Fixtures list only the anchors that are no plain negatives: `positives` are [anchor, object, IoU, ...].
"""

import math
import random
from fractions import Fraction

INSIDE = Fraction(1, 100)


def area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def intersection(a, b):
    return area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])


def iou(a, b):
    union = area(a) + area(b) - intersection(a, b)
    return intersection(a, b) / union if union else Fraction(0)


def is_inside(x, y, box):
    return min(x - box[0], y - box[1], box[2] - x, box[3] - y) > INSIDE


def exact(boxes):
    return [[Fraction(side) for side in box] for box in boxes]


def best_of(claims):
    """The claim of highest IoU, the first of them where several are equal; claims are (IoU, object, ...)."""
    return max(claims, key=lambda claim: claim[0])


# ATSS


def square_anchors(image_size, strides, offset, scale):
    """Of each level: centre and box of each anchor."""
    levels = []
    for stride in strides:
        height, width = (math.ceil(side / stride) for side in image_size)
        centres = [((x + offset) * stride, (y + offset) * stride) for y in range(height) for x in range(width)]
        half = scale * stride / 2
        levels.append([(x, y, [x - half, y - half, x + half, y + half]) for x, y in centres])
    return levels


def candidates_of(box, levels, topk):
    """Indices of the nearest anchors of each level, ties to the lower one."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    chosen, first = [], 0
    for level in levels:
        order = sorted(range(len(level)), key=lambda i: ((level[i][0] - x) ** 2 + (level[i][1] - y) ** 2, i))
        chosen += [first + i for i in order[:topk]]
        first += len(level)
    return chosen


def reaches_threshold(value, values):
    """value >= mean + unbiased standard deviation, without taking a root."""
    if len(values) < 2:
        return False
    mean = sum(values) / len(values)
    variance = sum((each - mean) ** 2 for each in values) / (len(values) - 1)
    return value >= mean and (value - mean) ** 2 >= variance


def atss(imageSize, strides, boxes, anchorOffset=0, anchorScale=8, topk=9, ignore=()):
    levels = square_anchors(imageSize, strides, Fraction(anchorOffset), Fraction(anchorScale))
    anchors = [anchor for level in levels for anchor in level]
    claims = [[] for _ in anchors]
    for index, box in enumerate(exact(boxes)):
        candidates = candidates_of(box, levels, topk)
        ious = [iou(anchors[i][2], box) for i in candidates]
        for i, value in zip(candidates, ious):
            if reaches_threshold(value, ious) and is_inside(*anchors[i][:2], box):
                claims[i].append((value, index))
    won = [(i, best_of(claim)) for i, claim in enumerate(claims) if claim]
    crowded = [any(2 * intersection(box, crowd) > area(box) for crowd in exact(ignore)) for _, _, box in anchors]
    return {
        "positives": [[i, index, float(value)] for i, (value, index) in won],
        "ignored": [i for i, claim in enumerate(claims) if crowded[i] and not claim],
    }


# Task-aligned assignment


def task_aligned(scores, boxes, points, gtBoxes, labels, topk=13, alpha=1, beta=6, ignore=()):
    predicted, objects, places = exact(boxes), exact(gtBoxes), exact(points)
    claims = [[] for _ in boxes]
    for index, (box, label) in enumerate(zip(objects, labels)):
        within = [i for i, place in enumerate(places) if is_inside(*place, box)]
        ious = {i: iou(predicted[i], box) for i in within}
        aligned = {i: Fraction(scores[i][label]) ** alpha * ious[i] ** beta for i in within}
        ranking = sorted(within, key=lambda i: (-aligned[i], i))
        for i in [i for i in ranking if aligned[i] > 0][:topk]:
            claims[i].append((ious[i], index, aligned[i]))
    won = {i: best_of(claim) for i, claim in enumerate(claims) if claim}
    targets = {}
    for index in range(len(objects)):
        own = {i: claim for i, claim in won.items() if claim[1] == index}
        for i, (_, _, t) in own.items():
            highest_iou, most_aligned = max(c[0] for c in own.values()), max(c[2] for c in own.values())
            targets[i] = float(t) * float(highest_iou) / (float(most_aligned) + 1e-7)
    crowded = [any(c[0] < x < c[2] and c[1] < y < c[3] for c in exact(ignore)) for x, y in places]
    return {
        "positives": [[i, index, float(value), targets[i]] for i, (value, index, _) in won.items()],
        "ignored": [i for i in range(len(boxes)) if crowded[i] and i not in won],
    }


# Scenes. All numbers are float32.


def random_box(rng, height, width):
    sides = []
    for extent in (width, height):
        low = rng.randrange(-8 * extent, 64 * extent) / 64
        sides.append((low, low + rng.choice([8, 24, 64]) * rng.randrange(32, 65) / 64))
    (x1, x2), (y1, y2) = sides
    return [x1, y1, x2, y2]


HUGE = 2.0**20
EDGES = [
    [0, 0, 64, 64],
    [0, 0, 64, 64],
    [24, 24, 40, 40],  # centre on a corner of four cells
    [24, 20, 40, 36],  # centre between two cells
    [24, 20, 40, 36],  # the same again
    [20, 24, 36, 40],
    [31.9921875, 31.9921875, 40, 40],  # a centre inside by less than 0.01
    [31.984375, 31.984375, 48, 48],  # by more
]
OUTSIDE = [
    [-60, 10, -20, 40],
    [70, 70, 200, 90],
    [-1e4, -1e4, -9e3, -9e3],
    [-HUGE, 8, -HUGE + 64, 40],
    [-300, -40, 40, 80],  # only its centre is outside
    [-HUGE, -16, 48, 64],
]
SIZES = [
    [20, 20, 20, 20],
    [20, 20, 20, 44],
    [32, 32, 32.0078125, 32.0078125],
    [30, 30, 34, 34],
    [-HUGE, -HUGE, HUGE, HUGE],
    [-2.0**60, -2.0**60, 2.0**60, 2.0**60],
]


def atss_scenes(rng):
    def scene(height, width, strides, boxes, **options):
        return {"imageSize": [height, width], "strides": strides, **options, "boxes": boxes}

    def some(count, height, width):
        return [random_box(rng, height, width) for _ in range(count)]

    nanodet = {"anchorOffset": 0.5, "anchorScale": 5}
    yield scene(64, 64, [8, 16, 32], [])
    yield scene(64, 64, [8, 16, 32], [], ignore=[[0, 0, 64, 64]])
    for options in ({}, nanodet, {"topk": 4, "anchorScale": 2.5}, {"anchorOffset": -0.25, "topk": 1}):
        yield scene(96, 130, [8, 16, 32], some(8, 96, 130), **options)
    yield scene(128, 128, [32, 8, 64], some(30, 128, 128), **nanodet)
    yield scene(20, 30, [10, 12], some(5, 20, 30), **nanodet)
    yield scene(24, 16, [8, 16, 32], some(4, 24, 16))
    yield scene(64, 64, [8, 16, 32], some(3, 64, 64), topk=1000)
    yield scene(8, 200, [8], some(4, 8, 200), **nanodet)
    yield scene(8, 8, [8], [[-20, -20, 20, 20]], anchorOffset=0.5)
    yield scene(64, 64, [16], some(2, 64, 64), topk=1)
    yield scene(8, 8, [8, 16], [[-20, -20, 20, 20]], anchorOffset=0.5)
    for options in ({}, nanodet):
        for boxes in (EDGES, EDGES[::-1], OUTSIDE, SIZES):
            yield scene(64, 72, [8, 16], boxes, **options)
    # All IoUs are equal, and all candidates positive: ties of distance and of IoU.
    for topk in (2, 3, 6, 9, 12):
        covers = [[x - 1000, y - 1000, x + 1000, y + 1000] for x, y in [(32, 24), (32, 24), (36, 24), (16, 44), (5, 15)]]
        yield scene(64, 72, [8], covers, topk=topk, **nanodet)
    crowds = [[0, 0, 40, 40], [36.5, 20, 80, 90], [60, 70, 60, 90], [90, -10, 130, 30]]
    yield scene(96, 130, [8, 16, 32], some(6, 96, 130), ignore=crowds)
    yield scene(96, 130, [8, 16, 32], some(6, 96, 130), ignore=crowds, **nanodet)
    yield scene(64, 64, [8], [], ignore=[[12, 0, 64, 64]], anchorScale=1)  # half of an anchor is not enough


def atss_sets():
    return [{**scene, **atss(**scene)} for scene in atss_scenes(random.Random(21))]


def task_aligned_scene(rng, objects, options, anchors=40, classes=3):
    """Predictions on a grid of points, near an object, with scores of which many are equal."""
    points = [[i % 8 * 8 + 4, i // 8 * 8 + 4] for i in range(anchors)]
    boxes = []
    for x, y in points:
        near = rng.choice(objects) if objects else [x, y, x + 8, y + 8]
        boxes.append([side + rng.randrange(-32, 33) / 8 for side in near])
    return {
        **options,
        "scores": [[rng.choice([0, 0.125, 0.25, 0.5, 0.75, 1]) for _ in range(classes)] for _ in points],
        "boxes": boxes,
        "points": points,
        "gtBoxes": objects,
        "labels": [i % classes for i in range(len(objects))],
    }


def task_aligned_sets():
    rng = random.Random(22)
    objects = [[4, 4, 36, 28], [20, 10, 60, 36], [20, 10, 60, 36], [3.9921875, 0, 20, 40], [50, 2, 63, 39]]
    outside = [[-30, -30, -4, -4], [-40, -8, 20, 24], [28, 20, 28, 20], [-500, -500, 500, 500]]
    scenes = [
        task_aligned_scene(rng, [], {}),
        task_aligned_scene(rng, objects, {}),
        task_aligned_scene(rng, objects, {"topk": 3}),
        task_aligned_scene(rng, objects, {"topk": 1, "alpha": 2, "beta": 3}),
        task_aligned_scene(rng, objects, {"topk": 100, "alpha": 0, "beta": 1}),
        task_aligned_scene(rng, objects, {"topk": 5, "alpha": 1, "beta": 0}),
        task_aligned_scene(rng, outside, {}),
        task_aligned_scene(rng, objects[:2], {"topk": 4, "ignore": [[0, 0, 20, 64], [36, 20, 50, 40]]}),
    ]
    return [{**scene, **task_aligned(**scene)} for scene in scenes]


SETS = {"atss_assign": atss_sets, "task_aligned_assign": task_aligned_sets}
