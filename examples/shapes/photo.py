"""Draw photo.jpg, a picture of shapes as a camera has it: larger than the network's input, and of another ratio.

Its scene is one of train.py's at three times the size, of which a wide part is kept. photo.coco.json holds the truth.

    python3 photo.py
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import train

SCALE = 3
SIZE = (480, 300)
SEED = 117                  # the first from here on is taken, picked for looks


def draw_photo(seed):
    """Pixels (H, W, 3), boxes and labels, or None where an object would be cut."""
    pixels, boxes, labels = train.draw_scene(np.random.default_rng([4, seed]))
    width, height = SIZE
    top = (pixels.shape[1] - height) // 2
    boxes = boxes - np.array([0, top, 0, top], np.float32)
    if len(boxes) < 5 or boxes.min() < 2 or boxes[:, 3].max() > height - 2:
        return None
    return pixels.transpose(1, 2, 0)[top:top + height], boxes, labels


def main():
    train.IMAGE_SIZE *= SCALE
    train.SHAPE_SIZES = tuple(SCALE * size for size in train.SHAPE_SIZES)
    pixels, boxes, labels = next(filter(None, (draw_photo(seed) for seed in range(SEED, SEED + 1000))))
    out = Path(__file__).resolve().parent
    Image.fromarray(pixels).save(out / "photo.jpg", quality=95)
    coco = {"images": [{"id": 1, "file_name": "photo.jpg", "width": SIZE[0], "height": SIZE[1]}],
            "annotations": train.coco_annotations(train.torch.from_numpy(boxes), train.torch.from_numpy(labels), 1, 1),
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(train.CLASSES)]}
    (out / "photo.coco.json").write_text(json.dumps(coco, indent=1) + "\n")


if __name__ == "__main__":
    main()
