"""Losses in PyTorch on one thread. Commands come as lines of JSON on stdin, answers go to stdout.

{"prepare": loss, "grad": bool, "dims": [[...], [...]]}, then float32 pred and target: {"ready": true}
{"run": true}: {"loss": number, "bytes": length}, then the float32 gradient
{"time": calls}: {"ms": milliseconds of each call}
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def quality_focal(x, y):
    cost = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    return ((y - x.sigmoid()).abs().pow(2) * cost).sum()


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


LOSSES = {"qualityFocalLoss": quality_focal, "distributionFocalLoss": distribution_focal, "giouLoss": giou}


def read_tensor(dims):
    count = 1
    for length in dims:
        count *= length
    data = bytearray(sys.stdin.buffer.read(4 * count))
    return torch.frombuffer(data, dtype=torch.float32).reshape(dims)


def call(loss, pred, target, grad):
    """The sum, and the gradient or None."""
    if not grad:
        with torch.no_grad():
            return loss(pred, target).item(), None
    pred.grad = None
    result = loss(pred, target)
    result.backward()
    return result.item(), pred.grad


def answer(message, data=b""):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


answer({"version": torch.__version__})
arguments = None
while line := sys.stdin.buffer.readline():
    command = json.loads(line)
    if "prepare" in command:
        pred, target = (read_tensor(dims) for dims in command["dims"])
        grad = command["grad"]
        arguments = (LOSSES[command["prepare"]], pred.requires_grad_(grad), target, grad)
        answer({"ready": True})
    elif "run" in command:
        loss, gradient = call(*arguments)
        data = b"" if gradient is None else gradient.numpy().tobytes()
        answer({"loss": loss, "bytes": len(data)}, data)
    else:
        start = time.perf_counter()
        for _ in range(command["time"]):
            call(*arguments)
        answer({"ms": (time.perf_counter() - start) * 1000 / command["time"]})
