"""Boxes as rows of class, x1, y1, x2, y2: what they have in common, and the classes that are none."""

from __future__ import annotations

import numpy as np

EVERY = -1  # class of a region to ignore in which nothing is said of any class
NOBODY = -9  # class of a row that only fills up


def area(boxes: np.ndarray) -> np.ndarray:
    """Of boxes [..., 4], in square pixels."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def shared(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection with every other box, in square pixels."""
    w = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    h = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return w.clip(0) * h.clip(0)


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union with every other box."""
    inter = shared(box, others)
    return inter / (area(box) + area(others) - inter + 1e-9)


def unsaid(rows: np.ndarray) -> np.ndarray:
    """Rows of class and box as regions in which nothing is said of any class."""
    return np.concatenate([np.full((len(rows), 1), EVERY, rows.dtype), rows[:, 1:]], 1)


def stacked(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of class and box of every picture as one f32 [B,M,5], M at least 1; short ones filled up with `NOBODY`."""
    found = np.full((len(rows), max([1, *map(len, rows)]), 5), NOBODY, np.float32)
    for mine, them in zip(found, rows):
        mine[:len(them)] = them
    return found
