"""Collects what the finder wrongly takes for a plate on training pictures: the refiner learns from these.

`python -m train.refiner.mine --data DATA` looks at every training picture as a whole and in overlapping
parts through `weights/finder.onnx` and writes `runs/refiner-negatives.json`: quadrilaterals by picture.
Some pictures show plates that nobody labelled; what the reader is sure of is therefore left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from ..common.config import ROOT, WEIGHTS, configuration
from ..common.letterbox import to_tensor_layout
from ..common.onnx_export import session
from ..finder.crops import Picture
from ..finder.data import real_pictures, vehicle_negatives
from ..finder.score import look, quad_iou
from ..reader.alphabet import CHARACTERS
from ..reader.data import rectify
from .data import MISTAKES as FILE

FLOOR = 0.12       # lower than the product's: what nearly passes teaches too
READABLE = 0.5     # a weakest character this certain is a plate that nobody labelled
PARTS = (1.0, 0.6, 0.4, 0.25)


def regions(width: int, height: int):
    """The whole picture and overlapping parts of it: x0, y0, x1, y1."""
    for share in PARTS:
        w, h = width * share, height * share
        steps = int(np.ceil(1 / share)) if share < 1 else 1
        for i in range(steps):
            for j in range(steps):
                x, y = (width - w) * i / max(steps - 1, 1), (height - h) * j / max(steps - 1, 1)
                yield int(x), int(y), int(x + w), int(y + h)


def mistakes(picture: Picture, finder, reader, side: int) -> list[np.ndarray]:
    img, found = picture.image, []
    for box in regions(img.shape[1], img.shape[0]):
        for _, quad in look(finder, img, box, side, FLOOR):
            known = any(quad_iou(quad, q.corners) > 0.05 for q in picture.plates)
            again = any(quad_iou(quad, other) > 0.6 for other in found)
            if known or again or cv2.contourArea(quad.astype(np.float32)) < 30:
                continue
            chars = reader.run(None, {"plates": to_tensor_layout([rectify(img, quad, 128, 64)])})[0][0]
            length = int((chars.argmax(-1) < len(CHARACTERS)).sum())
            if length < 7 or chars[:length].max(-1).min() < READABLE:
                found.append(quad)
    return found


def main() -> None:
    p = argparse.ArgumentParser(prog="python -m train.refiner.mine", description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--weights", type=Path, default=WEIGHTS)
    args = p.parse_args()
    cfg = configuration(ROOT / "refiner" / "config.toml")["data"]
    side = configuration(ROOT / "finder" / "config.toml")["input"]["side"]
    finder, reader = session(args.weights / "finder.onnx"), session(args.weights / "reader.onnx")
    pictures = [p for p in real_pictures(args.data, cfg) if not p.held_out] + vehicle_negatives(args.data, cfg)
    mined = {}
    for i, picture in enumerate(pictures):
        h, w = picture.image.shape[:2]
        quads = mistakes(picture, finder, reader, side)
        if quads:
            mined[picture.name] = [(q / [w, h]).round(5).tolist() for q in quads]
        if i % 200 == 199:
            print(f"{i + 1} of {len(pictures)} pictures, {sum(map(len, mined.values()))} mistakes", flush=True)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(mined))
    print(f"{FILE}: {sum(map(len, mined.values()))} mistakes in {len(mined)} pictures")


if __name__ == "__main__":
    main()
