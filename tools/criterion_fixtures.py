"""Writes test/fixtures/{gfl,vfnet,yolo}_criterion.json: values and gradients of the criteria by PyTorch's float64 autograd.

Run by hand (python3 tools/criterion_fixtures.py; needs torch). The losses are those of fixtures.py; what makes criteria of
them is written here: points, decoding, qualities, weights and divisors.

A file is a scene of two images with a given assignment (YOLO's is made here, on dense tensors), and for each set of options what comes of it.
"""

import json
import random
from itertools import product
from math import ceil

import torch

from fixtures import FOLDER, ciou_loss, distribution_focal_loss, giou_loss, iou, quality_focal_loss, rounded, varifocal_loss

HEIGHT, WIDTH = 40, 64
STRIDES = [16, 32]
OFFSET = 0.5
CLASSES, BINS = 3, 6
# The second image's last box reaches out of the image; its first positive does not see its box.
GT = [
    {"boxes": [[3, 2, 30, 29], [20, 8, 63, 39]], "labels": [2, 0]},
    {"boxes": [[33, 4, 47, 12], [10, 10, 40, 30], [-9, 20, 24.5, 61]], "labels": [1, 1, 2]},
]
GT_INDEX = [
    [-1, 0, 0, 1, -1, 0, -1, 1, -2, -1, 1, 1, 0, -1, -1, -2],
    [0, -1, 0, -1, 1, 1, -1, -2, 2, 2, -1, -1, -1, 1, 2, -1],
]
NORMALIZERS = ["paper", "mmdet"]


def anchor_points():
    """(N, 2), and (N, 1) strides."""
    rows = []
    for stride in STRIDES:
        cells = product(range(ceil(HEIGHT / stride)), range(ceil(WIDTH / stride)))
        rows += [((x + OFFSET) * stride, (y + OFFSET) * stride, stride) for y, x in cells]
    table = torch.tensor(rows, dtype=torch.float64)
    return table[:, :2], table[:, 2:]


class Positives:
    """The positives of all images: rows of the batch's maps, and what they learn."""

    def __init__(self):
        points, strides = anchor_points()
        index = torch.tensor(GT_INDEX)
        self.image, anchor = (index >= 0).nonzero(as_tuple=True)
        self.row = (self.image, anchor)
        self.point, self.stride = points[anchor], strides[anchor]
        found = [(GT[i]["boxes"][k], GT[i]["labels"][k]) for i, k in zip(self.image, index[self.row])]
        self.box = torch.tensor([box for box, _ in found], dtype=torch.float64)
        self.label = torch.tensor([label for _, label in found])
        self.kept = index != -2

    def __len__(self):
        return len(self.label)

    def per_image(self):
        return [(self.image == i).sum().item() for i in range(len(GT))]

    def boxes(self, distances):
        return torch.cat([self.point - distances[:, :2], self.point + distances[:, 2:]], 1)

    def sides(self):
        return torch.cat([self.point - self.box[:, :2], self.box[:, 2:] - self.point], 1)

    def target(self, cls, quality):
        dense = torch.zeros_like(cls)
        dense[(*self.row, self.label)] = quality
        return dense


def gfl_criterion(cls, dist, normalizer="paper", lambdaBox=2.0, lambdaDfl=0.25, beta=2.0):
    pos = Positives()
    logits = dist[pos.row].reshape(-1, 4, BINS)
    distances = (logits.softmax(2) * torch.arange(BINS)).sum(2) * pos.stride
    boxes = pos.boxes(distances)
    with torch.no_grad():
        quality = iou(boxes, pos.box, 0)
        weight = cls[pos.row].sigmoid().max(1).values
    qfl = quality_focal_loss(cls, pos.target(cls, quality), beta)[pos.kept].sum()
    target = (pos.sides() / pos.stride).clamp(0, BINS - 1.1)
    dfl = distribution_focal_loss(logits.reshape(-1, BINS), target.flatten()).reshape(-1, 4)
    if normalizer == "paper":
        cls_divisor = divisor = max(len(pos), 1)
        dfl = dfl.sum(1)
    else:
        cls_divisor = sum(max(count, 1) for count in pos.per_image())
        divisor = max(weight.sum().item(), 1)
        dfl = dfl.mean(1)
    giou = giou_loss(boxes, pos.box)
    return {
        "cls": qfl / cls_divisor,
        "box": lambdaBox * (weight * giou).sum() / divisor,
        "dfl": lambdaDfl * (weight * dfl).sum() / divisor,
    }


def vfnet_criterion(cls, distances, refined, normalizer="paper", lambdaBox=1.5, lambdaRefine=2.0, alpha=0.75, gamma=2.0):
    pos = Positives()

    def boxes_loss(sides):
        boxes = pos.boxes(sides[pos.row])
        weight = iou(boxes, pos.box, 0).clamp(min=1e-6).detach()
        divisor = max(len(pos) if normalizer == "paper" else weight.sum().item(), 1)
        return (weight * giou_loss(boxes, pos.box)).sum() / divisor, weight

    initial, _ = boxes_loss(distances)
    refinement, quality = boxes_loss(refined)
    vfl = varifocal_loss(cls, pos.target(cls, quality), alpha, gamma).sum()
    return {"cls": vfl / max(len(pos), 1), "box": lambdaBox * initial, "boxRefine": lambdaRefine * refinement}


def assign_yolo(scores, boxes, points, gt, topk, topk2, alpha, beta):
    """Of one image: object (-1 without) and target score of each anchor, on (K, N) tensors."""
    objects = torch.tensor(gt["boxes"], dtype=torch.float64)
    count, anchors = len(objects), len(points)
    margins = torch.cat([points - objects[:, None, :2], objects[:, None, 2:] - points], 2)
    inside = margins.min(2).values > 1e-9
    pairs = [each.reshape(-1, 4) for each in (boxes.expand(count, -1, -1), objects[:, None].expand(-1, anchors, -1))]
    overlap = (1 - ciou_loss(*pairs)).reshape(count, anchors).clamp(min=0) * inside
    aligned = scores[:, gt["labels"]].T.pow(alpha) * overlap.pow(beta) * inside

    def best(values, most):
        order = values.sort(dim=1, descending=True, stable=True).indices[:, : min(most, anchors)]
        return torch.zeros_like(values, dtype=torch.bool).scatter(1, order, True)

    chosen = best(aligned, topk) & (aligned > 0)
    nearest = torch.nn.functional.one_hot(overlap.argmax(0), count).T.bool()
    owned = torch.where(chosen.sum(0) > 1, nearest, chosen)
    if topk2 is not None:
        owned &= best(torch.where(owned, aligned, torch.full_like(aligned, -1)), topk2)
    aligned, overlap = aligned * owned, overlap * owned
    target = aligned * overlap.amax(1, keepdim=True) / (aligned.amax(1, keepdim=True) + 1e-9)
    return torch.where(owned.any(0), owned.int().argmax(0), -1), target.amax(0)


def yolo_criterion(cls, dist, gains=None, topk=10, topk2=None, alpha=0.5, beta=6.0, timesBatch=False):
    gains = {"box": 7.5, "cls": 0.5, "dfl": 1.5, **(gains or {})}
    points, strides = anchor_points()
    plain = dist.shape[2] == 4
    logits = dist.reshape(len(GT), len(points), 4, -1)
    sides = dist if plain else (logits.softmax(3) * torch.arange(BINS)).sum(3)
    boxes = torch.cat([points - sides[..., :2] * strides, points + sides[..., 2:] * strides], 2)
    with torch.no_grad():
        found = [assign_yolo(cls[i].sigmoid(), boxes[i], points, GT[i], topk, topk2, alpha, beta) for i in range(len(GT))]
    index, score = (torch.stack(each) for each in zip(*found))
    image, anchor = (index >= 0).nonzero(as_tuple=True)
    objects = [(GT[i]["boxes"][k], GT[i]["labels"][k]) for i, k in zip(image, index[image, anchor])]
    target = torch.tensor([box for box, _ in objects], dtype=torch.float64)
    weight = score[image, anchor]
    dense = torch.zeros_like(cls)
    dense[image, anchor, [label for _, label in objects]] = weight
    bce = torch.nn.functional.binary_cross_entropy_with_logits(cls, dense, reduction="sum")
    point, stride = points[anchor], strides[anchor]
    distances = torch.cat([point - target[:, :2], target[:, 2:] - point], 1)
    if plain:
        extent = torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
        fine = ((sides[image, anchor] * stride - distances) / extent).abs().mean(1)
    else:
        bounded = (distances / stride).clamp(0, BINS - 1.01)
        own = logits[image, anchor].reshape(-1, BINS)
        fine = distribution_focal_loss(own, bounded.flatten()).reshape(-1, 4).mean(1)
    factor = (len(GT) if timesBatch else 1) / weight.sum().clamp(min=1)
    return {
        "cls": gains["cls"] * factor * bce,
        "box": gains["box"] * factor * (weight * ciou_loss(boxes[image, anchor], target)).sum(),
        "dfl": gains["dfl"] * factor * (weight * fine).sum(),
    }, len(weight)


def maps(rng, columns, make):
    anchors = len(GT_INDEX[0])
    shape = (len(GT), anchors, columns)
    return torch.tensor([make(rng) for _ in range(len(GT) * anchors * columns)], dtype=torch.float64).reshape(shape)


def recorded(head, criterion, inputs, variants, assignment):
    results = []
    for options in variants:
        leaves = {name: values.clone().requires_grad_() for name, values in inputs.items()}
        parts, positives = criterion(**leaves, **options)
        total = sum(parts.values())
        grads = torch.autograd.grad(total, list(leaves.values()))
        results.append(
            {
                "options": options,
                "total": total.item(),
                "parts": {name: part.item() for name, part in parts.items()},
                "numPos": positives,
                "grad": {name: grad.flatten().tolist() for name, grad in zip(leaves, grads)},
            }
        )
    scene = {"head": head, "imageSize": [HEIGHT, WIDTH], "gt": GT, **assignment}
    scene.update({name: values.flatten().tolist() for name, values in inputs.items()})
    return {"scene": scene, "results": results}


def write(stem, content):
    path = FOLDER / f"{stem}.json"
    path.write_text(json.dumps(content, allow_nan=False) + "\n")
    print(f"{stem}: {path.stat().st_size} bytes")


def given(stem, head, criterion, inputs, variants):
    """With the assignment of GT_INDEX."""
    counted = lambda **options: (criterion(**options), len(Positives()))
    write(stem, recorded(head, counted, inputs, variants, {"gtIndex": GT_INDEX}))


def main():
    rng = random.Random(30)
    cls = maps(rng, CLASSES, lambda r: rounded(r.gauss(-1, 2)))
    dist = maps(rng, 4 * BINS, lambda r: rounded(r.gauss(0, 2)))
    head = {"strides": STRIDES, "anchorOffset": OFFSET, "numClasses": CLASSES}
    plain = [{"normalizer": normalizer} for normalizer in NORMALIZERS]
    other = {"normalizer": "mmdet", "lambdaBox": 1, "lambdaDfl": 0.5, "beta": 1.5}
    given("gfl_criterion", {**head, "bins": BINS}, gfl_criterion, {"cls": cls, "dist": dist}, [*plain, other])
    sides = {name: maps(rng, 4, lambda r: rounded(r.uniform(1, 40))) for name in ("distances", "refined")}
    other = {"normalizer": "mmdet", "lambdaBox": 1, "lambdaRefine": 0.5, "alpha": 0.5, "gamma": 1}
    given("vfnet_criterion", head, vfnet_criterion, {"cls": cls, **sides}, [*plain, other])
    yolo(cls)


def yolo(cls):
    """Distributions, and distances in strides, around the objects of GT_INDEX."""
    rng = random.Random(31)
    dist, distances = (maps(rng, columns, lambda r: 0.0) for columns in (4 * BINS, 4))
    points, strides = anchor_points()
    for image, indices in enumerate(GT_INDEX):
        for anchor, index in enumerate(indices):
            box = torch.tensor(GT[image]["boxes"][max(index, 0)], dtype=torch.float64)
            sides = torch.cat([points[anchor] - box[:2], box[2:] - points[anchor]]) / strides[anchor]
            # No edge is that of an object: the losses have a kink there.
            near = [rounded(side * (1 + 0.2 * rng.gauss(0, 1))) + 1 / 128 for side in sides.tolist()]
            distances[image, anchor] = torch.tensor(near, dtype=torch.float64)
            bins = [[rounded(3 - (bin - side) ** 2 + rng.gauss(0, 0.5)) for bin in range(BINS)] for side in near]
            dist[image, anchor] = torch.tensor(bins, dtype=torch.float64).flatten()
    other = {"topk": 4, "topk2": 2, "alpha": 1, "beta": 2, "timesBatch": True, "gains": {"box": 1, "dfl": 3}}
    variants = [{}, {"topk": 7, "topk2": 1}, other]
    head = {"strides": STRIDES, "anchorOffset": OFFSET, "numClasses": CLASSES}
    unit = {"bins": 0, "boxes": "distances", "boxUnit": "stride"}
    content = {
        "distributions": recorded({**head, "bins": BINS}, yolo_criterion, {"cls": cls, "dist": dist}, variants, {}),
        "distances": recorded({**head, **unit}, yolo_criterion, {"cls": cls, "dist": distances}, variants, {}),
    }
    write("yolo_criterion", content)


if __name__ == "__main__":
    main()
