"""Masks in PyTorch: a task of python_server.py."""
import torch
import torch.nn.functional as F


def masks(prototypes, coefficients, boxes, height, width, every):
    """One mask after the other, which takes a third of the time of all in one tensor; some of the bitmaps."""
    channels, rows, columns = prototypes.shape
    samples = prototypes.view(channels, -1)
    y = torch.arange(height)[:, None]
    x = torch.arange(width)[None]

    def run():
        kept = []
        for i, (x1, y1, x2, y2) in enumerate(boxes):
            logits = (coefficients[i:i + 1] @ samples).view(1, 1, rows, columns)
            whole = F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)[0, 0]
            bitmap = (whole > 0) & (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
            if i % every == 0:
                kept.append(bitmap)
        return 0, kept

    return run


def together(prototypes, coefficients, boxes, height, width, every):
    """All masks in one tensor."""
    channels, rows, columns = prototypes.shape
    y = torch.arange(height)[None, :, None]
    x = torch.arange(width)[None, None]

    def run():
        logits = (coefficients @ prototypes.view(channels, -1)).view(1, -1, rows, columns)
        whole = F.interpolate(logits, (height, width), mode="bilinear", align_corners=False)[0]
        x1, y1, x2, y2 = boxes.T[:, :, None, None]
        bitmaps = (whole > 0) & (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
        return 0, list(bitmaps[::every])

    return run


TASKS = {"masks": masks, "together": together}
