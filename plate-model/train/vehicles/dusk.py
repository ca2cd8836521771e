"""Dusk: the picture darkens, the vehicles' lamps come on, and what stands before lamps is lit by them.

Most frames are of bright days, while a camera sees half its traffic by lamplight. Where the lamps of
a vehicle are follows from its box closely enough: low and at both sides, in the middle for a motorbike.
"""

from __future__ import annotations

import numpy as np

DARK = (0.3, 0.8)         # what is left of the daylight
LIT = 0.7                 # share of vehicles with lamps on
RED, WARM = np.array([1.0, 0.12, 0.1], np.float32), np.array([1.0, 0.88, 0.65], np.float32)
HEIGHT = (0.55, 0.85)     # of the box, from its top, where lamps are
RADIUS = (0.04, 0.1)      # of the box's width
BLOOM = ((0.2, 0.25), (0.8, 0.08))  # sigma in box widths and strength of the halos around a lamp
SHONE_ON = (0.0, 0.3)     # most light that other vehicles' lamps throw on one's lower half


def fall(img: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The window `img` (RGB) at dusk, with lamps on in `boxes` (class, x1, y1, x2, y2)."""
    tint = np.array([rng.uniform(0.8, 1.1), 0.95, rng.uniform(0.95, 1.2)], np.float32)
    out = img.astype(np.float32) * (rng.uniform(*DARK) * tint)
    fronts = rng.uniform(0.1, 0.9)  # share of vehicles that come towards the camera
    for c, *box in boxes:
        if rng.random() > LIT:
            continue
        x1, y1, x2, y2 = box
        wide, tall = x2 - x1, y2 - y1
        colour = WARM if rng.random() < fronts else RED
        lit = out[int(max(0, y1 + tall / 2)):int(max(0, y2)), int(max(0, x1)):int(max(0, x2))]
        lit *= 1 + rng.uniform(*SHONE_ON) * WARM * 2
        radius, y = max(1.0, rng.uniform(*RADIUS) * wide), y1 + rng.uniform(*HEIGHT) * tall
        sides = (0.5,) if c == 0 else (rng.uniform(0.1, 0.22), rng.uniform(0.78, 0.9))
        power = rng.uniform(0.3, 1.0) * 255
        reach = int(2.5 * wide) + 4
        for side in sides:
            lamp(out, (x1 + side * wide, y), radius, reach, wide, power * colour)
    return np.clip(out, 0, 255).astype(np.uint8)


def lamp(out: np.ndarray, at: tuple[float, float], radius: float, reach: int, wide: float, light: np.ndarray) -> None:
    """Adds one lamp with its halos to `out`, in place; nothing beyond `reach` pixels."""
    h, w = out.shape[:2]
    x0, x1 = (int(np.clip(at[0] + d, 0, w)) for d in (-reach, reach))
    y0, y1 = (int(np.clip(at[1] + d, 0, h)) for d in (-reach, reach))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    along = [(np.arange(a, b) + 0.5 - c) ** 2 for a, b, c in ((y0, y1, at[1]), (x0, x1, at[0]))]
    shape = np.zeros((y1 - y0, x1 - x0), np.float32)
    for sigma, strength in ((0.0, 1.0), *BLOOM):
        down, across = (np.exp(-d / (2 * (sigma * wide / 2 + radius) ** 2)).astype(np.float32) for d in along)
        shape += strength * down[:, None] * across[None]
    out[y0:y1, x0:x1] += shape[..., None] * light
