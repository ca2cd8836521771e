"""Measures the exported finder and reader together on held-out scenes: crop in, text out.

`python -m train.chain --data DATA` says how many plates are read right from the
finder's own corners, once from the vehicle's crop and once after a second look at a
closer crop around the first answer.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
from pathlib import Path

import cv2
import numpy as np

from .common.config import ROOT, WEIGHTS
from .common.letterbox import letterbox, to_tensor_layout
from .common.onnx_export import session
from .finder.crops import CLOSER, plate_width, vehicle_box
from .finder.data import real_pictures
from .finder.score import peaks, quad_iou
from .reader.data import rectify
from .reader.score import texts

def look(finder, img: np.ndarray, box: np.ndarray, side: int) -> list[np.ndarray]:
    """Plates found in one box of a picture, in picture pixels, best first."""
    x0, y0, x1, y1 = (int(round(v)) for v in box)
    x0, y0 = max(0, x0), max(0, y0)
    crop = img[y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)]
    inp, scale = letterbox(crop, side, side)
    corners, scores, _, _ = finder.run(None, {"crops": to_tensor_layout([inp])})
    return [q / scale + [x0, y0] for _, q, _ in peaks(corners[0], scores[0], 0.3)]


def closer(quad: np.ndarray) -> np.ndarray:
    centre, half = quad.mean(0), plate_width(quad) * CLOSER / 2
    return np.array([*(centre - half), *(centre + half)])


def labelled_texts(data: Path) -> dict[tuple[str, int], str]:
    with (data / "reader" / "labels.csv").open(newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["image"]]
    return {(r["image"], int(n)): r["text"] for r in rows if (n := r["file"].rsplit(".", 1)[0].rsplit("_", 1)[-1]).isdigit()}


def main() -> None:
    p = argparse.ArgumentParser(prog="python -m train.chain", description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--weights", type=Path, default=WEIGHTS)
    p.add_argument("--limit", type=int, default=400)
    args = p.parse_args()
    cfg = tomllib.loads((ROOT / "finder" / "config.toml").read_text())
    finder, reader = session(args.weights / "finder.onnx"), session(args.weights / "reader.onnx")
    said = labelled_texts(args.data)
    rng = np.random.default_rng(cfg["seed"])
    cfg["data"]["keep_side"] = 10_000  # the reader wants the original pixels
    pictures = [p for p in real_pictures(args.data, cfg["data"]) if p.held_out]
    tally = {"plates": 0, "found": 0, "read_true_corners": 0, "read_first_look": 0, "read_second_look": 0}
    errors: dict[str, list[float]] = {"first": [], "second": []}
    for picture in pictures:
        for i, q in enumerate(picture.plates):
            text = said.get((picture.name, i))
            if text is None or tally["plates"] >= args.limit:
                continue
            tally["plates"] += 1
            first = look(finder, picture.image, vehicle_box(picture, q, cfg["crop"], rng), cfg["input"]["side"])
            first = [c for c in first if quad_iou(c, q.corners) > 0.3][:1]
            second = [c for f in first for c in look(finder, picture.image, closer(f), cfg["input"]["side"])[:1]]
            tally["found"] += len(first)
            for key, quads in (("true_corners", [q.corners]), ("first_look", first), ("second_look", second or first)):
                for quad in quads:
                    plate = rectify(picture.image, quad, 128, 64, cv2.INTER_LINEAR)
                    answer = texts(reader.run(None, {"plates": to_tensor_layout([plate])})[0])[0]
                    tally[f"read_{key}"] += int(answer == text)
            for key, quads in (("first", first), ("second", second)):
                errors[key] += [float(np.linalg.norm(c - q.corners, axis=1).mean() / plate_width(q.corners)) for c in quads]
    print(tally, {k: round(float(np.median(v)), 4) for k, v in errors.items() if v})


if __name__ == "__main__":
    main()
