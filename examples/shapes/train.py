"""Train a tiny GFL shape detector and write the files of this example.

The script draws its own scenes (circles, squares, triangles and stars on
cluttered backgrounds), trains an anchor-free convolutional detector with the
losses of Generalized Focal Loss (Li et al., 2020), measures AP50 on held-out
scenes and writes, next to itself:

    shapes.onnx               the network: image in, raw head logits out
    metrics.json              AP50, sizes and settings of the run
    scenes.coco.json          ground truth of the three example scenes
    scene1..3.png             the example scenes
    scene1..3.safetensors     raw head outputs for those PNGs

Run it with Python 3, PyTorch, NumPy and Pillow (CPU only, about 15 minutes):

    python3 train.py
    python3 train.py --steps 200 --train-scenes 500 --out /tmp/shapes   # quick check

The head: two levels of stride 8 and 16. The anchor point of cell (x, y) is
(x * stride, y * stride). Each side of a box (left, top, right, bottom) is a
distribution over 8 bins with values 0..7, in units of the stride.
"""

import argparse
import colorsys
import json
import math
import struct
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter
from torch.nn.utils.fusion import fuse_conv_bn_eval

CLASSES = ("circle", "square", "triangle", "star")
IMAGE_SIZE = 160
MAX_OBJECTS = 6
SHAPE_SIZES = (14, 70)       # pixels
STRIDES = (8, 16)
REG_MAX = 7                 # bins 0..7 on each side
SIZE_SPLIT = 36.0           # longest side, pixels: below goes to stride 8
CENTER_RADIUS = 1.25        # positives lie this many strides from the centre
OUTPUTS = tuple(f"{kind}_s{s}" for kind in ("cls", "reg") for s in STRIDES)

TRAIN_SEED = 1
VALIDATION_SEED = 3         # watched during training
HELD_OUT_SEED = 2           # measured once, at the end
EXAMPLE_SCENES = (21, 33, 47)  # held-out scenes saved as PNG, picked for looks

SCORE_THRESHOLD = 0.05
NMS_IOU = 0.6


# --------------------------------------------------------------------------
# Scenes
# --------------------------------------------------------------------------

def random_color(rng, saturation=(0.0, 1.0), value=(0.1, 1.0)):
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return np.array(rgb) * 255.0


def to_fill(color):
    return tuple(int(c) for c in np.clip(color, 0, 255))


def linear_ramp(rng, height, width):
    """Values 0..1 that rise in a random direction."""
    angle = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:height, 0:width]
    ramp = x * math.cos(angle) + y * math.sin(angle)
    return (ramp - ramp.min()) / max(np.ptp(ramp), 1e-6)


def smooth_noise(rng, cells):
    """Values 0..1 of low-frequency noise with the given number of cells."""
    coarse = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize((IMAGE_SIZE, IMAGE_SIZE), Image.BICUBIC)) / 255.0


def blend(ramp, first, second):
    pixels = first + ramp[..., None] * (second - first)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def draw_blob(rng, image):
    """A soft, irregular patch: clutter, never one of the four shapes."""
    center, radius = rng.uniform(0, IMAGE_SIZE, 2), rng.uniform(6, 34)
    angles = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    radii = radius * rng.uniform(0.35, 1.3, 14)
    points = center + np.stack([np.cos(angles), 0.7 * np.sin(angles)], 1) * radii[:, None]
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in points], fill=int(rng.uniform(70, 230)))
    mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 5.0)))
    image.paste(to_fill(random_color(rng)), mask=mask)


def draw_stroke(rng, draw):
    """A line, an open arc, a zigzag or a cross."""
    color, width = to_fill(random_color(rng)), int(rng.integers(1, 5))
    kind = rng.integers(4)
    x, y = rng.uniform(0, IMAGE_SIZE, 2)
    length = rng.uniform(8, 60)
    if kind == 0:
        draw.line([x, y, *rng.uniform(0, IMAGE_SIZE, 2)], fill=color, width=width)
    elif kind == 1:
        start = rng.uniform(0, 360)
        end = start + rng.uniform(40, 240)
        draw.arc([x, y, x + length, y + length], start, end, fill=color, width=width)
    elif kind == 2:
        steps = rng.uniform(-length / 3, length / 3, (5, 2)).cumsum(0) + (x, y)
        draw.line([tuple(p) for p in steps], fill=color, width=width)
    else:
        turn = rng.uniform(0, math.pi / 2)
        for angle in (turn, turn + math.pi / 2):
            dx, dy = length / 4 * math.cos(angle), length / 4 * math.sin(angle)
            draw.line([x - dx, y - dy, x + dx, y + dy], fill=color, width=width)


def draw_background(rng):
    saturation, value = (0.0, 0.7), (0.1, 0.95)
    first, second = random_color(rng, saturation, value), random_color(rng, saturation, value)
    if rng.random() < 0.5:
        ramp = linear_ramp(rng, IMAGE_SIZE, IMAGE_SIZE)
    else:
        ramp = smooth_noise(rng, int(rng.integers(3, 13)))
    image = blend(ramp, first, second)
    for _ in range(rng.integers(0, 6)):
        draw_blob(rng, image)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 11)):
        draw_stroke(rng, draw)
    return image


def unit_outline(rng, name):
    """Vertices of a shape around the origin, randomly turned."""
    if name == "circle":
        count, radii, turn = 72, np.ones(72), 0.0
    elif name == "square":
        count, radii, turn = 4, np.ones(4), math.pi / 4 + rng.uniform(-0.4, 0.4)
    elif name == "triangle":
        count, radii, turn = 3, np.ones(3), rng.uniform(0, 2 * math.pi)
    else:
        inner = rng.uniform(0.40, 0.52)
        count, radii, turn = 10, np.tile([1.0, inner], 5), rng.uniform(0, 2 * math.pi)
    angles = turn + np.arange(count) * 2 * math.pi / count
    return np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]


def rasterize(points, side, scale=4):
    """Antialiased mask of a polygon and its tight box, both in a side x side patch."""
    fine = Image.new("L", (side * scale, side * scale))
    ImageDraw.Draw(fine).polygon([tuple(p * scale - 0.5) for p in points], fill=255)
    return fine.reduce(scale), np.array(fine.getbbox()) / scale


def contrasting_color(rng, local_color):
    for _ in range(20):
        color = random_color(rng, (0.25, 1.0), (0.3, 1.0))
        if np.linalg.norm(color - local_color) > 80:
            break
    return color


def overlaps_too_much(box, others):
    for other in others:
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, other)]
        if width > 0 and height > 0 and width * height > 0.3 * min(areas):
            return True
    return False


def draw_shape(rng, image, name, boxes):
    """Draw one shape at a free place; return its tight box, or None if there is none."""
    outline = unit_outline(rng, name)
    size = math.exp(rng.uniform(*np.log(SHAPE_SIZES)))
    outline = outline * size / np.ptp(outline, axis=0).max()
    side = 2 * math.ceil(np.abs(outline).max()) + 4
    for _ in range(20):
        corner = rng.integers(-4, IMAGE_SIZE - side + 5, 2)
        points = outline + side / 2 + rng.uniform(-0.5, 0.5, 2)
        mask, local_box = rasterize(points, side)
        box = local_box + np.tile(corner, 2)
        if box.min() >= 1 and box.max() <= IMAGE_SIZE - 1 and not overlaps_too_much(box, boxes):
            paint_shape(rng, image, points, mask, side, corner)
            return box
    return None


def paint_shape(rng, image, points, mask, side, corner):
    x, y = (int(c) for c in corner)
    local = np.asarray(image.crop((x, y, x + side, y + side)), dtype=np.float64)
    color = contrasting_color(rng, local.reshape(-1, 3).mean(0))
    shade = color * rng.uniform(0.65, 1.0)
    patch = blend(linear_ramp(rng, side, side), color, shade)
    if rng.random() < 0.4:
        border = color * 0.35 if rng.random() < 0.5 else color + (255 - color) * 0.75
        inside = (points - side / 2) * rng.uniform(0.72, 0.88) + side / 2
        inner_mask, _ = rasterize(inside, side)
        patch = Image.composite(patch, Image.new("RGB", patch.size, to_fill(border)), inner_mask)
    image.paste(patch, (x, y), mask)


def draw_scene(rng):
    """One scene: uint8 pixels (3, H, W), boxes (N, 4) xyxy and labels (N,)."""
    image = draw_background(rng)
    boxes, labels = [], []
    for _ in range(rng.integers(1, MAX_OBJECTS + 1)):
        label = int(rng.integers(len(CLASSES)))
        box = draw_shape(rng, image, CLASSES[label], boxes)
        if box is not None:
            boxes.append(box)
            labels.append(label)
    pixels = np.asarray(image, dtype=np.float32)
    pixels = pixels + rng.normal(0, rng.uniform(0, 10), pixels.shape)
    pixels = np.clip(np.round(pixels), 0, 255).astype(np.uint8).transpose(2, 0, 1)
    return pixels, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)


def make_scenes(count, seed):
    """Scenes as tensors; unused object slots carry label -1."""
    images = torch.zeros(count, 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    boxes = torch.zeros(count, MAX_OBJECTS, 4)
    labels = torch.full((count, MAX_OBJECTS), -1, dtype=torch.int64)
    for i in range(count):
        pixels, scene_boxes, scene_labels = draw_scene(np.random.default_rng([seed, i]))
        images[i] = torch.from_numpy(pixels)
        boxes[i, : len(scene_boxes)] = torch.from_numpy(scene_boxes)
        labels[i, : len(scene_labels)] = torch.from_numpy(scene_labels)
    return images, boxes, labels


def augment(images, boxes):
    """Random flips, transposition, channel order and brightness, per image."""
    batch = len(images)
    images, boxes = images.float() / 255.0, boxes.clone()
    flip_x, flip_y, swap = (torch.rand(batch) < 0.5 for _ in range(3))
    images[flip_x] = images[flip_x].flip(3)
    boxes[flip_x] = boxes[flip_x][..., [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]) \
        + torch.tensor([IMAGE_SIZE, 0, IMAGE_SIZE, 0])
    images[flip_y] = images[flip_y].flip(2)
    boxes[flip_y] = boxes[flip_y][..., [0, 3, 2, 1]] * torch.tensor([1, -1, 1, -1]) \
        + torch.tensor([0, IMAGE_SIZE, 0, IMAGE_SIZE])
    images[swap] = images[swap].transpose(2, 3)
    boxes[swap] = boxes[swap][..., [1, 0, 3, 2]]
    order = torch.rand(batch, 3).argsort(1)
    images = images[torch.arange(batch)[:, None], order]
    gain = torch.empty(batch, 1, 1, 1).uniform_(0.8, 1.2)
    return (images * gain).clamp(0, 1), boxes


# --------------------------------------------------------------------------
# Network
# --------------------------------------------------------------------------

class ConvBNReLU(nn.Module):
    def __init__(self, c_in, c_out, kernel=3, stride=1, groups=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c_out)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))

    def fuse(self):
        """Fold the batch normalisation into the convolution."""
        self.conv, self.bn = fuse_conv_bn_eval(self.conv, self.bn), nn.Identity()


class SeparableConv(nn.Module):
    """5x5 depthwise, then 1x1; a residual sum where the shapes allow it."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = ConvBNReLU(c_in, c_in, 5, stride, groups=c_in, act=False)
        self.pointwise = ConvBNReLU(c_in, c_out, 1)
        self.residual = c_in == c_out and stride == 1

    def forward(self, x):
        y = self.pointwise(self.depthwise(x))
        return x + y if self.residual else y


class LevelHead(nn.Module):
    """Class logits (B, C, H, W) and side distribution logits (B, 4 * bins, H, W)."""

    def __init__(self, channels):
        super().__init__()
        self.smooth = SeparableConv(channels, channels)
        self.cls_tower = SeparableConv(channels, channels)
        self.reg_tower = SeparableConv(channels, channels)
        self.cls = nn.Conv2d(channels, len(CLASSES), 1)
        self.reg = nn.Conv2d(channels, 4 * (REG_MAX + 1), 1)
        nn.init.normal_(self.cls.weight, std=0.01)
        nn.init.constant_(self.cls.bias, -math.log(99.0))   # prior score 0.01

    def forward(self, x):
        x = self.smooth(x)
        return self.cls(self.cls_tower(x)), self.reg(self.reg_tower(x))


class ShapeDetector(nn.Module):
    def __init__(self, c4=24, c8=48, c16=72):
        super().__init__()
        self.stem = ConvBNReLU(3, 16, 3, stride=2)
        self.stage4 = nn.Sequential(ConvBNReLU(16, c4, 3, stride=2), SeparableConv(c4, c4))
        self.stage8 = nn.Sequential(ConvBNReLU(c4, c8, 3, stride=2),
                                    SeparableConv(c8, c8), SeparableConv(c8, c8))
        self.stage16 = nn.Sequential(SeparableConv(c8, c16, stride=2),
                                     SeparableConv(c16, c16), SeparableConv(c16, c16),
                                     SeparableConv(c16, c16))
        self.lateral8 = ConvBNReLU(c8, c8, 1)
        self.lateral16 = ConvBNReLU(c16, c8, 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.head8, self.head16 = LevelHead(c8), LevelHead(c8)

    def forward(self, image):
        """Return the logits in the order of OUTPUTS."""
        x8 = self.stage8(self.stage4(self.stem(image)))
        p16 = self.lateral16(self.stage16(x8))
        p8 = self.lateral8(x8) + self.upsample(p16)
        (cls8, reg8), (cls16, reg16) = self.head8(p8), self.head16(p16)
        return cls8, cls16, reg8, reg16

    def fuse(self):
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvBNReLU):
                module.fuse()
        return self


def make_points():
    """Anchor points (P, 2) in pixels and their strides (P,), stride 8 first."""
    points, strides = [], []
    for stride in STRIDES:
        cells = torch.arange(IMAGE_SIZE // stride)
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        points.append(torch.stack([x.flatten(), y.flatten()], 1).float() * stride)
        strides.append(torch.full((cells.numel() ** 2,), float(stride)))
    return torch.cat(points), torch.cat(strides)


def flatten_outputs(outputs):
    """Logits as (B, P, C) and (B, P, 4, bins), in the order of make_points."""
    cls = torch.cat([o.flatten(2).transpose(1, 2) for o in outputs[:2]], 1)
    reg = torch.cat([o.flatten(2).transpose(1, 2) for o in outputs[2:]], 1)
    return cls, reg.unflatten(2, (4, REG_MAX + 1))


def expected_distance(reg_logits):
    """Mean of each side's distribution, in units of the stride."""
    return reg_logits.softmax(-1) @ torch.arange(REG_MAX + 1.0)


def distance_to_box(points, distance):
    return torch.cat([points - distance[..., :2], points + distance[..., 2:]], -1)


# --------------------------------------------------------------------------
# Assignment and losses
# --------------------------------------------------------------------------

def assign(points, strides, boxes, labels):
    """Match points to objects by size and centre distance.

    An object belongs to one level, by its longest side. Its positives are the
    points of that level inside the box and within CENTER_RADIUS strides of the
    centre. A point claimed twice goes to the smaller box.
    Returns the index of the matched object, (B, P), -1 for background.
    """
    size = boxes[..., 2:] - boxes[..., :2]
    center = (boxes[..., :2] + boxes[..., 2:]) / 2
    level_stride = torch.where(size.amax(-1) < SIZE_SPLIT, *map(float, STRIDES))
    offset = (points[None, :, None] - center[:, None]).abs()               # B, P, N, 2
    near = (offset < CENTER_RADIUS * strides[None, :, None, None]).all(-1)
    inside = (offset < size[:, None] / 2).all(-1)
    same_level = strides[None, :, None] == level_stride[:, None]
    candidate = near & inside & same_level & (labels >= 0)[:, None]
    area = torch.where(candidate, size.prod(-1)[:, None], torch.tensor(math.inf))
    smallest, index = area.min(-1)
    return torch.where(smallest.isfinite(), index, -1)


def paired_iou(a, b):
    """IoU and GIoU of boxes paired row by row."""
    def area(box):
        return (box[:, 2:] - box[:, :2]).clamp(min=0).prod(1)
    intersection = area(torch.cat([torch.max(a[:, :2], b[:, :2]), torch.min(a[:, 2:], b[:, 2:])], 1))
    hull = area(torch.cat([torch.min(a[:, :2], b[:, :2]), torch.max(a[:, 2:], b[:, 2:])], 1))
    union = area(a) + area(b) - intersection
    iou = intersection / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)


def quality_focal_loss(logits, target, beta=2.0):
    weight = (target - logits.sigmoid()).abs() ** beta
    return (weight * F.binary_cross_entropy_with_logits(logits, target, reduction="none")).sum()


def distribution_focal_loss(logits, target):
    """Cross entropy to the two bins around the target, averaged over the sides."""
    target = target.clamp(0, REG_MAX - 0.01)
    low = target.long()
    high_weight = target - low
    log_p = logits.log_softmax(-1)
    loss_low = -log_p.gather(-1, low[..., None])[..., 0]
    loss_high = -log_p.gather(-1, low[..., None] + 1)[..., 0]
    return (loss_low * (1 - high_weight) + loss_high * high_weight).mean(-1)


def gfl_loss(outputs, points, strides, boxes, labels):
    """QFL + 2 GIoU + DFL / 4; box terms are weighted by the predicted score."""
    cls, reg = flatten_outputs(outputs)
    index = assign(points, strides, boxes, labels)
    image, point = (index >= 0).nonzero(as_tuple=True)
    matched = index[image, point]
    gt_box, gt_label = boxes[image, matched], labels[image, matched]
    stride, anchor, pos_reg = strides[point, None], points[point], reg[image, point]

    pred_box = distance_to_box(anchor, expected_distance(pos_reg) * stride)
    iou, giou = paired_iou(pred_box, gt_box)
    target = torch.zeros_like(cls)
    target[image, point, gt_label] = iou.detach()
    qfl = quality_focal_loss(cls, target) / max(len(image), 1)

    weight = cls.detach()[image, point].sigmoid().amax(-1)
    norm = weight.sum().clamp(min=1.0)
    distance = torch.cat([anchor - gt_box[:, :2], gt_box[:, 2:] - anchor], 1) / stride
    giou_loss = ((1 - giou) * weight).sum() / norm
    dfl = (distribution_focal_loss(pos_reg, distance) * weight).sum() / norm
    return qfl + 2.0 * giou_loss + 0.25 * dfl


def train(model, scenes, validation, steps, batch_size, peak_lr, criterion=gfl_loss):
    images, boxes, labels = scenes
    points, strides = make_points()
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
        (step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / steps))))
    order, start = torch.empty(0, dtype=torch.int64), time.time()
    model.train().to(memory_format=torch.channels_last)     # faster on CPU
    for step in range(1, steps + 1):
        if len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(images))])
        pick, order = order[:batch_size], order[batch_size:]
        batch_images, batch_boxes = augment(images[pick], boxes[pick])
        outputs = model(batch_images.contiguous(memory_format=torch.channels_last))
        loss = criterion(outputs, points, strides, batch_boxes, labels[pick])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            elapsed = time.time() - start
            print(f"step {step}/{steps}  loss {loss.item():.3f}  {elapsed:.0f} s", flush=True)
        if step % 500 == 0:
            ap50 = evaluate(model.eval(), validation)
            print(f"validation AP50 {np.mean(list(ap50.values())):.3f}", flush=True)
            model.train()


# --------------------------------------------------------------------------
# Detection and AP50
# --------------------------------------------------------------------------

def iou_matrix(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = (high - low).clip(min=0).prod(-1)
    areas = [(box[:, 2:] - box[:, :2]).prod(-1) for box in (a, b)]
    return intersection / (areas[0][:, None] + areas[1][None] - intersection)


def nms(boxes, scores):
    """Greedy suppression; indices of the boxes kept, best first."""
    order, keep = np.argsort(-scores, kind="stable"), []
    iou = iou_matrix(boxes, boxes)
    while len(order):
        keep.append(order[0])
        order = order[1:][iou[order[0], order[1:]] <= NMS_IOU]
    return keep


@torch.no_grad()
def detect(model, images):
    """Detections per image: {class: (boxes, scores)}."""
    points, strides = make_points()
    results = []
    for chunk in images.split(50):
        cls, reg = flatten_outputs(model(chunk.float() / 255.0))
        boxes = distance_to_box(points, expected_distance(reg) * strides[:, None])
        boxes = boxes.clamp(0, IMAGE_SIZE).numpy()
        for image_boxes, image_scores in zip(boxes, cls.sigmoid().numpy()):
            result = {}
            for label in range(len(CLASSES)):
                found = image_scores[:, label] > SCORE_THRESHOLD
                class_boxes, scores = image_boxes[found], image_scores[found, label]
                keep = nms(class_boxes, scores)
                result[label] = class_boxes[keep], scores[keep]
            results.append(result)
    return results


def average_precision(results, gt_boxes, gt_labels, label, iou_threshold=0.5):
    """All-point interpolated AP of one class."""
    truth = [b[l == label] for b, l in zip(gt_boxes, gt_labels)]
    used = [np.zeros(len(t), bool) for t in truth]
    detections = [(score, i, box) for i, result in enumerate(results)
                  for box, score in zip(*result[label])]
    detections.sort(key=lambda detection: -detection[0])
    hits = np.zeros(len(detections))
    for rank, (_, i, box) in enumerate(detections):
        iou = np.where(used[i], -1.0, iou_matrix(box[None], truth[i])[0])
        if len(iou) and iou.max() >= iou_threshold:
            used[i][iou.argmax()] = True
            hits[rank] = 1
    recall = np.cumsum(hits) / max(sum(map(len, truth)), 1)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def evaluate(model, scenes):
    images, boxes, labels = scenes
    results = detect(model, images)
    boxes, labels = boxes.numpy(), labels.numpy()
    return {name: average_precision(results, boxes, labels, i) for i, name in enumerate(CLASSES)}


# --------------------------------------------------------------------------
# Files
# --------------------------------------------------------------------------

def export_onnx(model, path):
    axes = {name: {0: "batch"} for name in ("image",) + OUTPUTS}
    torch.onnx.export(model, torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE), str(path), opset_version=13,
                      input_names=["image"], output_names=list(OUTPUTS), dynamic_axes=axes)


def write_safetensors(path, tensors, metadata):
    """Write float32 tensors in the order given."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@torch.no_grad()
def write_scene(model, pixels, image_path):
    """Save a scene as PNG and the head outputs for the PNG as saved."""
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(image_path, optimize=True)
    saved = torch.from_numpy(np.array(Image.open(image_path).convert("RGB"))).permute(2, 0, 1)
    outputs = model(saved[None].float() / 255.0)
    metadata = {"head": "gfl", "image_size": f"{IMAGE_SIZE},{IMAGE_SIZE}",
                "classes": ",".join(CLASSES), "image": image_path.name}
    write_safetensors(image_path.with_suffix(".safetensors"), dict(zip(OUTPUTS, outputs)), metadata)


def coco_annotations(boxes, labels, image_id, first_id):
    annotations = []
    for box, label in zip(boxes.tolist(), labels.tolist()):
        if label >= 0:
            x, y, width, height = box[0], box[1], box[2] - box[0], box[3] - box[1]
            annotations.append({"id": first_id + len(annotations), "image_id": image_id,
                                "category_id": label + 1, "bbox": [x, y, width, height],
                                "area": width * height, "iscrowd": 0})
    return annotations


def write_examples(model, scenes, out):
    images, boxes, labels = scenes
    coco = {"images": [], "annotations": [],
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]}
    for image_id, scene in enumerate(EXAMPLE_SCENES, 1):
        name = f"scene{image_id}.png"
        write_scene(model, images[scene], out / name)
        coco["images"].append({"id": image_id, "file_name": name,
                               "width": IMAGE_SIZE, "height": IMAGE_SIZE})
        coco["annotations"] += coco_annotations(boxes[scene], labels[scene], image_id,
                                                len(coco["annotations"]) + 1)
    (out / "scenes.coco.json").write_text(json.dumps(coco, indent=1) + "\n")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--train-scenes", type=int, default=6000)
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
    train_scenes = make_scenes(args.train_scenes, TRAIN_SEED)
    validation = make_scenes(100, VALIDATION_SEED)
    held_out = make_scenes(args.eval_scenes, HELD_OUT_SEED)
    print(f"drew all scenes in {time.time() - start:.0f} s", flush=True)

    start = time.time()
    model = ShapeDetector()
    train(model, train_scenes, validation, args.steps, args.batch_size, args.lr)
    train_seconds = time.time() - start

    model.fuse().to(memory_format=torch.contiguous_format)
    ap50 = evaluate(model, held_out)
    onnx_path = args.out / "shapes.onnx"
    export_onnx(model, onnx_path)
    write_examples(model, held_out, args.out)
    metrics = {
        "ap50": {**{k: round(v, 4) for k, v in ap50.items()},
                 "mean": round(float(np.mean(list(ap50.values()))), 4)},
        "eval": {"scenes": args.eval_scenes, "seed": HELD_OUT_SEED,
                 "objects": int((held_out[2] >= 0).sum()), "score_threshold": SCORE_THRESHOLD,
                 "nms_iou": NMS_IOU, "example_scenes": list(EXAMPLE_SCENES)},
        "train": {"scenes": args.train_scenes, "seed": TRAIN_SEED, "steps": args.steps,
                  "batch_size": args.batch_size, "seconds": round(train_seconds)},
        "parameters": sum(p.numel() for p in model.parameters()),
        "onnx_bytes": onnx_path.stat().st_size,
        "torch": torch.__version__,
    }
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
