"""A wet road: every vehicle stands on its own mirror image, and a box that takes in both is wrong.

Few cameras show rain, all could. The reflection is the vehicle's lower part turned upside down
below its wheels, smeared downwards as rough asphalt does, and fading; the boxes stay as they are.
"""

from __future__ import annotations

import cv2
import numpy as np

SHARE = (0.5, 1.0)     # of a vehicle's height that is seen again below it
STRENGTH = (0.25, 0.7)  # of the reflection right below the wheels
SMEAR = (0.01, 0.06)   # of its height, sigma downwards


def reflect(img: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> None:
    """Lays reflections below `boxes` (class, x1, y1, x2, y2) into the window `img`, in place."""
    h, w = img.shape[:2]
    strength, share, smear = rng.uniform(*STRENGTH), rng.uniform(*SHARE), rng.uniform(*SMEAR)
    dry = img.copy()
    covered = np.zeros((h, w), bool)  # a vehicle before another one is not a mirror
    inside = np.clip(boxes[:, 1:5], 0, [w, h, w, h]).astype(int)
    for x1, y1, x2, y2 in inside:
        covered[y1:y2, x1:x2] = True
    for x1, y1, x2, y2 in inside:
        tall = min(int((y2 - y1) * share), h - y2)
        if tall < 3 or x2 - x1 < 3:
            continue
        mirrored = cv2.GaussianBlur(dry[y2 - tall:y2, x1:x2][::-1], (0, 0), sigmaX=0.6, sigmaY=max(0.6, smear * (y2 - y1)))
        fade = strength * np.linspace(1, 0, tall, dtype=np.float32)[:, None]
        side = np.minimum(1, (np.minimum(np.arange(x2 - x1), np.arange(x2 - x1)[::-1]) + 1) / (0.1 * (x2 - x1) + 1))
        mask = (fade * side[None] * ~covered[y2:y2 + tall, x1:x2])[..., None].astype(np.float32)
        below = img[y2:y2 + tall, x1:x2]
        below[:] = (mirrored * mask + below * (1 - mask)).astype(np.uint8)
