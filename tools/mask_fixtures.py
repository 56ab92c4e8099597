"""Writes test/fixtures/masks.json: masks by PyTorch, and outlines by OpenCV. Needs torch and python3-opencv."""
import json
from pathlib import Path

import cv2
import numpy
import torch

FILE = Path(__file__).parent.parent / "test" / "fixtures" / "masks.json"


def counts(bitmap):
    """COCO's counts: column by column, zeros first."""
    found, wanted = [0], 0
    for pixel in bitmap.T.flatten().tolist():
        if pixel != wanted:
            found.append(0)
            wanted = pixel
        found[-1] += 1
    return found


def by_torch(seed, channels, samples, image_size, count):
    """All logits, the whole map to the network's input, then > 0 and the box: rows and columns by their index."""
    rng = numpy.random.default_rng(seed)
    prototypes = numpy.round(rng.normal(size=(channels, *samples)) * 64) / 64
    coefficients = numpy.round(rng.normal(size=(count, channels)) * 64) / 64
    height, width = image_size
    corners = numpy.round(rng.uniform(-4, [width, height], size=(count, 2)) * 4) / 4
    sizes = numpy.round(rng.uniform(0, [width, height], size=(count, 2)) * 4) / 4
    boxes = numpy.concatenate([corners, corners + sizes], 1)
    logits = torch.tensor(coefficients) @ torch.tensor(prototypes).reshape(channels, -1)
    logits = logits.reshape(1, count, *samples)
    whole = torch.nn.functional.interpolate(logits, image_size, mode="bilinear", align_corners=False)[0]
    rows = torch.arange(height)[None, :, None]
    columns = torch.arange(width)[None, None, :]
    x1, y1, x2, y2 = torch.tensor(boxes).T[:, :, None, None]
    masks = (whole > 0) & (columns >= x1) & (columns < x2) & (rows >= y1) & (rows < y2)
    return {
        "channels": channels,
        "samples": samples,
        "imageSize": image_size,
        "prototypes": prototypes.flatten().tolist(),
        "coefficients": coefficients.tolist(),
        "boxes": boxes.tolist(),
        "counts": [counts(mask.numpy().astype(numpy.uint8)) for mask in masks],
    }


def outlines(bitmap):
    """Outer ones, the largest first; of equal ones the one that begins higher, then further left."""
    contours, _ = cv2.findContours(bitmap, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ordered = sorted(contours, key=lambda c: (-cv2.contourArea(c), c[0][0][1], c[0][0][0]))
    return [contour.flatten().tolist() for contour in ordered]


def drawn(text):
    return numpy.array([[int(pixel) for pixel in row] for row in text.split()], dtype=numpy.uint8)


SHAPES = [
    "000 000",
    "1",
    "111 111",
    "0110 1001 0110",
    "10001 01010 00100 01010 10001",
    "1111111 1000001 1011101 1010101 1011101 1000001 1111111",
    "0111110 0100010 0101010 0100010 0111110",
    "1010101 0101010 1010101",
    "11000 11000 00011 00011",
    "00100 01110 11111 01110 00100",
    "1110111 1010101 1110111 0000000 1111111",
]


def blobs(rng, height, width, share):
    noise = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), rng.uniform(0.3, 2.5))
    return (noise > numpy.quantile(noise, 1 - share)).astype(numpy.uint8)


def main():
    rng = numpy.random.default_rng(5)
    bitmaps = [drawn(shape) for shape in SHAPES]
    bitmaps += [blobs(rng, int(rng.integers(1, 24)), int(rng.integers(1, 24)), rng.uniform(0.1, 0.9)) for _ in range(60)]
    fixture = {
        "torch": [
            by_torch(1, 4, [8, 8], [32, 32], 6),
            by_torch(2, 3, [5, 9], [40, 36], 6),
            by_torch(3, 7, [12, 10], [48, 30], 6),
            by_torch(4, 2, [1, 6], [9, 20], 4),
        ],
        "outlines": [
            {"size": list(bitmap.shape), "counts": counts(bitmap), "polygons": outlines(bitmap)} for bitmap in bitmaps
        ],
    }
    FILE.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()
