"""What boxes [N,4] (x1, y1, x2, y2) have in common with one of them."""

from __future__ import annotations

import numpy as np


def area(boxes: np.ndarray) -> np.ndarray:
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
