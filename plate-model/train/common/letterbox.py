"""The one letterbox of the product: scale to fit, content at the top left, grey 114 around."""

from __future__ import annotations

import cv2
import numpy as np

GREY = (114, 114, 114)


def letterbox(img: np.ndarray, width: int, height: int) -> tuple[np.ndarray, float]:
    """The letterboxed picture and the scale from source to letterboxed pixels."""
    h, w = img.shape[:2]
    scale = min(width / w, height / h)
    nw, nh = max(1, round(w * scale)), max(1, round(h * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out = np.full((height, width, 3), GREY[0], np.uint8)
    out[:nh, :nw] = cv2.resize(img, (nw, nh), interpolation=interpolation)
    return out, scale


def to_tensor_layout(imgs: list[np.ndarray]) -> np.ndarray:
    """uint8 pictures to one f32 NCHW array in 0..1."""
    return np.ascontiguousarray(np.stack(imgs).transpose(0, 3, 1, 2)).astype(np.float32) / 255
