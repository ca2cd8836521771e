"""Picture augmentations shared by the rooms: what lenses, weather and codecs do to a frame."""

from __future__ import annotations

import cv2
import numpy as np


def colour(img: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Gain per channel, gamma, brightness, haze and saturation; never needs float pictures."""
    ramp = np.arange(256, dtype=np.float32) / 255
    gamma = float(np.exp(rng.normal(0, 0.3 * strength)))
    gain = float(np.exp(rng.normal(0, 0.18 * strength)))
    low = max(0.0, rng.normal(0, 0.12 * strength))  # haze lifts black
    curves = []
    for _ in range(3):
        c = float(np.exp(rng.normal(0, 0.06 * strength)))
        curves.append(np.clip((low + (1 - low) * ramp**gamma * gain * c) * 255, 0, 255).astype(np.uint8))
    img = cv2.LUT(img, np.stack(curves, -1).reshape(256, 1, 3))
    if rng.random() < 0.5 * strength:
        grey = cv2.cvtColor(cv2.cvtColor(img, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = float(rng.uniform(0, 1.4))
        img = cv2.addWeighted(img, keep, grey, 1 - keep, 0)
    return img


def blur(img: np.ndarray, rng: np.random.Generator, largest: float) -> np.ndarray:
    """Defocus or motion blur; `largest` is the greatest sigma in pixels."""
    sigma = float(rng.uniform(0.2, largest))
    if rng.random() < 0.5:
        return cv2.GaussianBlur(img, (0, 0), sigma)
    length = max(2, int(round(sigma * 3)))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    for t in np.linspace(-0.5, 0.5, length * 3):
        x = int(round((length - 1) * (0.5 + t * np.cos(angle))))
        y = int(round((length - 1) * (0.5 + t * np.sin(angle))))
        kernel[y, x] = 1
    return cv2.filter2D(img, -1, kernel / kernel.sum())


def noise(img: np.ndarray, rng: np.random.Generator, largest: float) -> np.ndarray:
    """Sensor noise up to `largest` grey levels, sometimes without colour."""
    sigma = rng.uniform(1, largest)
    shape = img.shape if rng.random() < 0.5 else (*img.shape[:2], 1)
    grain = rng.standard_normal(shape, dtype=np.float32) * sigma
    return np.clip(img.astype(np.float32) + grain, 0, 255).astype(np.uint8)


def jpeg(img: np.ndarray, rng: np.random.Generator, worst: int = 25, best: int = 85) -> np.ndarray:
    _, data = cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(worst, best))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
