"""Train the network of ../shapes with densehead's losses, and with PyTorch's own, and compare their AP.

Four settings, each with the losses of PyTorch and with those of densehead, which answers values and gradients over a
pipe (densehead.py, losses.js):

    focal      classes by focal loss, boxes by GIoU
    qfl        classes by quality focal loss, boxes by GIoU
    dfl        classes by focal loss, boxes by GIoU and distribution focal loss
    qfl+dfl    classes by quality focal loss, boxes by GIoU and distribution focal loss

Everything else is one and the same: network, assignment, optimizer, scenes, and for each seed the first weights and
the order of the scenes. The pictures are smaller and plainer than those of ../shapes, and the training is shorter.

Run it with Python 3, PyTorch, NumPy, Pillow and Node, after `npm ci` here:

    python3 train.py
    python3 train.py --settings qfl --seeds 1 --steps 20 --results build/quick.json   # quick check

A run is added to results.json when it ends, and one that is there is not repeated. The table is printed at the end.
"""

import argparse
import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from densehead import Densehead

HERE = Path(__file__).resolve().parent
SETTINGS = ("focal", "qfl", "dfl", "qfl+dfl")
MAKERS = ("torch", "densehead")
ALPHA, GAMMA = 0.25, 2.0
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)


def load_shapes():
    """../shapes/train.py, for smaller pictures of one or two shapes on plain grounds."""
    spec = importlib.util.spec_from_file_location("shapes", HERE.parent / "shapes" / "train.py")
    shapes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shapes)
    shapes.IMAGE_SIZE, shapes.SHAPE_SIZES, shapes.MAX_OBJECTS = 48, (16, 40), 2
    shapes.draw_blob = shapes.draw_stroke = lambda *_: None
    return shapes


shapes = load_shapes()


# --------------------------------------------------------------------------
# Losses: sums over all elements or rows, by their weights
# --------------------------------------------------------------------------

class TorchLosses:
    """In operations of PyTorch, with its gradients."""

    def focal(self, logits, target):
        error = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        p = logits.sigmoid()
        miss = p * (1 - target) + (1 - p) * target
        return (error * miss ** GAMMA * (ALPHA * target + (1 - ALPHA) * (1 - target))).sum()

    def quality_focal(self, logits, target):
        return shapes.quality_focal_loss(logits, target)

    def giou(self, pred, target, weight):
        _, giou = shapes.paired_iou(pred, target)
        return ((1 - giou) * weight).sum()

    def distribution_focal(self, logits, target, weight):
        return (shapes.distribution_focal_loss(logits, target) * weight).sum()


class DenseheadLosses:
    """Over the pipe, with densehead's gradients."""

    def __init__(self, densehead):
        self.loss = densehead.loss

    def focal(self, logits, target):
        return self.loss("sigmoidFocalLoss", logits, target, alpha=ALPHA, gamma=GAMMA)

    def quality_focal(self, logits, target):
        return self.loss("qualityFocalLoss", logits, target)

    def giou(self, pred, target, weight):
        return self.loss("giouLoss", pred, target, weight)

    def distribution_focal(self, logits, target, weight):
        """A row is a side; an object's loss is the mean of its four."""
        rows = weight[:, None].expand_as(target).flatten()
        return self.loss("distributionFocalLoss", logits.flatten(0, 1), target.flatten(), rows, lossWeight=0.25)


def criterion_of(setting, losses):
    """As gfl_loss of ../shapes, with the losses that are given."""
    quality, distribution = "qfl" in setting, "dfl" in setting

    def criterion(outputs, points, strides, boxes, labels):
        cls, reg = shapes.flatten_outputs(outputs)
        index = shapes.assign(points, strides, boxes, labels)
        image, point = (index >= 0).nonzero(as_tuple=True)
        matched = index[image, point]
        gt_box, gt_label = boxes[image, matched], labels[image, matched]
        stride, anchor, pos_reg = strides[point, None], points[point], reg[image, point]

        pred_box = shapes.distance_to_box(anchor, shapes.expected_distance(pos_reg) * stride)
        target = torch.zeros_like(cls)
        target[image, point, gt_label] = shapes.paired_iou(pred_box.detach(), gt_box)[0] if quality else 1.0
        of_classes = losses.quality_focal(cls, target) if quality else losses.focal(cls, target)

        weight = cls.detach()[image, point].sigmoid().amax(-1)
        weight = weight / weight.sum().clamp(min=1.0)
        total = of_classes / max(len(image), 1) + 2.0 * losses.giou(pred_box, gt_box, weight)
        if distribution:
            distance = torch.cat([anchor - gt_box[:, :2], gt_box[:, 2:] - anchor], 1) / stride
            distance = distance.clamp(0, shapes.REG_MAX - 0.01)
            total = total + 0.25 * losses.distribution_focal(pos_reg, distance, weight)
        return total

    return criterion


# --------------------------------------------------------------------------
# Runs
# --------------------------------------------------------------------------

def measure(model, scenes):
    """AP over ten thresholds of IoU, and AP50: means of the classes."""
    images, boxes, labels = scenes
    results, boxes, labels = shapes.detect(model, images), boxes.numpy(), labels.numpy()
    ap = [[shapes.average_precision(results, boxes, labels, label, threshold) for threshold in IOU_THRESHOLDS]
          for label in range(len(shapes.CLASSES))]
    return float(np.mean(ap)), float(np.mean(ap, axis=0)[0])


def run(args, scenes, setting, maker, seed, densehead):
    losses = TorchLosses() if maker == "torch" else DenseheadLosses(densehead)
    torch.manual_seed(seed)
    start = time.time()
    model = shapes.ShapeDetector()
    shapes.train(model, scenes["train"], scenes["validation"], args.steps, args.batch_size, args.lr,
                 criterion_of(setting, losses))
    seconds = time.time() - start
    ap, ap50 = measure(model.eval(), scenes["held_out"])
    return {"setting": setting, "losses": maker, "seed": seed, "steps": args.steps, "ap": round(ap, 4),
            "ap50": round(ap50, 4), "seconds": round(seconds)}


def print_table(results):
    """Mean ± standard deviation over the seeds."""
    print("| Losses    | AP, PyTorch   | AP, densehead | AP50, PyTorch | AP50, densehead |")
    print("| --------- | ------------- | ------------- | ------------- | --------------- |")
    for setting in SETTINGS:
        cells = []
        for figure in ("ap", "ap50"):
            for maker in MAKERS:
                values = [r[figure] for r in results if (r["setting"], r["losses"]) == (setting, maker)]
                cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else
                             f"{values[0]:.3f}" if values else "")
        print(f"| {setting} | " + " | ".join(cells) + " |")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=SETTINGS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--train-scenes", type=int, default=2000)
    parser.add_argument("--eval-scenes", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    return parser.parse_args()


def main():
    args = parse_args()
    args.results.parent.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    results = json.loads(args.results.read_text()) if args.results.exists() else []
    done = {(r["setting"], r["losses"], r["seed"]) for r in results}
    missing = [(setting, maker, seed) for seed in args.seeds for setting in args.settings for maker in MAKERS
               if (setting, maker, seed) not in done]
    if missing:
        scenes = {"train": shapes.make_scenes(args.train_scenes, shapes.TRAIN_SEED),
                  "validation": shapes.make_scenes(20, shapes.VALIDATION_SEED),
                  "held_out": shapes.make_scenes(args.eval_scenes, shapes.HELD_OUT_SEED)}
    with Densehead() as densehead:
        for setting, maker, seed in missing:
            results.append(run(args, scenes, setting, maker, seed, densehead))
            args.results.write_text("[\n" + ",\n".join(f"  {json.dumps(r)}" for r in results) + "\n]\n")
            print(results[-1], flush=True)
    print_table(results)


if __name__ == "__main__":
    main()
