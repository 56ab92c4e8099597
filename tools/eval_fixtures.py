"""Writes test/fixtures/eval.json: small data sets with made-up results, and what pycocotools says of them.

Run by hand (python3 tools/eval_fixtures.py; needs pycocotools). Boxes are on grids and scores are few, so that overlaps
equal to thresholds, areas equal to the bounds of sizes, and equal scores are common; some classes and images are empty. Of
precision and recall, which are long, it keeps mean(value · (1 + i mod 97)) over all i.
"""

import contextlib
import copy
import io
import json
import random
from pathlib import Path

import numpy
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

TARGET = Path(__file__).parent.parent / "test/fixtures/eval.json"
SIDE = 128
KEYPOINTS = 17

CASES = [
    {"kind": "bbox"},
    {"kind": "bbox", "maxDets": [1, 2, 5]},
    {"kind": "bbox", "iouThresholds": [0.3, 0.5, 2 / 3, 1.0]},
    {"kind": "bbox", "classAgnostic": True},
    {"kind": "segm"},
    {"kind": "segm", "maxDets": [1, 2, 3]},
    {"kind": "keypoints"},
    {"kind": "keypoints", "iouThresholds": [0.5, 0.75]},
]


class Maker:
    """Random rows of one data set."""

    def __init__(self, kind, seed):
        self.kind = kind
        self.r = random.Random(seed)
        self.grid = self.r.choice([4, 8, 16])

    def box(self):
        r, grid = self.r, self.grid
        sides = r.choice([(32, 32), (96, 96), (32, 31), (16, 64), None, None, None])
        width, height = sides or [r.randint(1, 64 // grid) * grid for _ in "wh"]
        return [r.randint(0, 64 // grid) * grid / 2, r.randint(0, 64 // grid) * grid / 2, width, height]

    def moved(self, box):
        x, y, width, height = box
        x = max(0, x + self.r.choice([0, 0, self.grid, width / 2, width / 4]))
        return [x, y, max(1, width * self.r.choice([1, 1, 0.5, 0.75, 1.5])), height]

    def points(self, box):
        x, y, width, height = box
        at = lambda low, side: low + self.r.randint(0, 8) * side / 8
        return [v for _ in range(KEYPOINTS) for v in (at(x, width), at(y, height), self.r.choice([0, 1, 2]))]

    def moved_points(self, points):
        return [v + self.r.choice([0, 0, 1, 2.5]) if i % 3 < 2 else v for i, v in enumerate(points)]

    def bitmap(self, box):
        x, y, width, height = [int(v) for v in box]
        bitmap = numpy.zeros((SIDE, SIDE), numpy.uint8, order="F")
        bitmap[y : y + height, x : x + width] = 1
        bitmap[:: self.r.choice([40, 200]), :] = 0
        return bitmap

    def segmentation(self, box, plain):
        """Run lengths of a bitmap; where `plain` also as counts, or polygons."""
        form = self.r.choice(["text", "counts", "polygons"]) if plain else "text"
        if form == "polygons":
            x, y, width, height = box
            return [[x, y, x + width, y + 0.3, x + width / 2, y + height], [x, y, x + 9.5, y, x + 9.5, y + 5.2, x, y + 5]]
        bitmap = self.bitmap(box)
        code = mask.encode(bitmap)
        if form == "text":
            return {"size": [SIDE, SIDE], "counts": code["counts"].decode()}
        flat = bitmap.flatten(order="F").astype(int)
        changes = numpy.flatnonzero(numpy.diff(flat)) + 1
        counts = numpy.diff([0, *changes, flat.size]).tolist()
        return {"size": [SIDE, SIDE], "counts": [0, *counts] if flat[0] else counts}

    def annotation(self, row_id, image, category):
        box = self.box()
        row = {"id": row_id, "image_id": image, "category_id": category, "bbox": box}
        row["area"] = self.r.choice([box[2] * box[3], box[2] * box[3] / 2, 1024, 9216])
        row["iscrowd"] = int(self.r.random() < 0.15)
        if self.kind == "segm":
            row["segmentation"] = self.segmentation(box, True)
        if self.kind == "keypoints":
            row["keypoints"] = self.points(box) if self.r.random() < 0.8 else [0] * (3 * KEYPOINTS)
            row["num_keypoints"] = sum(v > 0 for v in row["keypoints"][2::3])
        return row

    def result(self, image, category, truth):
        score = self.r.choice([self.r.randint(0, 5) / 5, round(self.r.random(), 3)])
        row = {"image_id": image, "category_id": category, "score": score}
        box = self.moved(truth["bbox"]) if truth else self.box()
        if self.kind == "bbox":
            row["bbox"] = box
        if self.kind == "segm":
            row["segmentation"] = self.segmentation(box, False)
        if self.kind == "keypoints":
            row["keypoints"] = self.moved_points(truth["keypoints"]) if truth else self.points(box)
        return row

    def dataset(self):
        r = self.r
        images = [{"id": 3 * i + 1, "height": SIDE, "width": SIDE} for i in range(6)]
        categories = [{"id": 7 * i + 2, "name": f"class {i}"} for i in range(1 if self.kind == "keypoints" else 3)]
        r.shuffle(images)
        r.shuffle(categories)
        annotations, results = [], []
        for image in images[:-1]:
            # The last class has no object.
            own = [
                self.annotation(len(annotations) + i + 1, image["id"], r.choice(categories[:2])["id"])
                for i in range(r.randint(0, 4))
            ]
            annotations += own
            for _ in range(r.randint(1, 7)):
                truth = r.choice(own) if own and r.random() < 0.75 else None
                category = truth["category_id"] if truth and r.random() < 0.85 else r.choice(categories)["id"]
                results.append(self.result(image["id"], category, truth))
        r.shuffle(results)
        return {"images": images, "categories": categories, "annotations": annotations}, results


def evaluated(dataset, results, kind, maxDets=None, iouThresholds=None, classAgnostic=False):
    truth = COCO()
    truth.dataset = copy.deepcopy(dataset)
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), kind)
    params = evaluation.params
    params.maxDets = maxDets or params.maxDets
    params.iouThrs = numpy.array(iouThresholds or params.iouThrs)
    params.useCats = not classAgnostic
    evaluation.evaluate()
    evaluation.accumulate()
    if maxDets is None:
        evaluation.summarize()
    return evaluation


def digest(values):
    flat = values.ravel()
    return float(numpy.mean(flat * (1 + numpy.arange(flat.size) % 97)))


def case(index, options):
    dataset, results = Maker(options["kind"], index).dataset()
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluated(dataset, results, **options)
    return {
        "dataset": dataset,
        "results": results,
        "options": options,
        # With other maxDets it prints −1 for AP.
        "stats": None if "maxDets" in options else evaluation.stats.tolist(),
        "counts": evaluation.eval["counts"],
        "precision": digest(evaluation.eval["precision"]),
        "recall": digest(evaluation.eval["recall"]),
    }


def masks():
    """Polygons and bitmaps as run lengths, and their overlaps."""
    cases = []
    for seed in range(24):
        r = random.Random(seed)
        height, width = r.randint(1, 30), r.randint(1, 30)
        point = lambda: r.choice(
            [
                [r.randint(-2, width + 2), r.randint(-2, height + 2)],
                [round(r.uniform(-width, 2 * width), 2), round(r.uniform(-height, 2 * height), 2)],
            ]
        )
        polygons = [[v for _ in range(r.randint(3, 7)) for v in point()] for _ in range(r.randint(1, 3))]
        drawn = mask.merge(mask.frPyObjects(polygons, height, width))
        bitmap = numpy.array([[r.random() < seed / 23 for _ in range(width)] for _ in range(height)], numpy.uint8)
        code = mask.encode(numpy.asfortranarray(bitmap))
        crowd = seed % 2
        cases.append(
            {
                "size": [height, width],
                "polygons": polygons,
                "drawn": drawn["counts"].decode(),
                "bitmap": "".join(map(str, bitmap.ravel())),
                "encoded": code["counts"].decode(),
                "areas": [int(mask.area(drawn)), int(mask.area(code))],
                "crowd": crowd,
                "iou": float(mask.iou([drawn], [code], [crowd])[0][0]),
            }
        )
    return cases


if __name__ == "__main__":
    cases = [case(i, options) for i, options in enumerate(CASES)]
    TARGET.write_text(json.dumps({"cases": cases, "masks": masks()}, separators=(",", ":")) + "\n")
