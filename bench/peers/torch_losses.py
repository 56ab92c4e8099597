"""Losses in PyTorch: tasks of python_server.py that give a sum, and its gradient where that is asked for."""
import torch
import torch.nn.functional as F


def quality_focal(x, y):
    cost = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    return ((y - x.sigmoid()).abs().pow(2) * cost).sum()


def matchability_aware(x, q):
    cost = F.binary_cross_entropy_with_logits(x, q.pow(1.5), reduction="none")
    return (torch.where(q > 0, torch.ones_like(q), x.detach().sigmoid().pow(1.5)) * cost).sum()


def distribution_focal(x, y):
    left = y.long()
    left_weight = (left + 1).float() - y
    left_cost = F.cross_entropy(x, left, reduction="none")
    right_cost = F.cross_entropy(x, left + 1, reduction="none")
    return (left_cost * left_weight + right_cost * (1 - left_weight)).sum()


def giou(a, b):
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    inner = (torch.min(a[:, 2:], b[:, 2:]) - torch.max(a[:, :2], b[:, :2])).clamp(min=0)
    outer = torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])
    overlap = inner[:, 0] * inner[:, 1]
    union = area_a + area_b - overlap
    enclosing = outer[:, 0] * outer[:, 1]
    return (1 - overlap / (union + 1e-7) + (enclosing - union) / (enclosing + 1e-7)).sum()


def gaussian(box):
    w, h = box[:, 2].pow(2) / 12, box[:, 3].pow(2) / 12
    cos, sin = box[:, 4].cos(), box[:, 4].sin()
    return w * cos.pow(2) + h * sin.pow(2), w * sin.pow(2) + h * cos.pow(2), (w - h) * sin * cos


def prob_iou(p, t):
    (a, b, c), (d, e, f) = gaussian(p), gaussian(t)
    x, y = (p - t)[:, :2].unbind(1)
    xx, yy, xy = a + d, b + e, c + f
    joint = xx * yy - xy.pow(2)
    areas = (a * b - c.pow(2)).clamp(0) * (d * e - f.pow(2)).clamp(0)
    far = (xx * y.pow(2) + yy * x.pow(2) - 2 * xy * x * y) / (4 * joint + 1e-7)
    distance = far + (joint / (4 * areas.sqrt() + 1e-7)).log() / 2
    return (1 - (-distance.clamp(1e-7, 100)).exp()).sqrt().sum()


def oks(p, t, areas, sigmas):
    visible = (t[:, :, 2] > 0).float()
    e = (p - t[:, :, :2]).pow(2).sum(2) / (8 * sigmas.pow(2) * areas[:, None])
    return (((1 - (-e).exp()) * visible).sum(1) / visible.sum(1).clamp(min=1)).sum()


def mask_loss(coefficients, prototypes, boxes, masks):
    channels, height, width = prototypes.shape
    logits = (coefficients @ prototypes.view(channels, -1)).view(-1, height, width)
    x, y = torch.arange(width), torch.arange(height)[:, None]
    x1, y1, x2, y2 = boxes[:, :, None, None].unbind(1)
    inside = (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
    cost = F.binary_cross_entropy_with_logits(logits, masks, reduction="none") * inside
    return (cost.sum((1, 2)) / (boxes[:, 2:] - boxes[:, :2]).prod(1)).sum()


def task(loss, slopes=1):
    """Gradients are those of the first inputs."""
    def prepare(*inputs, grad):
        own = inputs[:slopes]
        for each in own:
            each.requires_grad_(grad)

        def call():
            if not grad:
                with torch.no_grad():
                    return loss(*inputs).item(), []
            for each in own:
                each.grad = None
            result = loss(*inputs)
            result.backward()
            return result.item(), [each.grad for each in own]

        return call

    return prepare


TASKS = {
    "qualityFocalLoss": task(quality_focal),
    "matchabilityAwareLoss": task(matchability_aware),
    "distributionFocalLoss": task(distribution_focal),
    "giouLoss": task(giou),
    "probIouLoss": task(prob_iou),
    "oksLoss": task(oks),
    "maskLoss": task(mask_loss, slopes=2),
}
