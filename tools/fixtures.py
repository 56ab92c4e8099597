"""Writes test/fixtures/<stem>.json: what PyTorch finds in float64, for losses with the gradients of its autograd.

Run by hand (python3 tools/fixtures.py [stem …]; needs torch) when an operation or an input is added. A formula is written
here once more, in torch operations, so that the references in test/reference have something independent to agree with.
Its name is the operation's stem, and the decorator above it says of which kind it is and which options it is run with:
another loss adds one formula here, and nothing else. Inputs are float32 numbers.

A file of a loss is a list of sets: options as the references take them, then columns of numbers; `width` numbers of
`pred` and of `grad` belong to one value. An input where autograd gives NaN is left out. A file of calls is a list of
inputs, options and results. Assignments are in assignment.py, criteria in criterion_fixtures.py. An operation that
PyTorch has nothing like has a file that says why: {"none": …}.
"""

import functools
import json
import math
import random
import sys
from pathlib import Path

import assignment
import torch
import torch.nn.functional as F

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures"

COCO_SIGMAS = [s / 1000 for s in (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)]
HARD_LOGITS = [sign * size for size in (0.0, 1e-30, 0.5, 3.0, 20.0, 88.0, 104.0, 1e4) for sign in (1, -1)]
HARD_TARGETS = [0.0, 1e-6, 0.5, 1.0]


# What is recorded

RECORDED = {}
"""Stem -> function that makes the contents of its file, in the order of the formulas."""

SHARED = random.Random(20)
"""Makes the inputs of the losses that were here first, in their order; other inputs come from the stem alone."""


def inputs_of(loss, shared):
    return SHARED if shared else random.Random(loss.__name__)


def element_loss(variants=(), hard_variants=(), ranges=(), shared=False):
    """A loss of logits and targets in [0, 1], or in the range (yLeft, yRight, beta) of a variant in `ranges`."""

    def record(loss):
        def sets():
            rng = inputs_of(loss, shared)
            made = [fixture(loss, hard_pairs() + random_pairs(rng))]
            made += [fixture(loss, random_pairs(rng), options) for options in variants]
            made += [fixture(loss, hard_pairs(), options) for options in hard_variants]
            for left, right, beta in ranges:
                options = {"yLeft": left, "yRight": right, "beta": beta}
                made.append(fixture(loss, random_pairs(rng, left, right), options))
            return made

        RECORDED[loss.__name__] = sets
        return loss

    return record


def row_loss(steps=(), tables=(), shared=False):
    """A loss of rows of logits and a label each; `steps` are first bins and steps of the bins, `tables` their values."""

    def record(loss):
        def sets():
            rng = inputs_of(loss, shared)
            made = [fixture(loss, HARD_ROWS)]
            made += [fixture(loss, random_rows(rng, bins)) for bins in (2, 8, 17)]
            for first, step in steps:
                options = {"firstBin": first, "binStep": step}
                made.append(fixture(loss, random_rows(rng, 8, first, step), options))
            for table in tables:
                rows = [(row, rounded(rng.uniform(table[0] - 1, table[-1] + 1))) for row, _ in random_rows(rng, len(table), count=12)]
                made.append(fixture(loss, rows, {"binValues": table, "outside": "clamp"}))
            return made

        RECORDED[loss.__name__] = sets
        return loss

    return record


def box_loss(variants=({"eps": 0.0625},), usual=None):
    """A loss of pairs of boxes, which are the same for all; `usual` are the options that it is not called without."""

    def record(loss):
        def sets():
            boxes, wide = box_pairs()
            return [fixture(loss, boxes, usual), *(fixture(loss, wide, options) for options in variants)]

        RECORDED[loss.__name__] = sets
        return loss

    return record


def pairs_of(make):
    """A loss of rows and their targets, which `make(rng)` lists."""

    def record(loss):
        RECORDED[loss.__name__] = lambda: [fixture(loss, make(random.Random(loss.__name__)))]
        return loss

    return record


def calls(*variants, inputs):
    """An operation that is recorded call by call: `inputs(rng, options)` makes the tensors of one."""

    def record(operation):
        def sets():
            rng = random.Random(operation.__name__)
            return [call(operation, inputs(rng, options), options) for options in variants or ({},)]

        RECORDED[operation.__name__] = sets
        return operation

    return record


# Classification


def bce(x, t):
    return -t * F.logsigmoid(x) - (1 - t) * F.logsigmoid(-x)


def distance(x, y):
    """|y - sigmoid(x)|, without cancelling where y is 0 or 1."""
    soft = (y - torch.sigmoid(x)).abs()
    return torch.where(y == 0, torch.sigmoid(x), torch.where(y == 1, torch.sigmoid(-x), soft))


@element_loss(shared=True)
def binary_cross_entropy_with_logits(x, t):
    return bce(x, t)


@element_loss(
    [{"gamma": 0}, {"alpha": -1, "gamma": 1}, {"alpha": 0.5, "gamma": 1.5}, {"alpha": 0, "gamma": 0.5}], shared=True
)
def sigmoid_focal_loss(x, t, alpha=0.25, gamma=2.0):
    one_minus_pt = torch.sigmoid(-x) * t + torch.sigmoid(x) * (1 - t)
    loss = one_minus_pt**gamma * bce(x, t)
    return loss if alpha < 0 else (alpha * t + (1 - alpha) * (1 - t)) * loss


@element_loss([{"beta": beta} for beta in (0, 0.5, 1, 1.5, 3)], shared=True)
def quality_focal_loss(x, y, beta=2.0):
    return distance(x, y) ** beta * bce(x, y)


@element_loss(
    [{"iouWeighted": False}, {"alpha": 0.25, "gamma": 0}, {"gamma": 0.5}, {"alpha": 2, "gamma": 1}],
    [{"positive": True}, {"positive": True, "iouWeighted": False}, {"detachWeight": True}, {"detachWeight": True, "gamma": 1.5}],
    shared=True,
)
def varifocal_loss(x, q, alpha=0.75, gamma=2.0, iouWeighted=True, detachWeight=False, positive=False):
    """With `positive` as of labels' own elements, which are positives for q = 0 too."""
    factor = q if iouWeighted else torch.ones_like(q)
    power = torch.sigmoid(x) ** gamma
    weight = torch.where((q > 0) | positive, factor, alpha * (power.detach() if detachWeight else power))
    return weight * bce(x, q)


@element_loss(
    [{"gamma": 2}, {"gamma": 0.5, "alpha": 0.25}, {"gamma": 0}], [{"positive": True}, {"gamma": 1, "alpha": 2}]
)
def matchability_aware_loss(x, q, gamma=1.5, alpha=1.0, positive=False):
    """With `positive` as of labels' own elements, which are positives for q = 0 too."""
    raised = torch.where(q > 0, q**gamma, q)
    negative = alpha * torch.sigmoid(x).detach() ** gamma
    return torch.where((q > 0) | positive, torch.ones_like(q), negative) * bce(x, raised)


@element_loss(ranges=[(2, 3, 2), (-1, 2, 0), (0, 16, 1), (0.25, 0.75, 1.5)], shared=True)
def generalized_focal_loss(x, y, yLeft=0.0, yRight=1.0, beta=2.0):
    mean = yLeft * torch.sigmoid(-x) + yRight * torch.sigmoid(x)
    entropy = (yRight - y) * -F.logsigmoid(-x) + (y - yLeft) * -F.logsigmoid(x)
    return (y - mean).abs() ** beta * entropy


@row_loss([(-2, 0.5)], [[-4, -1, -0.25, 0, 0.25, 1, 4]], shared=True)
def distribution_focal_loss(logits, y, firstBin=0.0, binStep=1.0, binValues=None, outside="error"):
    values = bin_values(logits.shape[1], firstBin, binStep, binValues)
    left = (torch.searchsorted(values, y, right=True) - 1).clamp(0, len(values) - 2)
    right = ((y - values[left]) / (values[left + 1] - values[left])).clamp(0, 1)
    bins = torch.stack([left, left + 1], 1)
    weights = torch.stack([1 - right, right], 1)
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


INNER = [{"eps": 0.0625}, {"innerRatio": 0.75}, {"innerRatio": 1.25, "eps": 0.0625}]


def inner(p, t, ratio, eps):
    """IoU - IoU of both boxes scaled about their centres."""
    if ratio == 1:
        return 0
    scaled = [torch.cat([centre(b) - ratio * (b[:, 2:] - b[:, :2]) / 2, centre(b) + ratio * (b[:, 2:] - b[:, :2]) / 2], 1) for b in (p, t)]
    return iou(p, t, eps) - iou(*scaled, eps)


@box_loss(INNER)
def iou_loss(p, t, innerRatio=1, eps=1e-7):
    return 1 - iou(p, t, eps) + inner(p, t, innerRatio, eps)


@box_loss([{"power": 2}, {"power": 0.5, "eps": 0.0625}, {"power": 5}])
def alpha_iou_loss(p, t, power=3, eps=1e-7):
    # Where IoU is 0 the slope is 0, which autograd has not for powers under 1.
    ratio = iou(p, t, eps)
    meets = ratio > 0
    return 1 - torch.where(meets, torch.where(meets, ratio, torch.ones_like(ratio)).pow(power), torch.zeros_like(ratio))


@box_loss(INNER)
def giou_loss(p, t, innerRatio=1, eps=1e-7):
    union = overlap_and_union(p, t)[1]
    enclosing = cover(p, t).prod(1)
    return 1 - iou(p, t, eps) + (enclosing - union) / (enclosing + eps) + inner(p, t, innerRatio, eps)


@box_loss(INNER)
def diou_loss(p, t, innerRatio=1, eps=1e-7):
    centres = (centre(p) - centre(t)).pow(2).sum(1)
    return 1 - iou(p, t, eps) + centres / (cover(p, t).pow(2).sum(1) + eps) + inner(p, t, innerRatio, eps)


@box_loss([{"eps": 0.0625}, {"meanLoss": 0.5}, {"meanLoss": 0.25, "alpha": 1.5, "delta": 4}])
def wise_iou_loss(p, t, meanLoss=None, alpha=1.9, delta=3, eps=1e-7):
    apart = 1 - iou(p, t, eps)
    diagonal = (cover(p, t).pow(2).sum(1) + eps).detach()
    # Only inverted boxes have a quotient over 1; it counts as at most 8.
    ratio = (centre(p) - centre(t)).pow(2).sum(1) / diagonal
    loss = torch.exp(ratio.clamp(max=8)) * apart
    if meanLoss is None:
        return loss
    beta = apart.detach() / meanLoss
    return loss * beta / (delta * alpha ** (beta - delta))


@box_loss([{"imageSize": [12, 40]}, {"imageSize": [12, 40], "eps": 0.0625}], usual={"imageSize": [480, 640]})
def mpdiou_loss(p, t, imageSize, eps=1e-7):
    return 1 - iou(p, t, eps) + (p - t).pow(2).sum(1) / (imageSize[0] ** 2 + imageSize[1] ** 2 + eps)


@box_loss([{"c": 3}])
def nwd_loss(p, t, c=12.8):
    # Sizes keep their sign. The root of 0 has no slope.
    sizes = (p[:, 2:] - p[:, :2]) - (t[:, 2:] - t[:, :2])
    square = (centre(p) - centre(t)).pow(2).sum(1) + sizes.pow(2).sum(1) / 4
    apart = square > 0
    distance = torch.where(apart, torch.where(apart, square, torch.ones_like(square)).sqrt(), torch.zeros_like(square))
    return -torch.expm1(-distance / c)


def aspect(box):
    return torch.atan2(*size(box).unbind(1))


@box_loss(INNER)
def ciou_loss(p, t, innerRatio=1, eps=1e-7):
    v = (aspect(t) - aspect(p)).pow(2) * 4 / math.pi**2
    with torch.no_grad():
        alpha = v / (1 - iou(p, t, eps) + v + eps)
    return diou_loss(p, t, innerRatio, eps) + alpha * v


@box_loss([{"eps": 0.0625}, {"gamma": 0.5}, {"gamma": 2, "eps": 0.0625}, *INNER[1:], {"gamma": 0.5, "innerRatio": 0.75}])
def eiou_loss(p, t, gamma=0, innerRatio=1, eps=1e-7):
    sizes = (size(p) - size(t)).pow(2) / (cover(p, t).pow(2) + eps)
    loss = diou_loss(p, t, innerRatio, eps) + sizes.sum(1)
    return loss if gamma == 0 else loss * iou(p, t, eps).detach().pow(gamma)


@box_loss(INNER)
def siou_loss(p, t, innerRatio=1, eps=1e-7):
    apart = (centre(t) - centre(p)).abs()
    # sin(2a) is the paper's 1 - 2 sin^2(a - pi/4), without the infinite slope of its arcsin.
    # Where the centres are equal it is 0: atan2(0, 1).
    along = torch.where(apart.sum(1) == 0, torch.ones_like(apart[:, 0]), apart[:, 0])
    angle = torch.sin(2 * torch.atan2(apart[:, 1], along))
    rho = apart.pow(2) / (cover(p, t).pow(2) + eps)
    distance_cost = -torch.expm1(-(2 - angle)[:, None] * rho).sum(1)
    omega = (size(p) - size(t)).abs() / (torch.max(size(p), size(t)) + eps)
    shape_cost = torch.expm1(-omega).pow(4).sum(1)
    return 1 - iou(p, t, eps) + (distance_cost + shape_cost) / 2 + inner(p, t, innerRatio, eps)


# Boxes and distributions


def points_and_sides(rng, _):
    return [numbers(rng, 7, 2, 0, 40), numbers(rng, 7, 4, -2, 20)]


def two_sets_of_boxes(rng, _):
    return [corners(rng, 6), corners(rng, 5)]


def ranked_boxes(rng, _):
    return [corners(rng, 12), torch.tensor([rng.randrange(1, 4096) / 4096 for _ in range(12)])]


def distributions(rng, options):
    return [numbers(rng, 3, 4 * options["bins"], -4, 4)]


@calls(inputs=two_sets_of_boxes)
def box_iou(a, b):
    overlap, union, _ = pairwise(a, b)
    return overlap / union


@calls(inputs=two_sets_of_boxes)
def generalized_box_iou(a, b):
    overlap, union, enclosing = pairwise(a, b)
    return overlap / union - (enclosing - union) / enclosing


def pairwise(a, b):
    """Areas of the overlaps, the unions and the enclosing boxes of every pair."""
    p, t = a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)
    return *overlap_and_union(p, t), cover(p, t).prod(1)


@calls(inputs=lambda rng, _: [corners(rng, 9), corners(rng, 9)])
def aligned_box_iou(a, b):
    overlap, union = overlap_and_union(a, b)
    return overlap / union


@calls({"iouThreshold": 0.25}, {"iouThreshold": 0.1, "scoreThreshold": 0.25, "maxDetections": 4}, inputs=ranked_boxes)
def nms(boxes, scores, iouThreshold, scoreThreshold=0.0, maxDetections=None):
    """As torchvision.ops.nms: a box goes that overlaps a better one which is kept."""
    overlaps = box_iou(boxes, boxes).reshape(len(boxes), -1)
    kept = []
    for i in scores.argsort(descending=True).tolist():
        if scores[i] > scoreThreshold and not any(overlaps[i, j] > iouThreshold for j in kept):
            kept.append(i)
    return torch.tensor(kept[:maxDetections], dtype=torch.int32)


@calls({"iouThreshold": 0.125}, inputs=lambda rng, _: [*ranked_boxes(rng, _), classes(rng, 12, 2)])
def batched_nms(boxes, scores, labels, **options):
    """As torchvision.ops.batched_nms: the classes lie too far apart to overlap."""
    return nms(boxes + 1024.0 * labels.double()[:, None], scores, **options)


@calls(
    {"method": "linear", "iouThreshold": 0.125, "minScore": 0.0625},
    {"method": "gaussian", "sigma": 0.25, "minScore": 0.0625},
    inputs=ranked_boxes,
)
def soft_nms(boxes, scores, method, minScore, sigma=0.5, iouThreshold=0.3):
    left, overlaps = scores.clone(), box_iou(boxes, boxes).reshape(len(boxes), -1)
    indices, kept = [], []
    while left.max() >= minScore:
        best = int(left.argmax())
        indices.append(best)
        kept.append(left[best])
        linear = torch.where(overlaps[best] >= iouThreshold, 1 - overlaps[best], torch.ones_like(left))
        left = left * (linear if method == "linear" else torch.exp(-overlaps[best] ** 2 / sigma))
        left[indices] = -1
    return {"indices": torch.tensor(indices, dtype=torch.int32), "scores": torch.stack(kept)}


UNEVEN = {"bins": 5, "binValues": [-4, -0.5, 0, 0.25, 4]}


def bin_values(bins, first, step, table):
    return first + step * torch.arange(bins).double() if table is None else torch.tensor(table).double()


@calls({"bins": 2}, {"bins": 8}, {"bins": 5, "firstBin": -2, "binStep": 0.5}, UNEVEN, inputs=distributions)
def dfl_decode(dist, bins, firstBin=0.0, binStep=1.0, binValues=None):
    return dist.reshape(-1, bins).softmax(1) @ bin_values(bins, firstBin, binStep, binValues)


def distributions_and_slopes(rng, options):
    return [*distributions(rng, options), numbers(rng, 3, 4, -2, 2)]


@calls({"bins": 2}, {"bins": 8}, {"bins": 5, "firstBin": -2, "binStep": 0.5}, UNEVEN, inputs=distributions_and_slopes)
def dfl_decode_gradient(dist, grad, **options):
    logits = dist.clone().requires_grad_()
    sides = dfl_decode(logits, **options)
    return torch.autograd.grad(sides, logits, grad.reshape(-1))[0]


@calls({"bins": 2}, {"bins": 8}, inputs=distributions)
def dfl_statistics(dist, bins):
    shares, at = dist.reshape(-1, bins).softmax(1), torch.arange(bins).double()
    mean = shares @ at
    variance = (shares * (at - mean[:, None]) ** 2).sum(1)
    # The least variance with this mean has all mass on the two bins around it; subtracting it would cancel.
    past = at - mean.floor()[:, None]
    return {
        "std": variance.sqrt(),
        "entropy": torch.distributions.Categorical(shares).entropy(),
        "top": shares.max(1).values,
        "saturation": shares[:, -1],
        "excess": (shares * past * (past - 1)).sum(1).sqrt(),
    }


@calls({}, {"maxShape": [24, 30]}, inputs=points_and_sides)
def distance2bbox(points, distances, maxShape=None):
    boxes = torch.cat([points - distances[:, :2], points + distances[:, 2:]], 1)
    if maxShape is None:
        return boxes
    height, width = maxShape
    return torch.minimum(torch.relu(boxes), torch.tensor([width, height, width, height]).double())


@calls({}, {"maxDistance": 16, "eps": 0.5}, inputs=lambda rng, _: [numbers(rng, 7, 2, 0, 40), corners(rng, 7)])
def bbox2distance(points, boxes, maxDistance=math.inf, eps=0.0):
    distances = torch.cat([points - boxes[:, :2], boxes[:, 2:] - points], 1)
    return distances if maxDistance == math.inf else distances.clamp(0, maxDistance - eps)


@calls(inputs=points_and_sides)
def star_points(points, distances):
    l, t, r, b = (distances * torch.eye(4).double()[:, None]).sum(2)
    none = torch.zeros_like(l)
    ways = [(none, none), (-l, none), (none, -t), (r, none), (none, b), (-l, -t), (r, -t), (-l, b), (r, b)]
    return torch.stack([points + torch.stack(way, 1) for way in ways], 1)


@calls({"stride": 8}, inputs=lambda rng, _: [numbers(rng, 7, 4, -2, 40)])
def star_deform_offsets(distances, stride):
    l, t, r, b = (distances / stride).unbind(1)
    grid, none = torch.tensor([-1.0, 0.0, 1.0]).double(), torch.zeros_like(l)
    y, x = torch.stack([-t, none, b], 1) - grid, torch.stack([-l, none, r], 1) - grid
    return torch.stack([y.repeat_interleave(3, 1), x.repeat(1, 3)], 2)


@calls({}, {"kind": "exp"}, inputs=lambda rng, _: [numbers(rng, 7, 4, 0, 20), numbers(rng, 7, 4, -3, 3)])
def refine_distances(distances, deltas, kind="multiply"):
    return distances * (deltas.exp() if kind == "exp" else deltas)


# Rotated boxes


def turned_boxes(rng, count):
    angles = numbers(rng, count, 1, -4, 4)
    return torch.cat([numbers(rng, count, 2, 0, 24), numbers(rng, count, 2, 1, 24), angles], 1)


def two_sets_of_turned_boxes(rng, _):
    return [turned_boxes(rng, 6), turned_boxes(rng, 5)]


def covariances(boxes):
    """R diag(w², h²)/12 Rᵀ."""
    _, _, w, h, angle = boxes.unbind(1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).reshape(-1, 2, 2)
    return turn @ torch.diag_embed(torch.stack([w, h], 1) ** 2 / 12) @ turn.transpose(1, 2)


@calls(inputs=two_sets_of_turned_boxes)
def prob_iou(a, b):
    p, t = a.repeat_interleave(len(b), 0), b.repeat(len(a), 1)
    first, second = covariances(p), covariances(t)
    mean, apart = (first + second) / 2, (p - t)[:, :2, None]
    distance = (apart.transpose(1, 2) @ torch.linalg.solve(mean, apart)).flatten() / 8
    distance = distance + (torch.logdet(mean) - (torch.logdet(first) + torch.logdet(second)) / 2) / 2
    return 1 - torch.sqrt(-torch.expm1(-distance))


def near_turned_boxes(rng):
    """Boxes, and others near them and far from them; equal ones have no gradient."""
    boxes = turned_boxes(rng, 40).tolist()
    near = [[rounded(v + rng.uniform(-1, 1) / (4 if i == 4 else 1)) for i, v in enumerate(box)] for box in boxes]
    return [*zip(boxes, near), *zip(boxes, reversed(near))]


@pairs_of(near_turned_boxes)
def prob_iou_loss(p, t):
    first, second = covariances(p), covariances(t)
    apart = (p - t)[:, :2, None]
    far = (apart.transpose(1, 2) @ torch.linalg.solve(first + second, apart)).flatten() / 4
    shapes = torch.logdet((first + second) / 2) - (torch.logdet(first) + torch.logdet(second)) / 2
    return torch.sqrt(-torch.expm1(-(far + shapes / 2)))


def keypoints(rng):
    """Rows of K keypoints: pred (K, 2) of each, target (K, 3) and behind that the area."""
    rows = []
    for _ in range(12):
        target = [[rounded(rng.uniform(0, 60)), rounded(rng.uniform(0, 60)), rng.randrange(3)] for _ in range(17)]
        pred = [rounded(v + rng.uniform(-4, 4)) for point in target for v in point[:2]]
        rows.append((pred, [v for point in target for v in point] + [rounded(rng.uniform(100, 2000))]))
    return rows


@pairs_of(keypoints)
def oks_loss(pred, target):
    sigmas = torch.tensor(COCO_SIGMAS, dtype=torch.float64)
    points, area = target[:, :-1].unflatten(1, (17, 3)), target[:, -1:]
    visible = (points[:, :, 2] > 0).double()
    squares = (pred.unflatten(1, (17, 2)) - points[:, :, :2]).pow(2).sum(2)
    factor = 17 / visible.sum(1).clamp(min=1)
    return factor * ((1 - torch.exp(-squares / (2 * (2 * sigmas) ** 2 * area))) * visible).mean(1)


def scene(make):
    """An operation that is recorded on one scene, by its members."""
    RECORDED[make.__name__] = lambda: make(random.Random(make.__name__))
    return make


@scene
def mask_loss(rng):
    objects, channels, height, width = 4, 6, 11, 19
    coefficients = numbers(rng, objects, channels, -2, 2).double().requires_grad_()
    prototypes = numbers(rng, channels, height * width, -1, 1).double().reshape(channels, height, width).requires_grad_()
    masks = torch.tensor([rng.randrange(2) for _ in range(objects * height * width)]).reshape(objects, height, width)
    low = numbers(rng, objects, 2, -2, 8)
    boxes = torch.cat([low, low + numbers(rng, objects, 2, 2, 10)], 1).double()
    logits = torch.einsum("in,nhw->ihw", coefficients, prototypes)
    x, y = torch.arange(width), torch.arange(height)[:, None]
    x1, y1, x2, y2 = boxes[:, :, None, None].unbind(1)
    inside = (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) / (height * width)
    loss = (bce(logits, masks.double()) * inside).mean((1, 2)) / areas
    slopes = torch.autograd.grad(loss.sum(), [coefficients, prototypes])
    return {
        "coefficients": tensor(coefficients),
        "prototypes": tensor(prototypes),
        "masks": masks.flatten().tolist(),
        "boxes": boxes.flatten().tolist(),
        "loss": loss.tolist(),
        "grad": dict(zip(("coefficients", "prototypes"), (each.flatten().tolist() for each in slopes))),
    }


@calls(inputs=lambda rng, _: [turned_boxes(rng, 7)])
def rotated_corners(boxes):
    """Points as complex numbers, which turn by a product."""
    x, y, w, h, angle = boxes.unbind(1)
    turn = torch.polar(torch.ones_like(angle), angle)
    along, across = w / 2 * turn, 1j * h / 2 * turn
    centre = torch.complex(x, y)
    points = [centre + along + across, centre + along - across, centre - along - across, centre - along + across]
    return torch.view_as_real(torch.stack(points, 1))


def exact_rectangles(rng, count):
    """Of vectors whose coordinates are whole numbers."""
    rows = []
    for _ in range(count):
        a, b, x, y = (rng.randrange(-9, 10) for _ in range(4))
        m, n = rng.sample(range(1, 6), 2)
        v1, v2 = (m * a, m * b), (-n * b, n * a)
        rows.append([c + s * u + t * v for s, t in ((1, 1), (1, -1), (-1, -1), (-1, 1)) for c, u, v in zip((x, y), v1, v2)])
    return torch.tensor(rows, dtype=torch.float32)


@calls(inputs=lambda rng, _: [exact_rectangles(rng, 9)])
def corners_to_rotated(corners):
    """By the eigenvectors of the corners' scatter, which is that of v1 and v2."""
    points = corners.reshape(-1, 4, 2)
    centre = points.mean(1)
    width = (points[:, 0] + points[:, 1] - points[:, 2] - points[:, 3]).norm(dim=1) / 2
    height = (points[:, 0] - points[:, 1] - points[:, 2] + points[:, 3]).norm(dim=1) / 2
    around = points - centre[:, None]
    values, axes = torch.linalg.eigh(around.transpose(1, 2) @ around)
    longer = axes[:, :, 1]
    angle = torch.atan2(longer[:, 1], longer[:, 0]) - (width < height).double() * math.pi / 2
    angle = (angle + math.pi / 4) % math.pi - math.pi / 4
    return torch.cat([centre, torch.stack([width, height, angle], 1)], 1)


def rotated_box_iou(a, b):
    """Each pair's polygon by its own half planes: a rectangle, cut by the other's four lines."""
    return torch.tensor([polygon_iou(p, t) for p in a.tolist() for t in b.tolist()], dtype=torch.float64)


def polygon_iou(p, t):
    def points(box):
        return rotated_corners(torch.tensor([box]).double())[0].tolist()[::-1]

    def area(outline):
        ends = outline[1:] + outline[:1]
        return sum(x * v - u * y for (x, y), (u, v) in zip(outline, ends)) / 2

    left = points(p)
    cutter = points(t)
    for (x, y), (u, v) in zip(cutter, cutter[1:] + cutter[:1]):
        side = [(u - x) * (d - y) - (v - y) * (c - x) for c, d in left]
        cut = []
        for i, (here, there) in enumerate(zip(side, side[1:] + side[:1])):
            (a, b), (c, d) = left[i], left[(i + 1) % len(left)]
            cut += [(a, b)] if here >= 0 else []
            cut += [(a + (c - a) * here / (here - there), b + (d - b) * here / (here - there))] if here * there < 0 else []
        left = cut
    inner = area(left) if len(left) > 2 else 0
    return inner / (p[2] * p[3] + t[2] * t[3] - inner)


calls(inputs=two_sets_of_turned_boxes)(rotated_box_iou)


RECORDED.update(assignment.SETS)
RECORDED["detect"] = lambda: {
    "none": "no operation of PyTorch or torchvision: its parts have fixtures, and networks' own outputs are in test/node"
}


def ranked_turned_boxes(rng, _):
    return [turned_boxes(rng, 12), torch.tensor([rng.randrange(1, 4096) / 4096 for _ in range(12)])]


@calls(
    {"iouThreshold": 0.25},
    {"iouThreshold": 0.125, "suppression": "fast", "scoreThreshold": 0.25, "maxDetections": 4},
    {"iouThreshold": 0.25, "overlap": "probiou"},
    inputs=ranked_turned_boxes,
)
def rotated_nms(
    boxes, scores, iouThreshold, overlap="polygon", suppression="greedy", scoreThreshold=0.0, maxDetections=None
):
    """Greedy or fast, over the overlaps of all pairs."""
    measure = rotated_box_iou if overlap == "polygon" else prob_iou
    overlaps = measure(boxes, boxes).reshape(len(boxes), -1)
    kept, better = [], []
    for i in scores.argsort(descending=True).tolist():
        goes = any(overlaps[i, j] > iouThreshold for j in (better if suppression == "fast" else kept))
        if scores[i] > scoreThreshold and not goes:
            kept.append(i)
        better.append(i)
    return torch.tensor(kept[:maxDetections], dtype=torch.int32)


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


@functools.cache
def box_pairs():
    """Pairs for the default options, and such as a large eps does not drown."""
    pairs = HARD_BOXES + random_boxes(SHARED, 320, 0.125, 24) + random_boxes(SHARED, 512, 2.0**-10, 12)
    return pairs, random_boxes(SHARED, 16, 0.125, 12)


def numbers(rng, rows, columns, low, high):
    return torch.tensor([[rounded(rng.uniform(low, high)) for _ in range(columns)] for _ in range(rows)])


def corners(rng, count):
    low = numbers(rng, count, 2, 0, 24)
    return torch.cat([low, low + numbers(rng, count, 2, 1, 24)], 1)


def classes(rng, count, most):
    return torch.tensor([rng.randrange(most) for _ in range(count)], dtype=torch.int32)


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


def call(operation, inputs, options):
    found = operation(*(each if each.dtype == torch.int32 else each.double() for each in inputs), **options)
    members = {name: each.flatten().tolist() for name, each in found.items()} if isinstance(found, dict) else None
    result = found.flatten().tolist() if members is None else members
    return {"inputs": [tensor(each) for each in inputs], "options": options, "result": result}


def tensor(values):
    dtype = {"dtype": "int32"} if values.dtype == torch.int32 else {}
    return {"data": values.flatten().tolist(), "dims": list(values.shape), **dtype}


def write(stem, sets):
    path = FOLDER / f"{stem}.json"
    path.write_text(json.dumps(sets, allow_nan=False, indent=2) + "\n")
    print(f"{stem}: {len(sets)} sets, {path.stat().st_size} bytes")


def main(stems):
    FOLDER.mkdir(exist_ok=True)
    unknown = [stem for stem in stems if stem not in RECORDED]
    if unknown:
        raise SystemExit(f"no formula is called {', '.join(unknown)}")
    # All are made, because the first losses share their random numbers.
    for stem, sets in [(stem, make()) for stem, make in RECORDED.items()]:
        if not stems or stem in stems:
            write(stem, sets)


if __name__ == "__main__":
    main(sys.argv[1:])
