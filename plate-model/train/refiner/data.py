"""First answers with known errors, and what the plate's corners are after straightening by them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..common.config import RUNS
from ..finder.crops import Picture, PlateLabel, plate_width, recoloured, spoil
from ..finder.data import domain_weights
from ..finder.score import quad_iou


MISTAKES = RUNS / "refiner-negatives.json"  # written by `mine`


@dataclass
class Look:
    """A straightened picture and its target; `corners` are shares of the input's sides, none where no plate is."""

    image: np.ndarray
    corners: np.ndarray | None
    rows: int = 1
    colour: int = 0
    exact: bool = False


def grown(quad: np.ndarray, margin: float) -> np.ndarray:
    """The quadrilateral scaled about its centre so that `margin` of its size lies around it on every side."""
    centre = quad.mean(0)
    return centre + (quad - centre) * (1 + 2 * margin)


def straighten(img: np.ndarray, quad: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The quadrilateral as a width x height picture, and the matrix from picture to input pixels.

    Large ones are averaged down to twice the input first, like the product does.
    """
    lo, hi = np.floor(quad.min(0) - 2).astype(int), np.ceil(quad.max(0) + 2).astype(int)
    h, w = img.shape[:2]
    lo, hi = np.maximum(lo, 0), np.minimum(hi, [w, h])
    part = img[lo[1] : max(hi[1], lo[1] + 1), lo[0] : max(hi[0], lo[0] + 1)]
    if part.size == 0:
        part, lo = img[:2, :2], np.zeros(2, int)
    s = [min(1.0, 2 * side / n) for side, n in zip((width, height), (part.shape[1], part.shape[0]))]
    if min(s) < 1:
        size = (max(1, round(part.shape[1] * s[0])), max(1, round(part.shape[0] * s[1])))
        s = [size[0] / part.shape[1], size[1] / part.shape[0]]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    to = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    whole = cv2.getPerspectiveTransform(quad.astype(np.float32), to)
    # Pixel centres: OpenCV maps indices, our coordinates are edges; half a pixel joins them.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    from_part = np.array([[1 / s[0], 0, lo[0]], [0, 1 / s[1], lo[1]], [0, 0, 1]])
    index = np.linalg.inv(half) @ whole @ from_part @ half
    out = cv2.warpPerspective(part, index, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out, whole


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(points.reshape(1, -1, 2).astype(np.float64), matrix)[0]


def first_answer(quad: np.ndarray, first: dict, rng: np.random.Generator) -> np.ndarray:
    """What a finder that is somewhat wrong could have said of this plate."""
    if rng.random() < first["upright"]:
        (x0, y0), (x1, y1) = quad.min(0), quad.max(0)
        quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    centre = quad.mean(0)
    right = (quad[1] + quad[2] - quad[0] - quad[3]) / 2
    down = (quad[2] + quad[3] - quad[0] - quad[1]) / 2
    bad = rng.uniform(0.1, 1.5)  # some answers are nearly right
    a = rng.normal(0, 0.3 if rng.random() < 0.1 else first["turn"] * bad)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    grow = np.exp(rng.normal(0, first["scale"] * bad))
    stretch = np.exp(rng.normal(0, first["scale"] * 0.6 * bad, 2))
    basis = np.stack([right, down])
    local = (quad - centre) @ np.linalg.pinv(basis)
    local = local * stretch * grow + rng.normal(0, first["corner"] * bad, (4, 2)) + rng.normal(0, first["shift"] * bad, 2)
    return local @ basis @ turn.T + centre


def shrunk(p: Picture, plate: PlateLabel, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The plate's surroundings with the plate at most `width` pixels wide, and its corners there."""
    c = plate.corners
    w = plate_width(c)
    lo, hi = c.min(0) - 1.2 * w, c.max(0) + 1.2 * w
    h, wd = p.image.shape[:2]
    lo, hi = np.maximum(lo, 0).astype(int), np.minimum(hi, [wd, h]).astype(int) + 1
    part, c = p.image[lo[1] : hi[1], lo[0] : hi[0]], c - lo
    s = min(1.0, width / max(w, 1.0))
    if s < 0.98:
        size = (max(4, round(part.shape[1] * s)), max(4, round(part.shape[0] * s)))
        c = c * np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    return part, c


def mistakes(pictures: list[Picture]) -> list[tuple[Picture, np.ndarray]]:
    """What the finder wrongly took for a plate, where `mine` was run; quadrilaterals in picture pixels."""
    if not MISTAKES.exists():
        return []
    mined = json.loads(MISTAKES.read_text())
    return [
        (p, np.array(quad) * [p.image.shape[1], p.image.shape[0]]) for p in pictures for quad in mined.get(p.name, [])
    ]


class Looks(IterableDataset):
    """Endless batches of straightened plates with targets."""

    def __init__(self, real: list[Picture], negatives: list[Picture], synthetic: list[Picture], cfg: dict, seed: int):
        self.real = [p for p in real if p.plates]
        self.bare = negatives + [p for p in real if not p.plates]
        self.synthetic = [p for p in synthetic if p.plates]
        self.weights = domain_weights(self.real)
        self.mistakes = mistakes(real + negatives)
        self.cfg, self.seed = cfg, seed

    def pick(self, rng: np.random.Generator) -> Picture:
        if self.synthetic and rng.random() > self.cfg["data"]["real_share"]:
            return self.synthetic[rng.integers(len(self.synthetic))]
        return self.real[rng.choice(len(self.real), p=self.weights)]

    def nowhere(self, rng: np.random.Generator) -> Look:
        """A quadrilateral where no plate is, from a picture with or without one."""
        if rng.random() < self.cfg["first"]["parts"]:
            return self._part(rng)
        if self.mistakes and rng.random() < self.cfg["first"]["mistakes"]:
            p, quad = self.mistakes[rng.integers(len(self.mistakes))]
            return self._without(p.image, first_answer(quad, self.cfg["first"], rng), rng)
        while True:
            p = self.pick(rng) if rng.random() < 0.6 or not self.bare else self.bare[rng.integers(len(self.bare))]
            h, w = p.image.shape[:2]
            width = w * float(np.exp(rng.uniform(np.log(0.02), np.log(0.4))))
            height = width / rng.uniform(1.0, 5.0)
            box = np.array([[0, 0], [width, 0], [width, height], [0, height]]) + rng.uniform(0, 1, 2) * [w - width, h - height]
            quad = first_answer(box, self.cfg["first"], rng)
            if all(quad_iou(quad, q.corners) < 0.1 for q in p.plates):
                return self._without(p.image, quad, rng)

    def _part(self, rng: np.random.Generator) -> Look:
        """A piece of a plate, or something far larger around one: neither is a plate."""
        p = self.pick(rng)
        q = p.plates[rng.integers(len(p.plates))].corners.astype(float)
        centre, right, down = q.mean(0), q[1] - q[0], q[3] - q[0]
        if rng.random() < 0.6:
            share, off = rng.uniform(0.12, 0.42), rng.uniform(-0.3, 0.3, 2)
        else:
            share, off = rng.uniform(2.4, 5.0), rng.uniform(-0.6, 0.6, 2)
        quad = (q - centre) * share + centre + off[0] * right + off[1] * down
        return self._without(p.image, first_answer(quad, self.cfg["first"], rng), rng)

    def _without(self, img: np.ndarray, quad: np.ndarray, rng: np.random.Generator) -> Look:
        inp = self.cfg["input"]
        out, _ = straighten(img, grown(quad, inp["margin"]), inp["width"], inp["height"])
        if rng.random() < 0.5:
            out = spoil(out, (inp["width"], inp["height"]), rng)
        return Look(np.ascontiguousarray(out[:, ::-1]) if rng.random() < 0.5 else out, None)

    def sample(self, rng: np.random.Generator) -> Look:
        first, inp = self.cfg["first"], self.cfg["input"]
        if rng.random() < first["negatives"]:
            return self.nowhere(rng)
        p = self.pick(rng)
        plate = p.plates[rng.integers(len(p.plates))]
        lo, hi = first["plate_width"]
        width = float(np.exp(rng.uniform(np.log(lo), np.log(hi)))) * (1 if plate.rows == 2 else 1.5)
        img, corners = shrunk(p, plate, width)
        label = PlateLabel(corners.astype(np.float32), plate.rows, plate.colour, plate.exact)
        if rng.random() < first["recoloured"]:
            img = recoloured(img, [label], rng)
        if rng.random() < 0.7:
            img = spoil(img, (img.shape[1], img.shape[0]), rng)
        if rng.random() < 0.5:
            img = img[:, ::-1]
            corners = np.stack([img.shape[1] - corners[:, 0], corners[:, 1]], 1)[[1, 0, 3, 2]]
        quad = grown(first_answer(corners, first, rng), inp["margin"])
        out, matrix = straighten(img, quad, inp["width"], inp["height"])
        target = moved(corners, matrix) / [inp["width"], inp["height"]]
        return Look(out, target.astype(np.float32), plate.rows, label.colour, plate.exact)

    def __iter__(self):
        info = get_worker_info()
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            looks = [self.sample(rng) for _ in range(self.cfg["batch"])]
            rows = [
                [*(np.zeros(8) if k.corners is None else k.corners.flatten()), k.corners is not None, k.rows == 2, k.colour, k.exact]
                for k in looks
            ]
            yield torch.from_numpy(np.stack([k.image for k in looks])), torch.tensor(np.array(rows, np.float32))
