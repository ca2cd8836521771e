"""Frames with vehicle boxes, and the windows training looks through.

Real frames are sampled by camera, so that no junction dominates; synthetic
frames join with a fixed share. Every frame is held in memory at a moderate
size, already smaller than it was recorded, larger than the product sees it.
"""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..common import augment, synthetic
from ..common.letterbox import GREY, letterbox, to_tensor_layout
from . import dusk
from .boxes import stacked, unsaid
from .loss import HIDEOUT
from .net import CLASSES
from .paste import paste, patches
from .wet import reflect


@dataclass
class Frame:
    """One picture (RGB) and its boxes as rows of class, x1, y1, x2, y2 in its pixels.

    `unlabelled` are classes its source never labels, though they are there.
    """

    image: np.ndarray
    boxes: np.ndarray
    camera: str
    incomplete: bool
    unlabelled: list[int]
    name: str


def read_frame(picture: Path, labels: Path, camera: str, cfg: dict) -> Frame | None:
    img = cv2.imread(str(picture))
    if img is None:
        return None
    h, w = img.shape[:2]
    if max(h, w) > cfg["cache_side"]:
        s = cfg["cache_side"] / max(h, w)
        img = cv2.resize(img, (round(w * s), round(h * s)), interpolation=cv2.INTER_AREA)
        h, w = img.shape[:2]
    rows = []
    for line in labels.read_text().splitlines() if labels.exists() else []:
        v = [float(t) for t in line.split()[:5]]
        if len(v) == 5:
            c, x, y, bw, bh = v
            rows.append([c, (x - bw / 2) * w, (y - bh / 2) * h, (x + bw / 2) * w, (y + bh / 2) * h])
    boxes = np.array(rows, np.float32).reshape(-1, 5)
    unlabelled = [CLASSES.index(c) for source, classes in cfg["unlabelled"].items() if camera.startswith(source) for c in classes]
    return Frame(cv2.cvtColor(img, cv2.COLOR_BGR2RGB), boxes, camera, camera not in cfg["complete"], unlabelled, picture.name)


def real_frames(data: Path, cfg: dict) -> list[Frame]:
    folder = data / "vehicles"

    def read(row: dict) -> Frame | None:
        camera = next((place for place in cfg["one_camera"] if row["camera"].startswith(place)), row["camera"])
        labels = (folder / "labels" / row["file"]).with_suffix(".txt")
        return read_frame(folder / "images" / row["file"], labels, camera, cfg)

    with (folder / "manifest.csv").open(newline="") as f, ThreadPoolExecutor() as side_by_side:
        return [frame for frame in side_by_side.map(read, csv.DictReader(f)) if frame is not None]


def synthetic_frames(folder: Path | None, cfg: dict) -> list[Frame]:
    """Frames of the road world, every one from another camera pose; of each folder as many are asked for."""

    def read(found: tuple[Path, Path]) -> Frame | None:
        picture, root = found
        return read_frame(picture, root / "labels" / f"{picture.stem}.txt", f"synthetic {root.name}", cfg)

    with ThreadPoolExecutor() as side_by_side:
        return [frame for frame in side_by_side.map(read, synthetic.frames(folder, cfg["synthetic"])) if frame is not None]


def letterboxed(frames: list[Frame], cfg: dict) -> torch.Tensor:
    """Whole frames as the product sees them, f32 [B,3,H,W]."""
    inp = cfg["input"]
    return torch.from_numpy(to_tensor_layout([letterbox(f.image, inp["width"], inp["height"])[0] for f in frames]))


class Windows(IterableDataset):
    """An endless stream of training windows (uint8 HWC) with boxes and regions to ignore."""

    def __init__(self, real: list[Frame], synthetic: list[Frame], cfg: dict, seed: int):
        self.frames = real + synthetic
        self.cfg = cfg
        self.view = cfg["view"]
        self.seed = seed
        self.groups = [self._by_camera(real, 0), self._by_camera(synthetic, len(real))]
        counts = np.bincount(np.concatenate([f.boxes[:, 0].astype(int) for f in self.frames]), minlength=4)
        self.class_weight = 1 / np.sqrt(np.maximum(counts, 1))
        # Frames by the class of their patches: pasting asks for each class as often.
        self.patches: list[list[tuple[int, int]]] = [[] for _ in counts]
        for i, f in enumerate(real):
            for j in patches(f.image, f.boxes):
                if not f.unlabelled or f.boxes[j, 0] != HIDEOUT:
                    self.patches[int(f.boxes[j, 0])].append((i, j))

    @staticmethod
    def _by_camera(frames: list[Frame], offset: int) -> tuple[list[list[int]], np.ndarray]:
        cameras: dict[str, list[int]] = {}
        for i, f in enumerate(frames):
            cameras.setdefault(f.camera, []).append(i + offset)
        lists = list(cameras.values())
        weight = np.sqrt([len(v) for v in lists]) if lists else np.zeros(0)
        return lists, weight / max(weight.sum(), 1e-9)

    def pick(self, rng: np.random.Generator) -> Frame:
        real, synthetic = self.groups
        use_real = not synthetic[0] or rng.random() < self.view["real_share"]
        lists, weight = real if use_real else synthetic
        return self.frames[rng.choice(lists[rng.choice(len(lists), p=weight)])]

    def window(self, frame: Frame, w: int, h: int, full: bool, rng: np.random.Generator):
        """One view of a frame: its pixels, kept boxes and regions to ignore."""
        fh, fw = frame.image.shape[:2]
        inp = self.cfg["input"]
        base = min(inp["width"] / fw, inp["height"] / fh)
        lo, hi = self.view["zoom"]
        zoom = float(np.exp(rng.uniform(np.log(lo), np.log(hi))))
        if full:
            zoom = min(zoom, 1.15)
        stretch = float(np.exp(rng.normal(0, self.view["stretch"])))
        sx, sy = base * zoom * stretch, base * zoom / stretch
        if not full and len(frame.boxes) and rng.random() < 0.85:
            p = self.class_weight[frame.boxes[:, 0].astype(int)]
            b = frame.boxes[rng.choice(len(frame.boxes), p=p / p.sum())]
            cx, cy = (b[1] + b[3]) / 2, (b[2] + b[4]) / 2
            tx = within(w * rng.uniform(0.15, 0.85) - cx * sx, w, fw * sx)
            ty = within(h * rng.uniform(0.15, 0.85) - cy * sy, h, fh * sy)
        else:
            tx = rng.uniform(min(0, w - fw * sx), max(0, w - fw * sx))
            ty = rng.uniform(min(0, h - fh * sy), max(0, h - fh * sy))
        m = np.array([[sx, 0, tx], [0, sy, ty]], np.float32)
        if rng.random() < 0.5:
            m[0] = [-sx, 0, w - 1 - tx]
        shrink = cv2.INTER_AREA if sx < 0.6 else cv2.INTER_LINEAR
        img = cv2.warpAffine(frame.image, m, (w, h), flags=shrink, borderValue=GREY)
        kept, ignored = split_visible(moved(frame.boxes, m), w, h)
        silent = np.array([[c, 0, 0, w, h] for c in frame.unlabelled], np.float32).reshape(-1, 5)
        return img, kept, np.concatenate([ignored, silent])

    def sample(self, rng: np.random.Generator, size: tuple[int, int], full: bool):
        w, h = size
        frame = self.pick(rng)
        incomplete = frame.incomplete
        if not full and rng.random() < self.view["mosaic"]:
            img = np.empty((h, w, 3), np.uint8)
            cx, cy = int(w * rng.uniform(0.35, 0.65)), int(h * rng.uniform(0.35, 0.65))
            kept, ignored = [], []
            for x0, y0, x1, y1 in ((0, 0, cx, cy), (cx, 0, w, cy), (0, cy, cx, h), (cx, cy, w, h)):
                part, k, g = self.window(frame, x1 - x0, y1 - y0, False, rng)
                img[y0:y1, x0:x1] = part
                for boxes, into in ((k, kept), (g, ignored)):
                    boxes[:, [1, 3]] += x0
                    boxes[:, [2, 4]] += y0
                    into.append(boxes)
                frame = self.pick(rng)
                incomplete = incomplete or frame.incomplete
            kept, ignored = np.concatenate(kept), np.concatenate(ignored)
        else:
            img, kept, ignored = self.window(frame, w, h, full, rng)
        if not full and rng.random() < self.view["pasted"]:
            for _ in range(rng.integers(1, 4)):
                of_class = self.patches[rng.integers(len(self.patches))]
                if of_class and len(kept):
                    i, j = of_class[rng.integers(len(of_class))]
                    kept, ignored = paste(img, kept, ignored, self.frames[i].image, self.frames[i].boxes[j], rng)
        if rng.random() < self.view["dusk"]:
            img = dusk.fall(img, kept, rng)
        if rng.random() < self.view["wet"]:
            reflect(img, kept, rng)
        img = augment.colour(img, rng)
        if rng.random() < 0.15:
            img = augment.blur(img, rng, 1.6)
        if rng.random() < 0.15:
            img = augment.noise(img, rng, 12)
        if rng.random() < 0.15:
            img = augment.jpeg(img, rng)
        return img, kept, ignored, incomplete

    def __iter__(self):
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        cv2.setNumThreads(0)
        rng = np.random.default_rng([self.seed, worker])
        inp, n = self.cfg["input"], self.cfg["batch"]
        while True:
            full = rng.random() < self.view["full_frame"]
            size = (inp["width"], inp["height"]) if full else tuple(self.view["sizes"][rng.integers(len(self.view["sizes"]))])
            batch = [self.sample(rng, size, full) for _ in range(n // 4 if full else n)]
            yield {
                "images": torch.from_numpy(np.stack([b[0] for b in batch])),
                "boxes": torch.from_numpy(stacked([b[1] for b in batch])),
                "ignored": torch.from_numpy(stacked([b[2] for b in batch])),
                "incomplete": torch.tensor([b[3] for b in batch]),
            }


def moved(boxes: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Rows of class and box after the scaling and shift `m` [2,3], which may mirror."""
    xs = np.sort(boxes[:, [1, 3]] * m[0, 0] + m[0, 2], 1)
    ys = np.sort(boxes[:, [2, 4]] * m[1, 1] + m[1, 2], 1)
    return np.stack([boxes[:, 0], xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], 1)


def within(start: float, window: float, length: float, slack: float = 0.08) -> float:
    """Where the frame starts so that the window shows little of what is beside it."""
    return float(np.clip(start, min(0, window - length) - slack * window, max(0, window - length) + slack * window))


def split_visible(boxes: np.ndarray, w: int, h: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips boxes to the window; what is mostly outside or tiny becomes a region to ignore."""
    clipped = boxes.copy()
    clipped[:, [1, 3]] = clipped[:, [1, 3]].clip(0, w)
    clipped[:, [2, 4]] = clipped[:, [2, 4]].clip(0, h)
    cw, ch = clipped[:, 3] - clipped[:, 1], clipped[:, 4] - clipped[:, 2]
    area = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    touching = (cw > 1) & (ch > 1)
    visible = cw * ch / np.maximum(area, 1e-6)
    good = touching & (visible > 0.4) & (np.maximum(cw, ch) >= 9) & (np.minimum(cw, ch) >= 4)
    return clipped[good], unsaid(clipped[touching & ~good])
