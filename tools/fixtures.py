"""Writes test/fixtures/<stem>.json: values and gradients of the losses by PyTorch's float64 autograd, and assignments.

Run by hand (python3 tools/fixtures.py; needs torch) when a loss or an input is added. The formulas are written here
once more, in torch operations, so that the references in test/reference have something independent to agree with.
Inputs are float32 numbers. An input where autograd gives NaN is left out.

A file of a loss is a list of sets: options as the references take them, then columns of numbers; `width` numbers of
`pred` and of `grad` belong to one value. Assignments are in assignment.py.
"""

import json
import math
import random
from pathlib import Path

import assignment
import torch
import torch.nn.functional as F

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures"

HARD_LOGITS = [sign * size for size in (0.0, 1e-30, 0.5, 3.0, 20.0, 88.0, 104.0, 1e4) for sign in (1, -1)]
HARD_TARGETS = [0.0, 1e-6, 0.5, 1.0]


# Classification


def bce(x, t):
    return -t * F.logsigmoid(x) - (1 - t) * F.logsigmoid(-x)


def distance(x, y):
    """|y - sigmoid(x)|, without cancelling where y is 0 or 1."""
    soft = (y - torch.sigmoid(x)).abs()
    return torch.where(y == 0, torch.sigmoid(x), torch.where(y == 1, torch.sigmoid(-x), soft))


def sigmoid_focal_loss(x, t, alpha=0.25, gamma=2.0):
    one_minus_pt = torch.sigmoid(-x) * t + torch.sigmoid(x) * (1 - t)
    loss = one_minus_pt**gamma * bce(x, t)
    return loss if alpha < 0 else (alpha * t + (1 - alpha) * (1 - t)) * loss


def quality_focal_loss(x, y, beta=2.0):
    return distance(x, y) ** beta * bce(x, y)


def varifocal_loss(x, q, alpha=0.75, gamma=2.0, iouWeighted=True, positive=False):
    """With `positive` as of labels' own elements, which are positives for q = 0 too."""
    factor = q if iouWeighted else torch.ones_like(q)
    weight = torch.where((q > 0) | positive, factor, alpha * torch.sigmoid(x) ** gamma)
    return weight * bce(x, q)


def generalized_focal_loss(x, y, yLeft=0.0, yRight=1.0, beta=2.0):
    mean = yLeft * torch.sigmoid(-x) + yRight * torch.sigmoid(x)
    entropy = (yRight - y) * -F.logsigmoid(-x) + (y - yLeft) * -F.logsigmoid(x)
    return (y - mean).abs() ** beta * entropy


def distribution_focal_loss(logits, y, firstBin=0.0, binStep=1.0):
    u = (y - firstBin) / binStep
    left = u.floor().clamp(max=logits.shape[1] - 2).long()
    bins = torch.stack([left, left + 1], 1)
    weights = torch.stack([left + 1 - u, u - left], 1)
    return (-F.log_softmax(logits, 1).gather(1, bins) * weights).sum(1)


# Boxes. relu has slope 0 at 0, as the references have.


def centre(box):
    return (box[:, :2] + box[:, 2:]) / 2


def size(box):
    return torch.relu(box[:, 2:] - box[:, :2])


def cover(p, t):
    return torch.relu(torch.max(p[:, 2:], t[:, 2:]) - torch.min(p[:, :2], t[:, :2]))


def overlap_and_union(p, t):
    overlap = torch.relu(torch.min(p[:, 2:], t[:, 2:]) - torch.max(p[:, :2], t[:, :2])).prod(1)
    return overlap, size(p).prod(1) + size(t).prod(1) - overlap


def iou(p, t, eps):
    overlap, union = overlap_and_union(p, t)
    return overlap / (union + eps)


def iou_loss(p, t, eps=1e-7):
    return 1 - iou(p, t, eps)


def giou_loss(p, t, eps=1e-7):
    union = overlap_and_union(p, t)[1]
    enclosing = cover(p, t).prod(1)
    return 1 - iou(p, t, eps) + (enclosing - union) / (enclosing + eps)


def diou_loss(p, t, eps=1e-7):
    centres = (centre(p) - centre(t)).pow(2).sum(1)
    return 1 - iou(p, t, eps) + centres / (cover(p, t).pow(2).sum(1) + eps)


def aspect(box):
    return torch.atan2(*size(box).unbind(1))


def ciou_loss(p, t, eps=1e-7):
    v = (aspect(t) - aspect(p)).pow(2) * 4 / math.pi**2
    with torch.no_grad():
        alpha = v / (1 - iou(p, t, eps) + v + eps)
    return diou_loss(p, t, eps) + alpha * v


def eiou_loss(p, t, eps=1e-7):
    sizes = (size(p) - size(t)).pow(2) / (cover(p, t).pow(2) + eps)
    return diou_loss(p, t, eps) + sizes.sum(1)


def siou_loss(p, t, eps=1e-7):
    apart = (centre(t) - centre(p)).abs()
    # sin(2a) is the paper's 1 - 2 sin^2(a - pi/4), without the infinite slope of its arcsin.
    # Where the centres are equal it is 0: atan2(0, 1).
    along = torch.where(apart.sum(1) == 0, torch.ones_like(apart[:, 0]), apart[:, 0])
    angle = torch.sin(2 * torch.atan2(apart[:, 1], along))
    rho = apart.pow(2) / (cover(p, t).pow(2) + eps)
    distance_cost = -torch.expm1(-(2 - angle)[:, None] * rho).sum(1)
    omega = (size(p) - size(t)).abs() / (torch.max(size(p), size(t)) + eps)
    shape_cost = torch.expm1(-omega).pow(4).sum(1)
    return 1 - iou(p, t, eps) + (distance_cost + shape_cost) / 2


# Inputs


def rounded(x):
    """To a short decimal that is a float32."""
    return round(x * 64) / 64


def hard_pairs():
    return [(x, y) for x in HARD_LOGITS for y in HARD_TARGETS]


def random_pairs(rng, low=0.0, high=1.0, count=20):
    """Half of the targets lie on an end."""
    shares = [rng.randrange(2) if i % 2 else rng.randrange(1, 64) / 64 for i in range(count)]
    return [(rounded(rng.gauss(0, 4)), low + (high - low) * share) for share in shares]


HARD_ROWS = [
    ([0, 0, 0, 0], 0),
    ([0, 0, 0, 0], 3),
    ([-0.0, 1e-30, -1e-30, 0], 1),
    ([20, -20, 20, -20], 1.5),
    ([88, 88, 88, 88], 2.25),
    ([104, -104, 0, 104], 0.5),
    ([-104, -104, -104, -104], 3),
    ([-104, -103, -102, -101], 0.125),
    ([1e4, 0, 0, 0], 0),
    ([1e4, 0, 0, 0], 2.5),
    ([-1e4, -1e4, -1e4, -1e4 + 1], 3),
    ([40, 0, 0, 0], 0),
    ([0, 40, 40, 0], 1.5),
]


def random_rows(rng, bins, first=0.0, step=1.0, count=6):
    """The first label is the last bin."""
    places = [bins - 1] + [rng.randrange(32 * (bins - 1)) / 32 for _ in range(count - 1)]
    return [([rounded(rng.gauss(0, 3)) for _ in range(bins)], first + step * place) for place in places]


HUGE = 2.0**60
BOX = [10, 20, 42, 36]
HARD_BOXES = [
    (BOX, BOX),  # identical
    ([0, 0, 1, 1], [0, 1, 1, 2]),  # touching on an edge
    ([0, 0, 1, 1], [1, 1, 2, 2]),  # touching at a corner
    ([0, 0, 1, 1], [5, 0, 6, 1]),  # disjoint along x, one edge in common
    ([0, 0, 1, 1], [5, 7, 9, 8]),  # disjoint
    ([12, 22, 40, 30], BOX),  # nested
    ([0, 0, 60, 60], BOX),  # around
    ([10, 22, 40, 36], BOX),  # nested, edges in common
    ([14, 20, 38, 36], BOX),  # same centre and height
    ([10, 24, 42, 32], BOX),  # same centre and width
    ([2, 12, 50, 44], BOX),  # same centre, around
    ([10, 24, 42, 40], BOX),  # shifted along y
    ([14, 24, 46, 40], BOX),  # shifted along both
    ([20, 25, 20, 25], BOX),  # a point inside
    ([20, 25, 20, 33], BOX),  # a line inside
    ([20, 25, 33, 25], BOX),
    (BOX, [20, 25, 20, 33]),  # target a line
    (BOX, [20, 25, 20, 25]),
    ([3, 4, 3, 4], [3, 4, 3, 4]),  # identical points
    ([3, 4, 3, 4], [5, 4, 5, 4]),  # two points on a line
    ([3, 4, 3, 9], [3, 4, 3, 9]),  # identical lines
    ([3, 4, 3, 9], [3, 6, 3, 12]),
    ([42, 20, 10, 36], BOX),  # inverted
    ([60, 50, 0, 0], BOX),
    ([30, 25, 25, 30], [40, 20, 35, 40]),  # both inverted
    ([0, 0, 0, 0], [0, 0, 2.0**-20, 2.0**-20]),
    ([0, 0, 2.0**-20, 2.0**-20], [0, 0, 2.0**-20, 2.0**-19]),
    ([-HUGE, -HUGE, HUGE, HUGE], BOX),
    ([-HUGE, 0, HUGE, HUGE], [0, -HUGE, HUGE, HUGE]),
]


def random_boxes(rng, extent, unit, count):
    def box():
        x, y = rng.randrange(extent), rng.randrange(extent)
        return [x * unit, y * unit, (x + rng.randrange(1, extent)) * unit, (y + rng.randrange(1, extent)) * unit]

    return [(box(), box()) for _ in range(count)]


# Output


def float32(values):
    return torch.tensor(values, dtype=torch.float32).double()


def fixture(loss, cases, options=None):
    """One set: the cases for which torch gives numbers."""
    pred = float32([pred for pred, _ in cases]).requires_grad_()
    target = float32([target for _, target in cases])
    value = loss(pred, target, **(options or {}))
    (grad,) = torch.autograd.grad(value.sum(), pred)
    good = value.isfinite() & grad.reshape(len(cases), -1).isfinite().all(1)
    columns = {"pred": pred, "target": target, "value": value, "grad": grad}
    numbers = {name: column[good].flatten().tolist() for name, column in columns.items()}
    assert good.any()
    return {"options": options or {}, "width": pred.numel() // len(cases), **numbers}


def write(stem, sets):
    path = FOLDER / f"{stem}.json"
    path.write_text(json.dumps(sets, allow_nan=False, indent=2) + "\n")
    print(f"{stem}: {len(sets)} sets, {path.stat().st_size} bytes")


def write_dense(stem, loss, rng, variants, hard_variants=()):
    sets = [fixture(loss, hard_pairs() + random_pairs(rng))]
    sets += [fixture(loss, random_pairs(rng), options) for options in variants]
    sets += [fixture(loss, hard_pairs(), options) for options in hard_variants]
    write(stem, sets)


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = random.Random(20)
    write_dense("binary_cross_entropy_with_logits", bce, rng, [])
    focal = [{"gamma": 0}, {"alpha": -1, "gamma": 1}, {"alpha": 0.5, "gamma": 1.5}, {"alpha": 0, "gamma": 0.5}]
    write_dense("sigmoid_focal_loss", sigmoid_focal_loss, rng, focal)
    write_dense("quality_focal_loss", quality_focal_loss, rng, [{"beta": beta} for beta in (0, 0.5, 1, 1.5, 3)])
    varifocal = [{"iouWeighted": False}, {"alpha": 0.25, "gamma": 0}, {"gamma": 0.5}, {"alpha": 2, "gamma": 1}]
    own = [{"positive": True}, {"positive": True, "iouWeighted": False}]
    write_dense("varifocal_loss", varifocal_loss, rng, varifocal, own)

    general = [fixture(generalized_focal_loss, hard_pairs() + random_pairs(rng))]
    for left, right, beta in [(2, 3, 2), (-1, 2, 0), (0, 16, 1), (0.25, 0.75, 1.5)]:
        options = {"yLeft": left, "yRight": right, "beta": beta}
        general.append(fixture(generalized_focal_loss, random_pairs(rng, left, right), options))
    write("generalized_focal_loss", general)

    rows = [fixture(distribution_focal_loss, HARD_ROWS)]
    rows += [fixture(distribution_focal_loss, random_rows(rng, bins)) for bins in (2, 8, 17)]
    shifted = {"firstBin": -2, "binStep": 0.5}
    rows.append(fixture(distribution_focal_loss, random_rows(rng, 8, -2, 0.5), shifted))
    write("distribution_focal_loss", rows)

    boxes = HARD_BOXES + random_boxes(rng, 320, 0.125, 24) + random_boxes(rng, 512, 2.0**-10, 12)
    wide = random_boxes(rng, 16, 0.125, 12)
    for loss in (iou_loss, giou_loss, diou_loss, ciou_loss, eiou_loss, siou_loss):
        write(loss.__name__, [fixture(loss, boxes), fixture(loss, wide, {"eps": 0.0625})])

    write("atss_assign", assignment.atss_sets())
    write("task_aligned_assign", assignment.task_aligned_sets())


if __name__ == "__main__":
    main()
