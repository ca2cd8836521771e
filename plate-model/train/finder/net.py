"""A tiny network with one 24x24 grid: is a plate's middle here, and where are its corners.

Corners are offsets from the cell's centre in units of 16 pixels. A coarser
branch sees the whole vehicle, so that a sticker is not taken for a plate.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..common.layers import ConvUnit, Residual, SeparableUnit

STRIDE = 8
UNIT = 16.0
COLOURS = ("white", "yellow", "blue", "red")
COLOUR_BALANCE = (1.0, 3.0, 3.0, 3.0)  # what a mistake about each costs: all but white are rare
CHANNELS = 1 + 8 + 1 + len(COLOURS)


class FinderNet(nn.Module):
    """Crop to raw map [B, 14, 24, 24]: score, 8 offsets, rows, 4 colours."""

    def __init__(self, c1: int = 16, c2: int = 32, c3: int = 46, c4: int = 64):
        super().__init__()
        self.stem = nn.Sequential(ConvUnit(3, c1, 3, 2), ConvUnit(c1, c2, 3, 2), SeparableUnit(c2, c2), ConvUnit(c2, c3, 3, 2))
        self.fine = Residual(c3)
        self.coarse = nn.Sequential(ConvUnit(c3, c4, 3, 2), SeparableUnit(c4, c4, k=5), SeparableUnit(c4, c4, k=5), ConvUnit(c4, c3, 1))
        self.mix = SeparableUnit(c3, c3)
        self.score = nn.Sequential(SeparableUnit(c3, c3), nn.Conv2d(c3, 6, 1))
        self.corners = nn.Sequential(SeparableUnit(c3, c3), SeparableUnit(c3, c3), nn.Conv2d(c3, 8, 1))
        nn.init.constant_(self.score[-1].bias[:1], -math.log(99.0))

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Score, rows and colours [B,6,h,w]; corner offsets [B,8,h,w]."""
        f = self.fine(self.stem(crops - 0.45))
        f = self.mix(f + F.interpolate(self.coarse(f), scale_factor=2.0, mode="nearest"))
        return self.score(f), self.corners(f)


def cell_centres(side: int) -> torch.Tensor:
    """Cell centres (x, y) in input pixels, row by row."""
    n = side // STRIDE
    ys, xs = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    return (torch.stack([xs, ys], -1).reshape(-1, 2).float() + 0.5) * STRIDE


class DecodedFinder(nn.Module):
    """The exported graph: corners in input pixels, scores, rows, colours for every cell."""

    def __init__(self, net: FinderNet, side: int):
        super().__init__()
        self.net = net
        self.register_buffer("centres", cell_centres(side).repeat(1, 4)[None])

    def forward(self, crops: torch.Tensor):
        what, where = self.net(crops)
        what, where = what.flatten(2).transpose(1, 2), where.flatten(2).transpose(1, 2)
        return (
            self.centres + where * UNIT,
            what[..., 0].sigmoid(),
            what[..., 1].sigmoid(),
            what[..., 2:].softmax(-1),
        )
