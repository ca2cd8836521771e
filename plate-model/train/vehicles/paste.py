"""Vehicles of one frame set into another: buses and trucks are rare, and each stands before few backgrounds.

The pasted rectangle fades at its border, so that its seam is not what gives a vehicle away. Its
size follows from a vehicle already in the window: what stands as low is about as far away.
"""

from __future__ import annotations

import cv2
import numpy as np

from .boxes import area, shared, unsaid

# Height beside a motorbike with rider, by class, at the same distance.
HEIGHT = np.array([1.0, 0.95, 1.8, 1.6], np.float32)
FADE = 0.08       # of the sides, over which the patch comes in
LEAST = 24        # smallest side of a patch where it is taken from, pixels
MOST_GROWN = 1.4  # a patch is enlarged by no more
FREE = 0.2        # most that any other vehicle may share of a patch
COVERED = 0.5     # a vehicle hidden by more is no longer asked for


def patches(image: np.ndarray, boxes: np.ndarray) -> list[int]:
    """Rows of `boxes` (class, x1, y1, x2, y2) large enough, whole and with nobody else before or behind them."""
    h, w = image.shape[:2]
    found = []
    for i, b in enumerate(boxes[:, 1:5]):
        inside = b[0] > 2 and b[1] > 2 and b[2] < w - 2 and b[3] < h - 2
        others = np.delete(boxes[:, 1:5], i, 0)
        if inside and min(b[2] - b[0], b[3] - b[1]) >= LEAST and (shared(b, others) <= FREE * area(b)).all():
            found.append(i)
    return found


def paste(img: np.ndarray, kept: np.ndarray, ignored: np.ndarray, image: np.ndarray, row: np.ndarray, rng: np.random.Generator):
    """Sets `row`'s vehicle of `image` into the window `img`, in place; returns its boxes and regions to ignore anew."""
    h, w = img.shape[:2]
    beside = kept[rng.integers(len(kept))]
    tall = (beside[4] - beside[2]) * HEIGHT[int(row[0])] / HEIGHT[int(beside[0])] * np.exp(rng.normal(0, 0.2))
    x1, y1, x2, y2 = (int(round(float(v))) for v in row[1:5])
    scale = tall / (y2 - y1)
    pw, ph = int(round((x2 - x1) * scale)), int(round(tall))
    if scale > MOST_GROWN or min(pw, ph) < 8 or pw > 0.7 * w or ph > 0.8 * h:
        return kept, ignored
    patch = cv2.resize(image[y1:y2, x1:x2], (pw, ph), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    left = int(rng.integers(0, max(1, w - pw)))
    top = int(np.clip(beside[4] + rng.normal(0, 0.15) * ph - ph, 0, h - ph))
    along = [np.minimum(1, np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5) / max(1, FADE * n)) for n in (ph, pw)]
    mask = (along[0][:, None] * along[1][None])[..., None].astype(np.float32)
    under = img[top:top + ph, left:left + pw]
    under[:] = (patch * mask + under * (1 - mask)).astype(np.uint8)
    box = np.array([row[0], left, top, left + pw, top + ph], np.float32)
    hidden = shared(box[1:5], kept[:, 1:5]) > COVERED * area(kept[:, 1:5])
    return np.concatenate([kept[~hidden], box[None]]), np.concatenate([ignored, unsaid(kept[hidden])])
