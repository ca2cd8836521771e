"""Pictures with plates, real and synthetic, and the stream of training crops."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..common import split, synthetic
from .crops import Picture, PlateLabel, closer_box, cut, pasted_small, plate_width, random_box, recoloured, spoil, vehicle_box
from .net import COLOURS


def _load(path: Path, side: int) -> tuple[np.ndarray, float] | None:
    img = cv2.imread(str(path))
    if img is None:
        return None
    s = min(1.0, side / max(img.shape[:2]))
    if s < 1:
        img = cv2.resize(img, None, fx=s, fy=s, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(img, cv2.COLOR_BGR2RGB), s


def plate_colours(data: Path) -> dict[tuple[str, int], int]:
    """Colour by picture and plate number, from the reader's labels."""
    colours = {}
    with (data / "reader" / "labels.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            number = row["file"].rsplit(".", 1)[0].rsplit("_", 1)[-1]
            if row["image"] and number.isdigit() and row["colour"] in COLOURS:
                colours[(row["image"], int(number))] = COLOURS.index(row["colour"])
    return colours


def real_pictures(data: Path, cfg: dict) -> list[Picture]:
    """Labelled pictures, those of validation marked."""
    folder, colours, texts = data / "plates", plate_colours(data), split.texts_of_pictures(data)
    pictures = []
    with (folder / "manifest.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            loaded = _load(folder / "images" / row["file"], cfg["keep_side"])
            stem = row["file"].rsplit(".", 1)[0]
            quads = folder / "quads" / f"{stem}.txt"
            if loaded is None or not quads.exists():
                continue
            img, plates = loaded[0], []
            h, w = img.shape[:2]
            for i, line in enumerate(quads.read_text().splitlines()):
                t = line.split()
                corners = np.array(t[1:9], np.float32).reshape(4, 2) * np.array([w, h], np.float32)
                plates.append(PlateLabel(corners, int(t[0]), colours.get((stem, i), 0), t[9] == "quad"))
            held_out = split.is_held_out(row["domain"], list(texts.get(stem, {}).values()))
            pictures.append(Picture(img, plates, row["domain"], name=stem, held_out=held_out))
    return pictures


def vehicle_negatives(data: Path, cfg: dict) -> list[Picture]:
    """Vehicles too small for their plate to be seen: their crops must stay silent."""
    folder, pictures = data / "vehicles", []
    with (folder / "manifest.csv").open(newline="") as f:
        for row in list(csv.DictReader(f))[::3]:
            loaded = _load(folder / "images" / row["file"], cfg["keep_side"])
            labels = (folder / "labels" / row["file"]).with_suffix(".txt")
            if loaded is None or not labels.exists():
                continue
            h, w = loaded[0].shape[:2]
            boxes = []
            for line in labels.read_text().splitlines():
                _, x, y, bw, bh = (float(v) for v in line.split()[:5])
                if 14 < bw * w < 45 and bh * h > 14:
                    boxes.append([(x - bw / 2) * w, (y - bh / 2) * h, (x + bw / 2) * w, (y + bh / 2) * h])
            if boxes:
                pictures.append(Picture(loaded[0], [], "no plate", np.array(boxes, np.float32), name=row["file"]))
    return pictures


def synthetic_pictures(folder: Path | None, cfg: dict) -> list[Picture]:
    """Vehicles of the road world's frames, each cut generously so that memory stays small."""
    pictures = []
    for path, root in synthetic.frames(folder):
        img = cv2.imread(str(path))
        if img is None:
            continue
        h, w = img.shape[:2]
        scale = np.array([w, h], np.float32)
        plates: dict[int, PlateLabel] = {}
        for line in (root / "quads" / f"{path.stem}.txt").read_text().splitlines():
            t = line.split()
            corners = np.array(t[1:9], np.float32).reshape(4, 2) * scale
            colour = COLOURS.index(t[10]) if t[10] in COLOURS else 0
            plates[int(t[11])] = PlateLabel(corners, int(t[0]), colour, True)
        boxes = []
        for line in (root / "labels" / f"{path.stem}.txt").read_text().splitlines():
            _, x, y, bw, bh = (float(v) for v in line.split()[:5])
            boxes.append([(x - bw / 2) * w, (y - bh / 2) * h, (x + bw / 2) * w, (y + bh / 2) * h])
        img = cv2.cvtColor(img, cv2.COLOR_BGR2RGB)
        pictures += [p for i, b in enumerate(boxes) if (p := _around(img, b, plates, i, cfg["keep_side"])) is not None]
    return pictures


def _around(img: np.ndarray, box: list[float], plates: dict[int, PlateLabel], own: int, side: int) -> Picture | None:
    """One vehicle with its surroundings and every plate wholly inside; None if too small to matter."""
    x0, y0, x1, y1 = box
    if x1 - x0 < 24 or y1 - y0 < 24:
        return None
    mx, my = (x1 - x0) * 0.2, (y1 - y0) * 0.2
    ox, oy = int(max(0, x0 - mx)), int(max(0, y0 - my))
    part = img[oy : int(y1 + my) + 1, ox : int(x1 + mx) + 1]
    s = min(1.0, side / 2 / max(part.shape[:2]))
    part = cv2.resize(part, None, fx=s, fy=s, interpolation=cv2.INTER_AREA) if s < 1 else part.copy()
    h, w = part.shape[:2]
    shift = np.array([ox, oy], np.float32)
    mine = []
    # The vehicle's own plate first.
    for number in sorted(plates, key=lambda n: n != own):
        q = plates[number]
        corners = (q.corners - shift) * np.float32(s)
        if corners.min() > 0 and corners[:, 0].max() < w and corners[:, 1].max() < h:
            mine.append(PlateLabel(corners, q.rows, q.colour, True))
    around = np.array([[x0 - ox, y0 - oy, x1 - ox, y1 - oy]], np.float32) * np.float32(s)
    return Picture(part, mine, "synthetic", around)


def domain_weights(pictures: list[Picture]) -> np.ndarray:
    """How often each picture is drawn: large domains less than their size, street scenes more."""
    domains: dict[str, int] = {}
    for p in pictures:
        domains[p.domain] = domains.get(p.domain, 0) + 1
    street = {"dieu": 2.5}  # closest to a junction camera
    w = np.array([street.get(p.domain, 1.0) / np.sqrt(domains[p.domain]) for p in pictures])
    return w / w.sum()


class Crops(IterableDataset):
    """Endless batches of crops with the labels of the plates in them."""

    def __init__(self, real: list[Picture], negatives: list[Picture], synthetic: list[Picture], cfg: dict, seed: int):
        self.real, self.negatives, self.synthetic = real, negatives, synthetic
        self.coloured = [p for p in synthetic if any(q.colour > 0 for q in p.plates)]
        self.cfg, self.seed = cfg, seed
        self.weights = domain_weights(real)

    def sample(self, rng: np.random.Generator):
        crop, side = self.cfg["crop"], self.cfg["input"]["side"]
        r = rng.random()
        if r < crop["negatives"]:
            p = self.negatives[rng.integers(len(self.negatives))] if rng.random() < 0.6 else self.real[rng.integers(len(self.real))]
            box = random_box(p, rng)
        else:
            if self.synthetic and rng.random() > self.cfg["data"]["real_share"]:
                pool = self.coloured if self.coloured and rng.random() < 0.3 else self.synthetic
                p = pool[rng.integers(len(pool))]
            else:
                p = self.real[rng.choice(len(self.real), p=self.weights)]
                widest = max(plate_width(q.corners) for q in p.plates) / p.image.shape[1] if p.plates else 0
                if widest > 0.12 and rng.random() < crop["small_on_other"] * 1.6:
                    pool = self.negatives if rng.random() < 0.7 else self.real
                    p = pasted_small(p, pool[rng.integers(len(pool))], rng)
            if not p.plates:
                box = random_box(p, rng)
            else:
                look = closer_box if rng.random() < crop["closer"] else partial(vehicle_box, crop=crop)
                box = look(p, p.plates[rng.integers(len(p.plates))], rng=rng)
        img, plates, content = cut(p, box, side, rng)
        if rng.random() < crop["recoloured"]:
            img = recoloured(img, plates, rng)
        return spoil(img, content, rng), plates

    def __iter__(self):
        info = get_worker_info()
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            batch = [self.sample(rng) for _ in range(self.cfg["batch"])]
            rows = []
            for i, (_, plates) in enumerate(batch):
                for q in plates:
                    rows.append([i, *q.corners.flatten(), q.rows, q.colour, float(q.exact)])
            labels = torch.tensor(rows, dtype=torch.float32).reshape(-1, 12)
            yield torch.from_numpy(np.stack([b[0] for b in batch])), labels
