"""Writes test/fixtures/preprocess.json: what OpenCV makes of small images, and its version. Needs python3-opencv."""
import base64
import json
import pathlib

import cv2
import numpy

METHODS = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "bicubic": cv2.INTER_CUBIC}

# width, height, channels, new width, new height: kept, larger, smaller by whole and by broken ratios, one axis each way, thin.
SIZES = [
    (1, 1, 3, 3, 2),
    (1, 9, 4, 4, 4),
    (13, 1, 1, 5, 3),
    (2, 3, 4, 9, 7),
    (7, 5, 3, 7, 5),
    (9, 9, 1, 16, 13),
    (10, 12, 3, 5, 6),
    (24, 20, 4, 6, 5),
    (15, 9, 3, 5, 3),
    (17, 23, 4, 5, 9),
    (40, 31, 3, 13, 7),
    (33, 8, 1, 10, 20),
    (64, 48, 4, 11, 6),
    (12, 60, 3, 11, 7),
]


def picture(width, height, channels):
    """The bytes of `picture` in test/suite/preprocess.test.ts: steep and flat places, all values."""
    i = numpy.arange(width * height * channels)
    return ((i * 73 + (i >> 3) * 29 + (i * i >> 5)) & 255).astype(numpy.uint8).reshape(height, width, channels)


def case(width, height, channels, new_width, new_height):
    image = picture(width, height, channels)
    found = {
        name: base64.b64encode(cv2.resize(image, (new_width, new_height), interpolation=flag).tobytes()).decode()
        for name, flag in METHODS.items()
    }
    return {"size": [width, height, channels], "to": [new_width, new_height], **found}


def main():
    cv2.setNumThreads(1)
    fixture = {"opencv": cv2.__version__, "cases": [case(*size) for size in SIZES]}
    path = pathlib.Path(__file__).parent.parent / "test/fixtures/preprocess.json"
    path.write_text(json.dumps(fixture, indent=2) + "\n")


main()
