"""Losses in PyTorch on CUDA, eager or compiled: tasks of python_server.py whose inputs and gradients stay on the GPU."""
import sys

import torch
import torch.nn.functional as F

if int(torch.__version__.split(".")[0]) < 2 or not torch.cuda.is_available():
    sys.exit("no CUDA, or a PyTorch before 2")


def quality_focal(x, y):
    cost = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    return ((y - x.sigmoid()).abs().pow(2) * cost).sum()


def sigmoid_focal(x, y):
    p = x.sigmoid()
    miss = p * (1 - y) + (1 - p) * y
    cost = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    return ((0.25 * y + 0.75 * (1 - y)) * miss.pow(2) * cost).sum()


def varifocal(x, y):
    weight = torch.where(y > 0, y, 0.75 * x.sigmoid().pow(2))
    return (weight * F.binary_cross_entropy_with_logits(x, y, reduction="none")).sum()


def task(loss):
    def prepare(pred, target, grad, compiled):
        x = pred.cuda().requires_grad_(grad)
        y = target.cuda()
        run = torch.compile(loss) if compiled else loss

        def call():
            if not grad:
                with torch.no_grad():
                    return run(x, y).item(), []
            x.grad = None
            result = run(x, y)
            result.backward()
            torch.cuda.synchronize()
            return result.item(), [x.grad]

        return call

    return prepare


TASKS = {
    "qualityFocalLoss": task(quality_focal),
    "sigmoidFocalLoss": task(sigmoid_focal),
    "varifocalLoss": task(varifocal),
}
