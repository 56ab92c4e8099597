"""Writes test/fixtures/{gfl,vfnet}_criterion.json: values and gradients of the criteria by PyTorch's float64 autograd.

Run by hand (python3 tools/criterion_fixtures.py; needs torch). The losses are those of fixtures.py; what makes criteria of
them is written here: points, decoding, qualities, weights and divisors.

A file is a scene of two images with a given assignment, and for each set of options what comes of it.
"""

import json
import random
from itertools import product
from math import ceil

import torch

from fixtures import FOLDER, distribution_focal_loss, giou_loss, iou, quality_focal_loss, rounded, varifocal_loss

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


def maps(rng, columns, make):
    anchors = len(GT_INDEX[0])
    shape = (len(GT), anchors, columns)
    return torch.tensor([make(rng) for _ in range(len(GT) * anchors * columns)], dtype=torch.float64).reshape(shape)


def write(stem, head, criterion, inputs, variants):
    results = []
    for options in variants:
        leaves = {name: values.clone().requires_grad_() for name, values in inputs.items()}
        parts = criterion(**leaves, **options)
        total = sum(parts.values())
        grads = torch.autograd.grad(total, list(leaves.values()))
        results.append(
            {
                "options": options,
                "total": total.item(),
                "parts": {name: part.item() for name, part in parts.items()},
                "numPos": len(Positives()),
                "grad": {name: grad.flatten().tolist() for name, grad in zip(leaves, grads)},
            }
        )
    scene = {"head": head, "imageSize": [HEIGHT, WIDTH], "gt": GT, "gtIndex": GT_INDEX}
    scene.update({name: values.flatten().tolist() for name, values in inputs.items()})
    path = FOLDER / f"{stem}.json"
    path.write_text(json.dumps({"scene": scene, "results": results}, allow_nan=False) + "\n")
    print(f"{stem}: {len(results)} results, {path.stat().st_size} bytes")


def main():
    rng = random.Random(30)
    cls = maps(rng, CLASSES, lambda r: rounded(r.gauss(-1, 2)))
    dist = maps(rng, 4 * BINS, lambda r: rounded(r.gauss(0, 2)))
    head = {"strides": STRIDES, "anchorOffset": OFFSET, "numClasses": CLASSES}
    plain = [{"normalizer": normalizer} for normalizer in NORMALIZERS]
    other = {"normalizer": "mmdet", "lambdaBox": 1, "lambdaDfl": 0.5, "beta": 1.5}
    write("gfl_criterion", {**head, "bins": BINS}, gfl_criterion, {"cls": cls, "dist": dist}, [*plain, other])
    sides = {name: maps(rng, 4, lambda r: rounded(r.uniform(1, 40))) for name in ("distances", "refined")}
    other = {"normalizer": "mmdet", "lambdaBox": 1, "lambdaRefine": 0.5, "alpha": 0.5, "gamma": 1}
    write("vfnet_criterion", head, vfnet_criterion, {"cls": cls, **sides}, [*plain, other])


if __name__ == "__main__":
    main()
