"""Whether the product sees what Python sees: predictions of `plate-eval` against the same weights run here.

    plate-eval reader --data DIR --predictions reader.jsonl
    python -m train.parity reader --data DIR --predictions reader.jsonl

The same for `vehicles` and `plates`. Both sides start from the same files and share nothing else: here OpenCV
decodes the JPEG to RGB, resizes and warps it as training does; the product decodes with another library, halves the
chroma (I420, as a camera's stream has it), resamples planes with integer weights and turns them into RGB. Numbers
therefore differ a little, and a reading on the edge may tip over. What is tolerated is stated at `TOLERATED` as
measured on the shared pictures, with room for others; anything of the way there gone wrong (a shifted corner, swapped
colours, another scale) lies far beyond. Exits with 1 where it does.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from .common.config import ROOT, WEIGHTS, configuration
from .common.letterbox import letterbox, to_tensor_layout
from .common.onnx_export import session
from .finder.crops import plate_width
from .finder.score import look, quad_iou
from .reader.alphabet import BLANK, CHARACTERS
from .reader.data import rectify
from .refiner.score import closer, refine
from .vehicles.boxes import overlap
from .vehicles.net import CLASSES
from .vehicles.packed import packed
from .vehicles.score import detect

DETECTOR, FINDER, READER = (640, 384), 192, (128, 64)
VEHICLE = 0.35  # the product's threshold of vehicles; that of plates is in the refiner's configuration
SURE = 0.1  # what lies less above the threshold may be on the other side of it there

# Least share of equal answers; most that differences may be in the middle and for 95 of 100.
TOLERATED = {
    "reader": {"equal": 0.98, "median": 0.003, "p95": 0.12},
    "vehicles": {"equal": 0.97, "median": 0.01, "p95": 0.05},
    "plates": {"equal": 0.95, "median": 0.015, "p95": 0.06},
}


def opened(path: Path) -> np.ndarray:
    img = cv2.imread(str(path))
    if img is None:
        raise SystemExit(f"cannot read {path}")
    return cv2.cvtColor(img, cv2.COLOR_BGR2RGB)


def corners_of(found: dict, img: np.ndarray) -> np.ndarray:
    """Corners of a predicted plate in pixels."""
    return np.array(found["corners"], np.float32) * np.array(img.shape[1::-1], np.float32)


def read(probabilities: np.ndarray) -> tuple[str, float]:
    """Text up to the first blank, and the probability of the least certain slot, the end included."""
    best = probabilities.argmax(-1)
    length = int(np.argmax(best == BLANK)) if (best == BLANK).any() else len(best)
    weakest = float(probabilities.max(-1)[: length + 1].min()) if length else 0.0
    return "".join(CHARACTERS[i] for i in best[:length]), weakest


def reader(lines: list[dict], data: Path, weights: Path) -> tuple[list[bool], list[float]]:
    """Whether the characters are the same, and how far the weakest one's probabilities are apart."""
    run = session(weights / "reader.onnx")
    equal, apart = [], []
    for line in lines:
        img = opened(data / "reader" / "images" / line["file"])
        for found in line["detections"]:
            plate = rectify(img, corners_of(found, img), *READER, cv2.INTER_LINEAR)
            text, weakest = read(run.run(None, {"plates": to_tensor_layout([plate])})[0][0])
            equal.append(text == found["raw"])
            apart.append(abs(weakest - found["weakest"]))
            if not equal[-1]:
                print(f"{line['file']}: {text} ({weakest:.3f}) here, {found['raw']} ({found['weakest']:.3f}) there")
    return equal, apart


def vehicles(lines: list[dict], data: Path, weights: Path) -> tuple[list[bool], list[float]]:
    """Whether sure finds of either side are the other's too (IoU 0.7, same class); how far scores are apart."""
    run = session(weights / "vehicles.onnx")
    equal, apart = [], []
    for line in lines:
        img = opened(data / "vehicles" / "images" / line["file"])
        if img.shape[0] > 0.78 * img.shape[1]:
            continue  # the product looks at tall pictures in bands too
        inp, scale = letterbox(img, *DETECTOR)
        boxes, scores = (o[0] for o in run.run(None, {"images": packed(to_tensor_layout([inp]))}))
        here = detect(boxes, scores, VEHICLE)
        h, w = img.shape[:2]
        here[:, 2:] = np.clip(here[:, 2:] / scale, 0, [w, h, w, h]) / [w, h, w, h]
        there = np.array([[CLASSES.index(f["class"]), f["score"], *f["box"]] for f in line["detections"]], np.float32)
        there = there.reshape(-1, 6)
        for one, other in ((here, there), (there, here)):
            for c, score, *box in one[one[:, 1] >= VEHICLE + SURE]:
                same = other[other[:, 0] == c]
                iou = overlap(np.array(box), same[:, 2:])
                equal.append(bool((iou > 0.7).any()))
                if equal[-1]:
                    apart.append(abs(float(same[iou.argmax(), 1]) - float(score)))
    return equal, apart


def plates(lines: list[dict], data: Path, weights: Path) -> tuple[list[bool], list[float]]:
    """Whether the best plate of the whole picture, looked at again as there, is one of the product's; how far the
    corners are apart, as a share of the width."""
    finder, refiner = session(weights / "finder.onnx"), session(weights / "refiner.onnx")
    cfg = configuration(ROOT / "refiner" / "config.toml")

    def predict(x: np.ndarray) -> list[np.ndarray]:
        return refiner.run(None, {"plates": x})

    equal, apart = [], []
    for line in lines:
        img = opened(data / "plates" / "images" / line["file"])
        h, w = img.shape[:2]
        there = [corners_of(found, img) for found in line["detections"]]
        for first, quad in look(finder, img, (0, 0, w, h), FINDER, 0.3)[:1]:
            rough, *_ = refine(predict, img, quad, cfg)
            quad, score = closer(predict, img, rough, cfg)
            score = first**0.25 * score**0.75  # as `refiner.rs` weighs them
            if score < cfg["thresholds"]["score"] + SURE:
                continue
            same = max(there, key=lambda q: quad_iou(q, quad), default=None)
            equal.append(same is not None and quad_iou(same, quad) > 0.6)
            if equal[-1]:
                seen = np.clip(quad, 0, [w, h])
                apart.append(float(np.linalg.norm(same - seen, axis=1).mean() / plate_width(quad)))
    return equal, apart


def main() -> None:
    p = argparse.ArgumentParser(prog="python -m train.parity", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=sorted(TOLERATED))
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True, help="the file that plate-eval wrote")
    p.add_argument("--weights", type=Path, default=WEIGHTS)
    p.add_argument("--count", type=int, default=50, help="pictures, evenly over the file")
    args = p.parse_args()
    lines = [json.loads(line) for line in args.predictions.read_text().splitlines()]
    lines = lines[:: max(1, len(lines) // args.count)][: args.count]
    compare = {"reader": reader, "vehicles": vehicles, "plates": plates}[args.what]
    equal, apart = compare(lines, args.data, args.weights)
    if not apart:
        raise SystemExit("nothing to compare")
    found = {"equal": float(np.mean(equal)), "median": float(np.median(apart)), "p95": float(np.percentile(apart, 95))}
    limits = TOLERATED[args.what]
    print(f"{args.what}: {sum(equal)} of {len(equal)} equal in {len(lines)} pictures; difference {found['median']:.4f} "
          f"(median), {found['p95']:.4f} (95 of 100), {max(apart):.4f} (largest)")
    failed = [f"{k} is {found[k]:.4f}, tolerated {v}" for k, v in limits.items()
              if (found[k] < v if k == "equal" else found[k] > v)]
    if failed:
        sys.exit("; ".join(failed))


if __name__ == "__main__":
    main()
