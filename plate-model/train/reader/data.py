"""Plate crops with their text, degraded the way a junction camera degrades them.

Real crops come with or without corners; without, the crop's own border stands
in. Each sample is shrunk to a random plate width, blurred, compressed, and then
rectified by slightly wrong corners, because the finder is never exact.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..common import augment, synthetic
from ..common.split import is_held_out
from .alphabet import encode, readable

KEYS = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")


@dataclass
class Plate:
    """A crop (RGB), the plate's corners in it, and what it says."""

    image: np.ndarray
    corners: np.ndarray
    text: str
    rows: int
    domain: str


def _shrunk(img: np.ndarray, side: int) -> np.ndarray:
    s = side / img.shape[1]
    return cv2.resize(img, None, fx=s, fy=s, interpolation=cv2.INTER_AREA) if s < 1 else img


def real_plates(data: Path, cfg: dict) -> list[Plate]:
    folder = data / "reader"
    plates = []
    with (folder / "labels.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            img = cv2.imread(str(folder / "images" / row["file"]))
            if img is None or not readable(row["text"]):
                continue
            img = cv2.cvtColor(_shrunk(img, cfg["keep_side"]), cv2.COLOR_BGR2RGB)
            h, w = img.shape[:2]
            if row["x1"]:
                corners = np.array([float(row[k]) for k in KEYS]).reshape(4, 2) * [w, h]
            else:
                corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], float)
            plates.append(Plate(img, corners.astype(np.float32), row["text"], int(row["lines"]), row["domain"]))
    return plates


def synthetic_plates(folder: Path | None, cfg: dict) -> list[Plate]:
    """Plates drawn by the road world: `plates/labels.csv` and `plates/images`."""
    root, plates = synthetic.plates(folder), []
    if root is None:
        return []
    with (root / "labels.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            img = cv2.imread(str(root / "images" / row["file"]))
            if img is None or not readable(row["text"]):
                continue
            img = cv2.cvtColor(_shrunk(img, cfg["keep_side"]), cv2.COLOR_BGR2RGB)
            h, w = img.shape[:2]
            corners = np.array([float(row[k]) for k in KEYS]).reshape(4, 2) * [w, h]
            plates.append(Plate(img, corners.astype(np.float32), row["text"], int(row["rows"]), "synthetic"))
    return plates


def split(plates: list[Plate]) -> tuple[list[Plate], list[Plate]]:
    """Training and validation; no text of validation is ever seen in training."""

    validation = [p for p in plates if is_held_out(p.domain, [p.text])]
    texts = {p.text for p in validation}
    return [p for p in plates if p.text not in texts], validation


def rectify(img: np.ndarray, corners: np.ndarray, width: int, height: int, flags: int = cv2.INTER_LINEAR) -> np.ndarray:
    """The plate's quadrilateral stretched to the whole input."""
    to = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    m = cv2.getPerspectiveTransform(corners.astype(np.float32), to)
    return cv2.warpPerspective(img, m, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def at_width(plate: Plate, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The crop scaled so that the plate is at most `width` pixels wide, with its corners."""
    c = plate.corners
    now = (np.linalg.norm(c[1] - c[0]) + np.linalg.norm(c[2] - c[3])) / 2
    s = min(1.0, width / max(now, 1.0))
    if s >= 0.98:
        return plate.image, c
    h, w = plate.image.shape[:2]
    nw, nh = max(4, round(w * s)), max(4, round(h * s))
    img = cv2.resize(plate.image, (nw, nh), interpolation=cv2.INTER_AREA)
    return img, c * np.array([nw / w, nh / h], np.float32)


def degrade(plate: Plate, cfg: dict, rng: np.random.Generator) -> np.ndarray:
    """One training input: the plate as a bad camera and an imperfect finder would hand it over."""
    d = cfg["degrade"]
    # Synthetic crops come degraded already: most of them only change colour here.
    fresh = plate.domain != "synthetic" or rng.random() < 0.3
    if fresh:
        lo, hi = d["width_two_rows"] if plate.rows == 2 else d["width_one_row"]
        width = float(np.exp(rng.uniform(np.log(lo), np.log(hi))))
        img, corners = at_width(plate, width)
        if rng.random() < d["blur"]:
            img = augment.blur(img, rng, 0.3 + 0.009 * width)
    else:
        img, corners = plate.image, plate.corners
    img = augment.colour(img, rng, 1.0 if fresh else 0.6)
    if fresh and rng.random() < d["noise"]:
        img = augment.noise(img, rng, 12)
    if fresh and rng.random() < d["jpeg"] and min(img.shape[:2]) >= 8:
        img = augment.jpeg(img, rng, 30, 90)
    if fresh and rng.random() < 0.1:
        img = shade(img, rng)
    right, down = corners[1] - corners[0], corners[3] - corners[0]
    # Some plates are found exactly, some badly.
    sigma = d["jitter"] / 2 * rng.uniform(0.2, 1.6)
    err = rng.normal(0, sigma, (4, 2)) + rng.normal(0, sigma, (1, 2)) * 0.7
    corners = corners + err[:, :1] * right + err[:, 1:] * down * 1.3
    flags = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    out = rectify(img, corners, cfg["input"]["width"], cfg["input"]["height"], flags)
    return 255 - out if fresh and rng.random() < 0.04 else out


def shade(img: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A shadow's edge across the plate."""
    h, w = img.shape[:2]
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    a = rng.uniform(0, 2 * np.pi)
    side = np.cos(a) * (xs / w - rng.uniform(0.2, 0.8)) + np.sin(a) * (ys / h - rng.uniform(0.2, 0.8))
    dark = 1 - rng.uniform(0.2, 0.65) / (1 + np.exp(-side * rng.uniform(8, 40)))
    return np.clip(img * dark[..., None], 0, 255).astype(np.uint8)


class Plates(IterableDataset):
    """An endless stream of batches; rare characters and small domains come up more often."""

    def __init__(self, real: list[Plate], synthetic: list[Plate], cfg: dict, seed: int):
        self.groups = [(real, self._weights(real)), (synthetic, self._weights(synthetic))]
        self.cfg = cfg
        self.seed = seed

    @staticmethod
    def _weights(plates: list[Plate]) -> np.ndarray:
        if not plates:
            return np.zeros(0)
        letters: dict[str, int] = {}
        domains: dict[tuple[str, int], int] = {}
        for p in plates:
            domains[(p.domain, p.rows)] = domains.get((p.domain, p.rows), 0) + 1
            for c in set(p.text):
                letters[c] = letters.get(c, 0) + 1
        w = np.array([1 / np.sqrt(domains[(p.domain, p.rows)] * min(letters[c] for c in p.text)) for p in plates])
        w = np.minimum(w, np.median(w) * 12)
        return w / w.sum()

    def __iter__(self):
        info = get_worker_info()
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        n = self.cfg["batch"]
        while True:
            images, labels = [], []
            share = self.cfg["data"]["real_share"] if self.groups[1][0] else 1.0
            for _ in range(n):
                plates, weights = self.groups[0 if rng.random() < share else 1]
                p = plates[rng.choice(len(plates), p=weights)]
                images.append(degrade(p, self.cfg, rng))
                labels.append(encode(p.text))
            yield torch.from_numpy(np.stack(images)), torch.tensor(labels)
