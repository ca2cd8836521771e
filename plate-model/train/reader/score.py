"""Whole-plate and per-character accuracy, by domain, rows and plate width; and the temperature."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ..common.device import answers
from ..common.letterbox import to_tensor_layout
from .alphabet import decode, encode
from .data import Plate, at_width, degrade, rectify


def as_found(plates: list[Plate], cfg: dict, width: float | None = None) -> np.ndarray:
    """Inputs rectified by the true corners, optionally shrunk to a plate width first."""
    inp, out = cfg["input"], []
    for p in plates:
        img, corners = at_width(p, width) if width else (p.image, p.corners)
        out.append(rectify(img, corners, inp["width"], inp["height"], cv2.INTER_LINEAR))
    return to_tensor_layout(out)


def as_degraded(plates: list[Plate], cfg: dict, seed: int) -> np.ndarray:
    """Inputs with the training degradation, from a fixed seed."""
    rng = np.random.default_rng(seed)
    return to_tensor_layout([degrade(p, cfg, rng) for p in plates])


@torch.no_grad()
def run(net, inputs: np.ndarray, batch: int = 128) -> torch.Tensor:
    net.eval()
    return torch.cat([answers(net, inputs[i : i + batch])[0] for i in range(0, len(inputs), batch)])


def texts(logits) -> list[str]:
    return [decode(row) for row in np.asarray(logits).argmax(-1)]


def accuracy(read: list[str], plates: list[Plate]) -> float:
    return float(np.mean([r == p.text for r, p in zip(read, plates)])) if plates else float("nan")


def by_domain(read: list[str], plates: list[Plate]) -> dict[str, float]:
    groups: dict[str, list[bool]] = {}
    for r, p in zip(read, plates):
        groups.setdefault(f"{p.domain}_{p.rows}row", []).append(r == p.text)
    return {k: float(np.mean(v)) for k, v in sorted(groups.items())}


def temperature(logits: torch.Tensor, plates: list[Plate]) -> float:
    """The temperature with the least cross-entropy on the given plates."""
    labels = torch.tensor([encode(p.text) for p in plates]).flatten()
    flat = logits.flatten(0, 1)
    grid = np.exp(np.linspace(np.log(0.4), np.log(3.0), 80))
    costs = [torch.nn.functional.cross_entropy(flat / t, labels).item() for t in grid]
    return float(grid[int(np.argmin(costs))])
