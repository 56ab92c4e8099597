"""Train one small network with three heads on drawn ponds, and write each head's files.

The ponds (pond.py) show fish, turtles and leaves from above. One network finds them; behind it stand a head of instance
masks, one of four keypoints and one of turned boxes, trained together and exported apart. What the keypoints' head says
is near the points but not on them, so that a refiner is trained then, behind the network as it is: it moves each point by
what it sees under it. The script measures all on held-out ponds, in float64, and writes next to itself:

    masks.onnx, keypoints.onnx, turned.onnx     image in, raw outputs out
    heads_metrics.json                          mask IoU, OKS, IoU of turned boxes, AP; sizes and settings
    ponds.coco.json                             ground truth: boxes, masks, keypoints
    ponds.turned.coco.json                      ground truth: turned boxes, as centre, size, angle
    pond1..3.png                                the example ponds
    pond1..3.masks.safetensors and so on        raw outputs for those PNGs

Run it with Python 3, PyTorch, NumPy, Pillow and OpenCV (CPU only):

    python3 train_heads.py
    python3 train_heads.py --steps 60 --refiner-steps 60 --train-scenes 100 --eval-scenes 20 --out /tmp/ponds   # quick check

Outputs are laid out as Ultralytics lays them out before decoding: channels first, all anchors of stride 8, then of 16;
4 sides x 8 bins, 3 classes, then what the head adds. The anchor of cell (i, j) is ((i + 0.5) * stride, (j + 0.5) * stride).
"""

import argparse
import json
import math
import time
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

from pond import CLASSES, IMAGE_SIZE, KEYPOINTS, MAX_OBJECTS, box_of, draw_pond
from train import (REG_MAX, STRIDES, ConvBNReLU, SeparableConv, ShapeDetector, distance_to_box,
                   distribution_focal_loss, expected_distance, iou_matrix, paired_iou, quality_focal_loss,
                   write_safetensors)

HEADS = {"masks": "segment", "keypoints": "pose", "turned": "obb"}      # and Ultralytics' names of the tasks
COEFFICIENTS = 8
PROTO_STRIDE = 4
CENTER_RADIUS = 1.25        # positives lie this many strides from the centre
LENGTH_SPLIT = 40.0         # longer side of the turned box, pixels: below goes to stride 8
SIGMA = 0.05                # of each keypoint: OKS is exp(-d^2 / (2 (2 SIGMA)^2 area))
MASK_SAMPLES = 48           # positives of a batch whose masks are compared
ANCHORS = sum((IMAGE_SIZE // stride) ** 2 for stride in STRIDES)
MOVES = 3                   # of the refiner
JITTER = 0.2                # of keypoints it starts from in training, at most, as a part of the root of the object's area

TRAIN_SEED = 1
VALIDATION_SEED = 3         # watched during training
HELD_OUT_SEED = 2           # measured once, at the end
EXAMPLE_SCENES = (18, 7, 4)     # held-out ponds saved as PNG, picked for looks before training

SCORE_THRESHOLD = 0.05
NMS_IOU = 0.6
SHOWN_SCORE = 0.4           # from here a detection counts as shown
FOUND_IOU = 0.5


# --------------------------------------------------------------------------
# Scenes
# --------------------------------------------------------------------------

def scene_arrays(seed):
    """One pond; unused object slots carry label -1."""
    pond, pixels = draw_pond(np.random.default_rng(seed))
    boxes, turned = np.zeros((MAX_OBJECTS, 4), np.float32), np.zeros((MAX_OBJECTS, 5), np.float32)
    keypoints, labels = np.zeros((MAX_OBJECTS, 4, 3), np.float32), np.full(MAX_OBJECTS, -1)
    for i, (label, placed) in enumerate(pond.objects):
        labels[i], boxes[i], turned[i] = label, box_of(pond.ids == i + 1), placed.turned_box()
        keypoints[i] = pond.keypoints(i + 1)
    return pixels.transpose(2, 0, 1), pond.ids, boxes, turned, keypoints, labels


def make_scenes(count, seed, processes=2):
    """Tensors by name: images, ids, boxes, turned, keypoints, labels."""
    with Pool(processes) as pool:
        scenes = pool.map(scene_arrays, [[seed, i] for i in range(count)], chunksize=25)
    names = ("images", "ids", "boxes", "turned", "keypoints", "labels")
    return {name: torch.from_numpy(np.stack(arrays)) for name, arrays in zip(names, zip(*scenes))}


def normal_angle(angle):
    """The same axis, in [-pi/4, 3 pi/4)."""
    return torch.remainder(angle + math.pi / 4, math.pi) - math.pi / 4


def mirror(batch, rows, swap):
    """Mirror some images: about a vertical axis, or (swap) about the diagonal. Left and right change places."""
    size = IMAGE_SIZE
    flip = (lambda t: t.transpose(-1, -2)) if swap else (lambda t: t.flip(-1))
    batch["images"][rows], batch["ids"][rows] = flip(batch["images"][rows]), flip(batch["ids"][rows])
    boxes, turned, keypoints = batch["boxes"][rows], batch["turned"][rows], batch["keypoints"][rows][:, :, [0, 2, 1, 3]]
    if swap:
        batch["boxes"][rows] = boxes[..., [1, 0, 3, 2]]
        center, angle = turned[..., [1, 0]], math.pi / 2 - turned[..., 4:]
        batch["keypoints"][rows] = keypoints[..., [1, 0, 2]]
    else:
        batch["boxes"][rows] = boxes[..., [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]) + torch.tensor([size, 0, size, 0])
        center, angle = turned[..., :2] * torch.tensor([-1, 1]) + torch.tensor([size, 0]), -turned[..., 4:]
        batch["keypoints"][rows] = keypoints * torch.tensor([-1, 1, 1]) + torch.tensor([size, 0, 0])
    batch["turned"][rows] = torch.cat([center, turned[..., 2:4], normal_angle(angle)], -1)


def augment(scenes, picked):
    """Some scenes as a batch: mirrored, turned by quarters, with other brightness and tint."""
    batch = {name: values[picked].clone() for name, values in scenes.items()}
    batch["images"] = batch["images"].float() / 255.0
    count = len(picked)
    for swap in (False, True, False):       # all eight ways
        mirror(batch, torch.rand(count) < 0.5, swap)
    gain = torch.empty(count, 1, 1, 1).uniform_(0.75, 1.2) * torch.empty(count, 3, 1, 1).uniform_(0.85, 1.15)
    batch["images"] = (batch["images"] * gain).clamp(0, 1)
    return batch


# --------------------------------------------------------------------------
# Network
# --------------------------------------------------------------------------

class Trunk(ShapeDetector):
    """The first sample's network without its head: features of strides 4, 8 and 16."""

    def __init__(self):
        super().__init__()
        del self.head8, self.head16

    def forward(self, image):
        x4 = self.stage4(self.stem(image))
        x8 = self.stage8(x4)
        p16 = self.lateral16(self.stage16(x8))
        return x4, self.lateral8(x8) + self.upsample(p16), p16


class Tower(nn.Module):
    """Convolutions and a linear one: (B, channels, H, W) to (B, c_out, H * W)."""

    def __init__(self, channels, c_out, depth):
        super().__init__()
        self.tower = nn.Sequential(*(SeparableConv(channels, channels) for _ in range(depth)))
        self.last = nn.Conv2d(channels, c_out, 1)

    def forward(self, x):
        return self.last(self.tower(x)).flatten(2)


class Levels(nn.Module):
    """A tower for each level; their anchors one after the other."""

    def __init__(self, channels, c_out, depth=1):
        super().__init__()
        self.towers = nn.ModuleList(Tower(channels, c_out, depth) for _ in STRIDES)

    def forward(self, levels):
        return torch.cat([tower(x) for tower, x in zip(self.towers, levels)], 2)


class FineFeatures(nn.Module):
    """(B, channels, H / 4, W / 4) out of features of strides 4 and 8."""

    def __init__(self, depth, c4=24, c8=48, channels=24):
        super().__init__()
        self.fine, self.coarse = ConvBNReLU(c4, channels, 1), ConvBNReLU(c8, channels, 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.tower = nn.Sequential(*(SeparableConv(channels, channels) for _ in range(depth)))

    def forward(self, x4, p8):
        return self.tower(self.fine(x4) + self.upsample(self.coarse(p8)))


class Prototypes(FineFeatures):
    """(B, COEFFICIENTS, H / 4, W / 4)."""

    def __init__(self, channels=24):
        super().__init__(2, channels=channels)
        self.last = nn.Conv2d(channels, COEFFICIENTS, 1)

    def forward(self, x4, p8):
        return self.last(super().forward(x4, p8))


class Refiner(nn.Module):
    """Moves the keypoints of anchors, MOVES times: by the fine features under all four points and the anchor's own."""

    def __init__(self, channels=48, fine=24, hidden=48):
        super().__init__()
        self.features = FineFeatures(3, channels=fine)
        self.anchor = nn.Conv2d(channels, hidden, 1)
        # An export has the weights of linear layers once for each move.
        self.first, self.second = nn.Conv1d(len(KEYPOINTS) * fine, hidden, 1), nn.Conv1d(hidden, hidden, 1)
        self.last = nn.Conv1d(hidden, 2 * len(KEYPOINTS), 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        # From raw places, which are (2 v - 0.5) strides away from the point, to -1..1 as grid_sample has them.
        points, strides = make_points()
        scale, shift = 4 * strides[:, None] / IMAGE_SIZE, (2 * points - strides[:, None]) / IMAGE_SIZE - 1
        self.register_buffer("scale", scale[:, None])
        self.register_buffer("shift", shift[:, None])

    def read(self, x4, p8, levels):
        """The fine features, and those of the anchors (B, hidden, A)."""
        anchors = [self.anchor(x).reshape(-1, self.anchor.out_channels, (IMAGE_SIZE // stride) ** 2)
                   for x, stride in zip(levels, STRIDES)]
        return self.features(x4, p8), torch.cat(anchors, 2)

    def moves(self, fine, anchors, raw, rows=None):
        """Raw places (B, N, 4, 2) after each move. Rows (B, N) say which anchors they are of; without, all."""
        scale, shift = (self.scale, self.shift) if rows is None else (self.scale[rows], self.shift[rows])
        count = ANCHORS if rows is None else rows.shape[1]
        results = []
        for _ in range(MOVES):
            raw = raw.detach()      # each move is learned on its own
            under = F.grid_sample(fine, raw * scale + shift, padding_mode="border", align_corners=False)    # B, C, N, 4
            under = under.permute(0, 3, 1, 2).reshape(-1, self.first.in_channels, count)
            hidden = F.relu(self.second(F.relu(self.first(under) + anchors)))
            raw = raw + self.last(hidden).transpose(1, 2).reshape(-1, count, len(KEYPOINTS), 2) / 4
            results.append(raw)
        return results


class PondNet(nn.Module):
    def __init__(self, channels=48):
        super().__init__()
        self.trunk = Trunk()
        self.smooth = nn.ModuleList(SeparableConv(channels, channels) for _ in STRIDES)
        sides = 4 * (REG_MAX + 1)
        self.classes, self.boxes = Levels(channels, len(CLASSES)), Levels(channels, sides)
        self.coefficients, self.prototypes = Levels(channels, COEFFICIENTS), Prototypes()
        self.keypoints = Levels(channels, 3 * len(KEYPOINTS), depth=2)
        self.turned = Levels(channels, sides + 1, depth=2)
        for tower in self.classes.towers:
            nn.init.normal_(tower.last.weight, std=0.01)
            nn.init.constant_(tower.last.bias, -math.log(99.0))     # prior score 0.01
        self.refiner = None     # trained when all else is

    def forward(self, image, head=None):
        """Outputs of one head as they are exported, or all of them by name, as they are trained."""
        x4, p8, levels = self.features(image)
        classes = self.classes(levels)
        if head == "masks":
            joined = torch.cat([self.boxes(levels), classes, self.coefficients(levels)], 1)
            return joined, self.prototypes(x4, p8)
        if head == "keypoints":
            keypoints = self.refined(x4, p8, levels).transpose(1, 2)
            return torch.cat([self.boxes(levels), classes, keypoints], 1),
        if head == "turned":
            turned = self.turned(levels)
            return torch.cat([turned[:, :-1], classes, turned[:, -1:]], 1),
        outputs = {"classes": classes, "boxes": self.boxes(levels), "coefficients": self.coefficients(levels),
                   "turned": self.turned(levels)}
        outputs = {name: values.transpose(1, 2) for name, values in outputs.items()}
        return {**outputs, "keypoints": self.refined(x4, p8, levels), "prototypes": self.prototypes(x4, p8)}

    def features(self, image):
        """Of strides 4 and 8, and what the heads are given of both levels."""
        x4, *levels = self.trunk(image)
        return x4, levels[0], [smooth(x) for smooth, x in zip(self.smooth, levels)]

    def refined(self, x4, p8, levels):
        """Keypoints (B, A, 12) as decode_keypoints reads them, moved if there is a refiner."""
        raw = self.keypoints(levels).transpose(1, 2)
        if not self.refiner:
            return raw
        places, visibility = raw.reshape(-1, ANCHORS, len(KEYPOINTS), 3).split((2, 1), 3)
        places = self.refiner.moves(*self.refiner.read(x4, p8, levels), places)[-1]
        return torch.cat([places, visibility], 3).reshape(-1, ANCHORS, 3 * len(KEYPOINTS))


def fuse(module):
    module.eval()
    for part in module.modules():
        if isinstance(part, ConvBNReLU):
            part.fuse()


class OneHead(nn.Module):
    """The part of the network that a head needs."""

    def __init__(self, model, head):
        super().__init__()
        self.model, self.head = model, head

    def forward(self, image):
        return self.model(image, self.head)


def make_points():
    """Anchors (A, 2) in pixels, on the centres of cells, and their strides (A,)."""
    points, strides = [], []
    for stride in STRIDES:
        cells = torch.arange(IMAGE_SIZE // stride) + 0.5
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        points.append(torch.stack([x.flatten(), y.flatten()], 1) * stride)
        strides.append(torch.full((cells.numel() ** 2,), float(stride)))
    return torch.cat(points), torch.cat(strides)


# --------------------------------------------------------------------------
# Decoding
# --------------------------------------------------------------------------

def decode_angle(raw):
    return (raw.sigmoid() - 0.25) * math.pi


def decode_turned(points, distances, angle):
    """Turned boxes (..., 5) of distances in pixels that turn with the box."""
    left, top, right, bottom = distances.unbind(-1)
    x, y = (right - left) / 2, (bottom - top) / 2
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([points[..., 0] + x * cos - y * sin, points[..., 1] + x * sin + y * cos,
                        left + right, top + bottom, angle], -1)


def turned_distances(points, turned):
    """The inverse: left, top, right, bottom in pixels, in the box's own frame."""
    offset, cos, sin = turned[..., :2] - points, turned[..., 4].cos(), turned[..., 4].sin()
    x = offset[..., 0] * cos + offset[..., 1] * sin
    y = offset[..., 1] * cos - offset[..., 0] * sin
    half = turned[..., 2:4] / 2
    return torch.stack([half[..., 0] - x, half[..., 1] - y, half[..., 0] + x, half[..., 1] + y], -1)


def decode_keypoints(points, strides, raw):
    """(..., K, 3): x, y in pixels and the logit of visibility; (2 v + cell) * stride, cell = anchor / stride - 0.5."""
    raw = raw.unflatten(-1, (len(KEYPOINTS), 3))
    place = points[..., None, :] + (2 * raw[..., :2] - 0.5) * strides[..., None, None]
    return torch.cat([place, raw[..., 2:]], -1)


def sides(logits):
    return logits.unflatten(-1, (4, REG_MAX + 1))


# --------------------------------------------------------------------------
# Assignment and losses
# --------------------------------------------------------------------------

def assign(points, strides, turned, labels):
    """Match anchors to objects, (B, A): the index of the object, -1 for background.

    An object belongs to one level, by its length. Its positives are the anchors of that level inside its turned box
    (taken as at least 1.5 strides wide) and within CENTER_RADIUS strides of the centre. Of two objects the smaller wins.
    """
    length = turned[..., 2:4].amax(-1)
    level_stride = torch.where(length < LENGTH_SPLIT, *map(float, STRIDES))
    wide = torch.cat([turned[..., :2], torch.maximum(turned[..., 2:4], 1.5 * level_stride[..., None]), turned[..., 4:]], -1)
    inside = (turned_distances(points[None, :, None], wide[:, None]) > 0).all(-1)             # B, A, N
    near = (points[None, :, None] - turned[:, None, :, :2]).abs() < CENTER_RADIUS * strides[None, :, None, None]
    same_level = strides[None, :, None] == level_stride[:, None]
    candidate = inside & near.all(-1) & same_level & (labels >= 0)[:, None]
    area = torch.where(candidate, turned[..., 2:4].prod(-1)[:, None], torch.tensor(math.inf))
    smallest, index = area.min(-1)
    return torch.where(smallest.isfinite(), index, -1)


def gaussian(turned):
    """Covariance a, b, c of a box: w^2 / 12 and h^2 / 12 along its axes."""
    wide, high = turned[:, 2] ** 2 / 12, turned[:, 3] ** 2 / 12
    cos, sin = turned[:, 4].cos(), turned[:, 4].sin()
    return wide * cos ** 2 + high * sin ** 2, wide * sin ** 2 + high * cos ** 2, (wide - high) * sin * cos


def prob_iou(a, b):
    """1 - Hellinger's distance of the boxes' Gaussians (Llerena et al., 2021), row by row."""
    (a1, b1, c1), (a2, b2, c2) = gaussian(a), gaussian(b)
    first, second, mixed = a1 + a2, b1 + b2, c1 + c2
    determinant = (first * second - mixed ** 2).clamp(min=1e-3)
    x, y = a[:, 0] - b[:, 0], a[:, 1] - b[:, 1]
    distance = (first * y ** 2 + second * x ** 2 - 2 * mixed * x * y) / (4 * determinant)
    own = (a[:, 2] * a[:, 3] * b[:, 2] * b[:, 3]).clamp(min=1e-3) / 144
    distance = distance + 0.5 * torch.log(determinant / (4 * own))
    return 1 - (1 - torch.exp(-distance.clamp(1e-4, 50))).sqrt()


def place_loss(pred, target, area, sigma):
    """1 - OKS, and the distance itself, of points (..., 4, 2)."""
    square = ((pred - target) ** 2).sum(-1) / area[..., None]
    return (1 - torch.exp(-square / (2 * (2 * sigma) ** 2))) + 2.0 * (square + 1e-4).sqrt()


def keypoint_loss(pred, target, area):
    """The loss of the places with sigmas twice as large, and cross entropy of visibility."""
    place = place_loss(pred[..., :2], target[..., :2], area, 2 * SIGMA)
    visible = F.binary_cross_entropy_with_logits(pred[..., 2], (target[..., 2] == 2).float(), reduction="none")
    return (place + 0.2 * visible).mean(-1)


def mask_loss(coefficients, prototypes, ids, boxes, numbers):
    """Mean cross entropy of the pixels in each box, plus Dice, after interpolation to the image's pixels."""
    logits = torch.einsum("pc,pchw->phw", coefficients, prototypes)
    logits = F.interpolate(logits[:, None], scale_factor=PROTO_STRIDE, mode="bilinear", align_corners=False)[:, 0]
    target = (ids == numbers[:, None, None]).float()
    pixel = torch.arange(IMAGE_SIZE)
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    inside = (pixel[None, :, None] >= low) & (pixel[None, :, None] < high)          # P, pixels, x and y
    inside = (inside[:, None, :, 0] & inside[:, :, None, 1]).float()
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * inside
    found = logits.sigmoid() * inside
    dice = 1 - (2 * (found * target).sum((1, 2)) + 1) / (found.sum((1, 2)) + target.sum((1, 2)) + 1)
    return entropy.sum((1, 2)) / inside.sum((1, 2)) + 0.5 * dice


def pond_loss(outputs, points, strides, batch):
    """Losses by name, to be added. Box terms are weighted by the predicted score, as in GFL."""
    index = assign(points, strides, batch["turned"], batch["labels"])
    image, point = (index >= 0).nonzero(as_tuple=True)
    matched = index[image, point]
    anchor, stride = points[point], strides[point]
    box, turned, label = (batch[name][image, matched] for name in ("boxes", "turned", "labels"))
    at = {name: values[image, point] for name, values in outputs.items() if name != "prototypes"}
    weight = at["classes"].detach().sigmoid().amax(-1)
    weight = weight / weight.sum().clamp(min=1.0)

    iou, giou = paired_iou(distance_to_box(anchor, expected_distance(sides(at["boxes"])) * stride[:, None]), box)
    distance = torch.cat([anchor - box[:, :2], box[:, 2:] - anchor], 1) / stride[:, None]
    overlap, turned_losses = turned_loss(at["turned"], anchor, stride, turned, weight)
    quality = torch.zeros_like(outputs["classes"])
    quality[image, point, label] = (iou.detach() + overlap.detach()).clamp(min=0) / 2
    keypoints, area = decode_keypoints(anchor, stride, at["keypoints"]), turned[:, 2:4].prod(1) * 0.5
    some = torch.randperm(len(image))[:MASK_SAMPLES]
    mask = mask_loss(at["coefficients"][some], outputs["prototypes"][image[some]], batch["ids"][image[some]], box[some],
                     matched[some] + 1)
    return {
        "cls": quality_focal_loss(outputs["classes"], quality) / max(len(image), 1),
        "box": 2.0 * ((1 - giou) * weight).sum(),
        "dfl": 0.25 * (distribution_focal_loss(sides(at["boxes"]), distance) * weight).sum(),
        **turned_losses,
        "keypoints": 2.0 * (keypoint_loss(keypoints, batch["keypoints"][image, matched], area) * weight).sum(),
        "masks": 1.5 * mask.mean(),
    }


def turned_loss(raw, anchor, stride, turned, weight):
    """ProbIoU of the boxes, and losses of the boxes, of their distributions, and of the angle."""
    angle, distribution = decode_angle(raw[:, -1]), sides(raw[:, :-1])
    overlap = prob_iou(decode_turned(anchor, expected_distance(distribution) * stride[:, None], angle), turned)
    distance = turned_distances(anchor, turned) / stride[:, None]
    return overlap, {"turned": 2.0 * ((1 - overlap) * weight).sum(),
                     "turned_dfl": 0.25 * (distribution_focal_loss(distribution, distance) * weight).sum(),
                     "angle": 2.0 * ((angle - turned[:, 4]).sin() ** 2 * weight).sum()}


def refiner_loss(model, points, strides, batch):
    """Losses of the moves by name, from the keypoints that the network found and from these again, strewn a little."""
    with torch.no_grad():       # the network stays as it is
        x4, p8, levels = model.features(batch["images"])
        raw = model.keypoints(levels).transpose(1, 2)
    index = assign(points, strides, batch["turned"], batch["labels"])
    image, point = (index >= 0).nonzero(as_tuple=True)
    turned, target = (batch[name][image, index[image, point]] for name in ("turned", "keypoints"))
    anchor, stride, area = points[point], strides[point], turned[:, 2:4].prod(1) * 0.5
    found = raw[image, point].unflatten(-1, (len(KEYPOINTS), 3))[..., :2]
    most = JITTER * area.sqrt() / (2 * stride)
    strewn = found + torch.randn_like(found) * torch.rand(len(found), 1, 1) * most[:, None, None]

    # Rows of images, and each twice.
    table = rows_by_image(image, len(index))
    numbers, valid = table.repeat(1, 2), (table >= 0).repeat(1, 2)
    fine, anchors = model.refiner.read(x4, p8, levels)
    anchors = anchors.transpose(1, 2)[torch.arange(len(table))[:, None], point[numbers]].transpose(1, 2)
    moves = model.refiner.moves(fine, anchors, torch.cat([found[table], strewn[table]], 1), point[numbers])
    places = [anchor[numbers][:, :, None] + (2 * each - 0.5) * stride[numbers][:, :, None, None] for each in moves]
    losses = [place_loss(each, target[numbers][..., :2], area[numbers], SIGMA)[valid].mean() for each in places]
    return {f"move {i}": loss for i, loss in enumerate(losses)}


def rows_by_image(image, count):
    """The numbers of rows that belong to each image, (count, most of one); -1 fills it up."""
    sizes = torch.bincount(image, minlength=count)
    numbers = torch.arange(len(image))
    table = torch.full((count, int(sizes.max())), -1)
    table[image, numbers - (sizes.cumsum(0) - sizes)[image]] = numbers
    return table


def train(model, scenes, validation, args):
    """All heads together."""
    points, strides = make_points()
    fit(model, model, lambda batch: pond_loss(model(batch["images"]), points, strides, batch), scenes, validation,
        args.steps, args.batch_size, args.lr,
        lambda step: min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / args.steps))))


def train_refiner(model, scenes, validation, args):
    """The refiner of keypoints, behind the network as it is."""
    points, strides = make_points()
    fuse(model)
    model.requires_grad_(False)
    model.refiner = Refiner()
    fit(model, model.refiner, lambda batch: refiner_loss(model, points, strides, batch), scenes, validation,
        args.refiner_steps, args.batch_size, args.refiner_lr,
        lambda step: min((step + 1) / 50, 1, (args.refiner_steps - step) / (0.3 * args.refiner_steps)))
    fuse(model.refiner)


def fit(model, part, losses_of, scenes, validation, steps, batch_size, peak_lr, rate):
    """Train a part of the model."""
    parameters = list(part.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=peak_lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    order, start = torch.empty(0, dtype=torch.int64), time.time()
    model.to(memory_format=torch.channels_last)     # faster on CPU
    part.train()
    for step in range(1, steps + 1):
        if len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(scenes["images"]))])
        picked, order = order[:batch_size], order[batch_size:]
        batch = augment(scenes, picked)
        batch["images"] = batch["images"].contiguous(memory_format=torch.channels_last)
        losses = losses_of(batch)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(parameters, 10.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            parts = "  ".join(f"{name} {value.item():.3f}" for name, value in losses.items())
            print(f"step {step}/{steps}  {time.time() - start:.0f} s  {parts}", flush=True)
        if step % 500 == 0 and step < steps:
            part.eval()
            print(json.dumps(evaluate(model, validation)), flush=True)
            part.train()


# --------------------------------------------------------------------------
# Detection and measures, in float64
# --------------------------------------------------------------------------

def greedy(scores, overlaps, threshold):
    """Indices that are kept, best first; `overlaps` is the matrix of all pairs."""
    order, keep = np.argsort(-scores, kind="stable"), []
    while len(order):
        keep.append(order[0])
        order = order[1:][overlaps[order[0], order[1:]] <= threshold]
    return keep


def turned_iou(a, b):
    """IoU of turned boxes (N, 5) and (M, 5): (N, M)."""
    result = np.zeros((len(a), len(b)))
    for i, first in enumerate(a):
        for j, second in enumerate(b):
            if np.hypot(*(first[:2] - second[:2])) < (np.hypot(*first[2:4]) + np.hypot(*second[2:4])) / 2:
                kind, polygon = cv2.rotatedRectangleIntersection(*(
                    (tuple(map(float, box[:2])), tuple(map(float, box[2:4])), math.degrees(box[4])) for box in (first, second)))
                both = cv2.contourArea(polygon) if kind else 0.0
                result[i, j] = both / (first[2] * first[3] + second[2] * second[3] - both)
    return result


def make_mask(coefficients, prototypes, box):
    """Where the interpolated logit is over 0, in the box: (H, W) of bool."""
    logits = torch.einsum("c,chw->hw", torch.from_numpy(coefficients), torch.from_numpy(prototypes))
    logits = F.interpolate(logits[None, None], scale_factor=PROTO_STRIDE, mode="bilinear", align_corners=False)[0, 0].numpy()
    x = np.arange(IMAGE_SIZE)
    columns, rows = ((x >= box[i]) & (x < box[i + 2]) for i in (0, 1))
    return (logits > 0) & rows[:, None] & columns


@torch.no_grad()
def detect(model, images):
    """For each image what was found, by head: dicts of boxes or turned boxes, scores, labels, and masks or keypoints."""
    points, strides = (values.double() for values in make_points())
    bins = torch.arange(REG_MAX + 1.0, dtype=torch.float64)
    found = []
    for chunk in images.split(50):
        outputs = {name: values.double() for name, values in model(chunk.float() / 255.0).items()}
        boxes = distance_to_box(points, sides(outputs["boxes"]).softmax(-1) @ bins * strides[:, None]).clamp(0, IMAGE_SIZE)
        distances = sides(outputs["turned"][..., :-1]).softmax(-1) @ bins * strides[:, None]
        turned = decode_turned(points, distances, decode_angle(outputs["turned"][..., -1]))
        keypoints = decode_keypoints(points, strides, outputs["keypoints"])
        scores, labels = outputs["classes"].sigmoid().max(-1)
        for values in zip(*(v.numpy() for v in (boxes, turned, keypoints, scores, labels, outputs["coefficients"],
                                                outputs["prototypes"]))):
            found.append(detect_image(*values))
    return found


def detect_image(boxes, turned, keypoints, scores, labels, coefficients, prototypes):
    rows = (scores > SCORE_THRESHOLD).nonzero()[0]
    rows = rows[np.argsort(-scores[rows], kind="stable")][:100]
    other = labels[rows][:, None] != labels[rows]
    upright = rows[greedy(scores[rows], np.where(other, 0, iou_matrix(boxes[rows], boxes[rows])), NMS_IOU)]
    leaning = rows[greedy(scores[rows], np.where(other, 0, turned_iou(turned[rows], turned[rows])), NMS_IOU)]
    common = {"boxes": boxes[upright], "scores": scores[upright], "labels": labels[upright]}
    masks = np.array([make_mask(coefficients[row], prototypes, boxes[row]) for row in upright])
    return {"masks": {**common, "masks": masks.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)},
            "keypoints": {**common, "keypoints": keypoints[upright]},
            "turned": {"boxes": turned[leaning], "scores": scores[leaning], "labels": labels[leaning]}}


def truth_of(scenes, i):
    objects = (scenes["labels"][i] >= 0).nonzero()[:, 0]
    truth = {name: scenes[name][i][objects].numpy().astype(np.float64) for name in ("boxes", "turned", "keypoints")}
    numbers = objects.numpy() + 1
    masks = scenes["ids"][i].numpy() == numbers[:, None, None]
    return {**truth, "labels": scenes["labels"][i][objects].numpy(), "masks": masks}


def likeness(head, found, truth):
    """Mask IoU, OKS or IoU of the turned boxes, of each found with each true object."""
    if head == "turned":
        return turned_iou(found["boxes"], truth["turned"])
    masks = truth["masks"].reshape(-1, IMAGE_SIZE ** 2).astype(np.float64)
    if head == "masks":
        own = found["masks"].reshape(-1, IMAGE_SIZE ** 2).astype(np.float64)
        both = own @ masks.T
        return both / (own.sum(1)[:, None] + masks.sum(1) - both)
    square = ((found["keypoints"][:, None, :, :2] - truth["keypoints"][None, :, :, :2]) ** 2).sum(-1)
    return np.exp(-square / (2 * (2 * SIGMA) ** 2 * masks.sum(1)[None, :, None])).mean(-1)


def matches(likeness_matrix, same_class, threshold):
    """For each found object, best first, the true one that it takes, or -1."""
    taken = np.full(len(likeness_matrix), -1)
    free = np.ones(likeness_matrix.shape[1], bool)
    for row, values in enumerate(likeness_matrix):
        values = np.where(free & same_class[row], values, -1)
        if len(values) and values.max() >= threshold:
            taken[row] = values.argmax()
            free[taken[row]] = False
    return taken


def average_precision(scores, hits, objects):
    """All-point interpolated."""
    hits = hits[np.argsort(-scores, kind="stable")]
    recall, precision = np.cumsum(hits) / max(objects, 1), np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * np.maximum.accumulate(precision[::-1])[::-1]))


def likeness_of_objects(head, found, truth):
    """For each true object its likeness to what was found of it with SHOWN_SCORE, by the IoU of boxes; None where nothing was."""
    shown = found["scores"] >= SHOWN_SCORE
    pairs = likeness(head, found, truth)[shown]
    by_box = pairs if head == "turned" else iou_matrix(found["boxes"], truth["boxes"])[shown]
    taken = matches(by_box, found["labels"][shown][:, None] == truth["labels"], FOUND_IOU)
    result = [None] * len(truth["labels"])
    for row, index in enumerate(taken):
        if index >= 0:
            result[index] = float(pairs[row, index])
    return result


def measure(head, results, truths):
    """Mean likeness of the objects found, how many, and AP over thresholds of likeness."""
    thresholds = np.arange(10) * 0.05 + 0.5
    scores, labels, hits, found_likeness, objects = [], [], [], [], np.zeros(len(CLASSES))
    for found, truth in zip(results, truths):
        found = found[head]
        pairs = likeness(head, found, truth)
        same = found["labels"][:, None] == truth["labels"]
        scores.append(found["scores"])
        labels.append(found["labels"])
        hits.append(np.stack([matches(pairs, same, t) >= 0 for t in thresholds], 1))
        objects += np.bincount(truth["labels"], minlength=len(CLASSES))
        found_likeness += [value for value in likeness_of_objects(head, found, truth) if value is not None]
    scores, labels, hits = np.concatenate(scores), np.concatenate(labels), np.concatenate(hits)
    ap = np.array([[average_precision(scores[labels == c], hits[labels == c, t], objects[c]) for t in range(10)]
                   for c in range(len(CLASSES))])
    return {"mean": round(float(np.mean(found_likeness)) if found_likeness else 0.0, 4), "found": len(found_likeness),
            "objects": int(objects.sum()), "ap": round(float(ap.mean()), 4), "ap50": round(float(ap[:, 0].mean()), 4),
            "ap50_by_class": {name: round(float(v), 4) for name, v in zip(CLASSES, ap[:, 0])}}


def evaluate(model, scenes):
    results = detect(model, scenes["images"])
    truths = [truth_of(scenes, i) for i in range(len(results))]
    return {head: measure(head, results, truths) for head in HEADS}


def measure_examples(model, scenes):
    """By head and example pond: the likeness of each annotation, in their order."""
    results = detect(model, scenes["images"][list(EXAMPLE_SCENES)])
    truths = [truth_of(scenes, i) for i in EXAMPLE_SCENES]
    return {head: [[value and round(value, 4) for value in likeness_of_objects(head, found[head], truth)]
                   for found, truth in zip(results, truths)] for head in HEADS}


# --------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------

def output_names(head):
    return ["output0", "output1"] if head == "masks" else ["output0"]


def varint(number):
    return bytes([number]) if number < 128 else bytes([number % 128 + 128]) + varint(number // 128)


def field(number, payload):
    return varint(number * 8 + 2) + varint(len(payload)) + payload


def metadata_of(head):
    """What Ultralytics' exports say of themselves, as far as it is true of these."""
    metadata = {"description": f"densehead example: {head} of ponds", "task": HEADS[head], "stride": str(max(STRIDES)),
                "batch": "1", "imgsz": str([IMAGE_SIZE, IMAGE_SIZE]), "names": str(dict(enumerate(CLASSES)))}
    return {**metadata, "kpt_shape": str([len(KEYPOINTS), 3])} if head == "keypoints" else metadata


def export_onnx(model, head, path):
    names = output_names(head)
    axes = {name: {0: "batch"} for name in ["images"] + names}
    opset = 16 if head == "keypoints" else 13       # the first that has GridSample
    torch.onnx.export(OneHead(model, head), torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE), str(path), opset_version=opset,
                      input_names=["images"], output_names=names, dynamic_axes=axes)
    entries = (field(1, key.encode()) + field(2, value.encode()) for key, value in metadata_of(head).items())
    with path.open("ab") as file:       # metadata_props is field 14 of the model, and fields may come in any order
        file.write(b"".join(field(14, entry) for entry in entries))


def run_lengths(mask):
    """COCO's compressed run lengths: column by column, zeros first."""
    pixels = np.concatenate([[0], mask.T.ravel().astype(np.int8), [-1]])
    counts = np.diff(np.concatenate([[0], np.diff(pixels).nonzero()[0]])).tolist()
    text = ""
    for i, count in enumerate(counts):
        value, more = count - counts[i - 2] if i > 2 else count, True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return {"size": list(mask.shape), "counts": text}


@torch.no_grad()
def write_examples(model, scenes, out):
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    keypoint_categories = [{**category, "keypoints": list(KEYPOINTS), "skeleton": [[1, 2], [1, 3], [2, 4], [3, 4]]}
                           for category in categories]
    upright = {"images": [], "annotations": [], "categories": keypoint_categories}
    turned = {"images": [], "annotations": [], "categories": categories}
    for image_id, scene in enumerate(EXAMPLE_SCENES, 1):
        path = out / f"pond{image_id}.png"
        Image.fromarray(scenes["images"][scene].permute(1, 2, 0).numpy()).save(path, optimize=True)
        for head in HEADS:
            write_outputs(model, head, path)
        image = {"id": image_id, "file_name": path.name, "width": IMAGE_SIZE, "height": IMAGE_SIZE}
        for coco, annotations in zip((upright, turned), coco_annotations(truth_of(scenes, scene), image_id)):
            coco["images"].append(image)
            first = len(coco["annotations"]) + 1
            coco["annotations"] += [{"id": first + i, **annotation} for i, annotation in enumerate(annotations)]
    (out / "ponds.coco.json").write_text(json.dumps(upright, indent=2) + "\n")
    (out / "ponds.turned.coco.json").write_text(json.dumps(turned, indent=2) + "\n")


def write_outputs(model, head, image_path):
    """Raw outputs of a head for a PNG as saved."""
    pixels = torch.from_numpy(np.array(Image.open(image_path).convert("RGB"))).permute(2, 0, 1)
    outputs = model(pixels[None].float() / 255.0, head)
    metadata = {"head": "yolov8", "image_size": f"{IMAGE_SIZE},{IMAGE_SIZE}", "classes": ",".join(CLASSES),
                "image": image_path.name}
    path = image_path.with_suffix(f".{head}.safetensors")
    write_safetensors(path, dict(zip(output_names(head), outputs)), metadata)


def coco_annotations(truth, image_id):
    """Two lists: boxes, masks and keypoints; and turned boxes."""
    upright, turned = [], []
    for box, turned_box, keypoints, label, mask in zip(*(truth[name] for name in (
            "boxes", "turned", "keypoints", "labels", "masks"))):
        common = {"image_id": image_id, "category_id": int(label) + 1, "iscrowd": 0}
        corners = [int(v) for v in box]
        upright.append({**common, "bbox": [*corners[:2], corners[2] - corners[0], corners[3] - corners[1]],
                        "area": int(mask.sum()), "segmentation": run_lengths(mask),
                        "keypoints": [round(float(v), 2) if i % 3 < 2 else int(v) for i, v in enumerate(keypoints.ravel())],
                        "num_keypoints": len(KEYPOINTS)})
        turned.append({**common, "bbox": [round(float(v), 4) for v in turned_box],
                       "area": round(float(turned_box[2] * turned_box[3]), 2)})
    return upright, turned


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2800)
    parser.add_argument("--refiner-steps", type=int, default=2400)
    parser.add_argument("--batch-size", type=int, default=24)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--refiner-lr", type=float, default=4e-3)
    parser.add_argument("--train-scenes", type=int, default=4000)
    parser.add_argument("--eval-scenes", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    return parser.parse_args()


def main():
    args = parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(TRAIN_SEED)
    args.out.mkdir(parents=True, exist_ok=True)

    start = time.time()
    scenes, validation = make_scenes(args.train_scenes, TRAIN_SEED), make_scenes(100, VALIDATION_SEED)
    held_out = make_scenes(args.eval_scenes, HELD_OUT_SEED)
    print(f"drew all ponds in {time.time() - start:.0f} s", flush=True)

    model, seconds = PondNet(), {}
    for name, phase in {"all": train, "refiner": train_refiner}.items():
        start = time.time()
        phase(model, scenes, validation, args)
        seconds[name] = round(time.time() - start)

    model.to(memory_format=torch.contiguous_format)
    metrics, examples = evaluate(model, held_out), measure_examples(model, held_out)
    for head in HEADS:
        metrics[head]["examples"] = examples[head]
        path = args.out / f"{head}.onnx"
        export_onnx(model, head, path)
        metrics[head]["onnx_bytes"] = path.stat().st_size
    write_examples(model, held_out, args.out)
    metrics["eval"] = {"scenes": args.eval_scenes, "seed": HELD_OUT_SEED, "score_threshold": SCORE_THRESHOLD,
                       "nms_iou": NMS_IOU, "shown_score": SHOWN_SCORE, "found_iou": FOUND_IOU, "keypoint_sigma": SIGMA,
                       "example_scenes": list(EXAMPLE_SCENES)}
    metrics["train"] = {"scenes": args.train_scenes, "seed": TRAIN_SEED, "batch_size": args.batch_size,
                        "steps": {"all": args.steps, "refiner": args.refiner_steps}, "seconds": seconds}
    metrics["parameters"] = sum(p.numel() for p in model.parameters())
    metrics["torch"] = torch.__version__
    (args.out / "heads_metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
