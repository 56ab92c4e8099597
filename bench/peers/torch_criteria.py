"""Assignment and a training criterion in PyTorch, on dense tensors as training code has them: tasks of python_server.py."""
import math

import torch
import torch.nn.functional as F

SIDE = 8


def square_anchors(height, width, strides):
    """Of each level: boxes and strides."""
    levels = []
    for stride in strides:
        y = torch.arange(math.ceil(height / stride)) * stride
        x = torch.arange(math.ceil(width / stride)) * stride
        y, x = torch.meshgrid(y, x, indexing="ij")
        centres = torch.stack([x, y], -1).reshape(-1, 2).float()
        half = SIDE * stride / 2
        levels.append((torch.cat([centres - half, centres + half], 1), torch.full((len(centres),), float(stride))))
    return levels


def area(box):
    return (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])


def overlap_and_union(a, b):
    corners = (torch.min(a[..., 2:], b[..., 2:]) - torch.max(a[..., :2], b[..., :2])).clamp(min=0)
    overlap = corners[..., 0] * corners[..., 1]
    return overlap, area(a) + area(b) - overlap


def iou(a, b):
    overlap, union = overlap_and_union(a, b)
    return overlap / union.clamp(min=1e-6)


def atss(anchors, counts, boxes, topk=9):
    """Object of each anchor, -1 for none, and their IoU."""
    overlaps = iou(anchors[:, None], boxes[None])
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    distances = (centres[:, None] - middles[None]).pow(2).sum(-1).sqrt()
    candidates, first = [], 0
    for level in distances.split(counts):
        candidates.append(level.topk(min(topk, len(level)), dim=0, largest=False).indices + first)
        first += len(level)
    candidates = torch.cat(candidates)
    chosen = overlaps.gather(0, candidates)
    threshold = chosen.mean(0) + chosen.std(0)
    points = centres[candidates]
    margins = torch.cat([points - boxes[:, :2], boxes[:, 2:] - points], -1)
    positive = (chosen >= threshold) & (margins.min(-1).values > 0.01)
    claims = torch.full_like(overlaps, -1).scatter_(0, candidates, torch.where(positive, chosen, -torch.ones(())))
    best, index = claims.max(1)
    return torch.where(best >= 0, index, -torch.ones_like(index)), best.clamp(min=0)


def giou_loss(a, b):
    overlap, union = overlap_and_union(a, b)
    corners = torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])
    enclosing = corners[:, 0] * corners[:, 1]
    return 1 - overlap / union.clamp(min=1e-6) + (enclosing - union) / enclosing.clamp(min=1e-6)


def distribution_focal_loss(logits, target):
    left = target.long()
    left_cost = F.cross_entropy(logits, left, reduction="none")
    right_cost = F.cross_entropy(logits, left + 1, reduction="none")
    return left_cost * (left + 1 - target) + right_cost * (target - left)


def quality_focal_loss(logits, rows, labels, scores):
    """Every element with target 0, then the labels' own."""
    cost = F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits), reduction="none")
    cost = cost * logits.sigmoid().pow(2)
    own = logits[rows, labels]
    apart = (scores - own.sigmoid()).abs().pow(2)
    cost[rows, labels] = F.binary_cross_entropy_with_logits(own, scores, reduction="none") * apart
    return cost.sum()


def gfl(anchors, strides, counts, cls, dist, boxes, labels):
    """The three parts; those of boxes in units of the stride, over the sum of the weights."""
    index, _ = atss(anchors, counts, boxes)
    rows = (index >= 0).nonzero()[:, 0]
    bins = dist.shape[1] // 4
    scale = strides[rows, None]
    points = (anchors[rows, :2] + anchors[rows, 2:]) / 2 / scale
    target = boxes[index[rows]] / scale
    logits = dist[rows].reshape(-1, bins)
    sides = (logits.softmax(1) * torch.arange(bins)).sum(1).reshape(-1, 4)
    pred = torch.cat([points - sides[:, :2], points + sides[:, 2:]], 1)
    weight = cls[rows].detach().sigmoid().max(1).values
    total = weight.sum().clamp(min=1)
    quality = iou(pred.detach(), target)
    distances = torch.cat([points - target[:, :2], target[:, 2:] - points], 1).clamp(0, bins - 1 - 0.1)
    dfl = distribution_focal_loss(logits, distances.reshape(-1))
    return (
        quality_focal_loss(cls, rows, labels[index[rows]], quality) / max(len(rows), 1)
        + 2 * (giou_loss(pred, target) * weight).sum() / total
        + 0.25 * (dfl.reshape(-1, 4).mean(1) * weight).sum() / total
    )


def ciou(a, b, eps=1e-7):
    overlap, union = overlap_and_union(a, b)
    value = overlap / (union + eps)
    cover = torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])
    apart = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]).pow(2).sum(-1) / 4
    angles = [torch.atan((box[..., 2] - box[..., 0]) / (box[..., 3] - box[..., 1] + eps)) for box in (a, b)]
    aspect = (angles[0] - angles[1]).pow(2) * (4 / math.pi**2)
    with torch.no_grad():
        alpha = aspect / (aspect - value + 1 + eps)
    return value - apart / (cover.pow(2).sum(-1) + eps) - aspect * alpha


@torch.no_grad()
def align(scores, boxes, points, objects, labels, topk=10, alpha=0.5, beta=6.0):
    """Of a batch with K objects in each image: object of each anchor, whether it has one, and target scores."""
    images, count = labels.shape
    margins = torch.cat([points - objects[:, :, None, :2], objects[:, :, None, 2:] - points], -1)
    inside = margins.amin(-1) > 1e-9
    image, index, anchor = inside.nonzero(as_tuple=True)
    overlap, score = torch.zeros(inside.shape), torch.zeros(inside.shape)
    overlap[inside] = ciou(boxes[image, anchor], objects[image, index]).clamp(min=0)
    score[inside] = scores[image, anchor, labels[image, index]]
    aligned = score.pow(alpha) * overlap.pow(beta)
    best = aligned.topk(topk, -1)
    chosen = torch.zeros(inside.shape).scatter_(-1, best.indices, (best.values > 0).float())
    nearest = torch.zeros(inside.shape).scatter_(1, overlap.argmax(1, keepdim=True), 1.0)
    chosen = torch.where(chosen.sum(1, keepdim=True) > 1, nearest, chosen)
    aligned, overlap = aligned * chosen, overlap * chosen
    target = aligned * overlap.amax(-1, keepdim=True) / (aligned.amax(-1, keepdim=True) + 1e-9)
    owner = chosen.argmax(1)
    dense = torch.zeros_like(scores)
    dense.scatter_(2, labels.gather(1, owner)[..., None], target.amax(1)[..., None])
    return owner, chosen.sum(1) > 0, dense


def yolo(points, strides, cls, dist, objects, labels):
    images, anchors, _ = cls.shape
    logits = dist.reshape(images, anchors, 4, -1)
    bins = logits.shape[3]
    sides = logits.softmax(3).matmul(torch.arange(bins).float())
    boxes = torch.cat([points - sides[..., :2] * strides, points + sides[..., 2:] * strides], 2)
    owner, positive, target = align(cls.detach().sigmoid(), boxes.detach(), points, objects, labels)
    total = target.sum().clamp(min=1)
    image, anchor = positive.nonzero(as_tuple=True)
    weight, own, stride = target.sum(-1)[positive], objects[image, owner[positive]], strides[anchor]
    distances = torch.cat([points[anchor] - own[:, :2], own[:, 2:] - points[anchor]], 1) / stride
    dfl = distribution_focal_loss(logits[positive].reshape(-1, bins), distances.clamp(0, bins - 1.01).reshape(-1))
    return (
        0.5 * F.binary_cross_entropy_with_logits(cls, target, reduction="sum") / total
        + 7.5 * ((1 - ciou(boxes[positive], own)) * weight).sum() / total
        + 1.5 * (dfl.reshape(-1, 4).mean(1) * weight).sum() / total
    )


def prepare_yolo(cls, dist, boxes, labels, height, width, strides):
    levels = square_anchors(height, width, strides)
    steps = torch.cat([level[1] for level in levels])[:, None]
    points = torch.cat([(level[0][:, :2] + level[0][:, 2:]) / 2 for level in levels]) + steps / 2
    cls.requires_grad_()
    dist.requires_grad_()

    def call():
        cls.grad = dist.grad = None
        loss = yolo(points, steps, cls, dist, boxes, labels.long())
        loss.backward()
        return loss.item(), [cls.grad, dist.grad]

    return call


def prepare_atss(boxes, height, width, strides):
    levels = square_anchors(height, width, strides)
    anchors, counts = torch.cat([level[0] for level in levels]), [len(level[0]) for level in levels]
    return lambda: (0, atss(anchors, counts, boxes))


def prepare_gfl(cls, dist, boxes, labels, height, width, strides):
    levels = square_anchors(height, width, strides)
    anchors, steps = (torch.cat(parts) for parts in zip(*levels))
    counts = [len(level[0]) for level in levels]
    cls.requires_grad_()
    dist.requires_grad_()

    def call():
        cls.grad = dist.grad = None
        loss = gfl(anchors, steps, counts, cls, dist, boxes, labels.long())
        loss.backward()
        return loss.item(), [cls.grad, dist.grad]

    return call


TASKS = {"atss": prepare_atss, "gfl": prepare_gfl, "yolo": prepare_yolo}
