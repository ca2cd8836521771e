"""An anchor-free one-stage detector at strides 8, 16 and 32.

Every cell predicts four distances to the box sides (in strides) and one
quality score per class; the cells of the finest level are split in four, since far
motorbikes in a queue are closer to each other than 8 pixels. `DecodedVehicles` puts
the decoding into the graph, so that the file's user sees boxes in input pixels and
scores, nothing else.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..common.layers import ConvUnit, SeparableUnit
from .backbone import WIDTHS, Backbone

STRIDES = (8, 16, 32)
SPLITS = (2, 1, 1)  # cells of a level are cut into this many in width and in height
CLASSES = ("motorbike", "car", "bus", "truck")


class Head(nn.Module):
    """Head of one level, class scores and side distances apart after the first look."""

    def __init__(self, ch: int, classes: int, split: int):
        super().__init__()
        self.look = SeparableUnit(ch, ch)
        self.cls = SeparableUnit(ch, ch)
        self.reg = SeparableUnit(ch, ch)
        self.to_scores = nn.Conv2d(ch, classes * split**2, 1)
        self.to_sides = nn.Conv2d(ch, 4 * split**2, 1)
        nn.init.normal_(self.to_scores.weight, std=0.01)
        nn.init.constant_(self.to_scores.bias, -math.log((1 - 0.01) / 0.01))
        nn.init.normal_(self.to_sides.weight, std=0.01)
        nn.init.constant_(self.to_sides.bias, 1.0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.look(x)
        return self.to_scores(self.cls(x)), self.to_sides(self.reg(x))


class VehicleNet(nn.Module):
    """Backbone, two-way pyramid and three heads; `forward` returns raw logits and raw sides."""

    def __init__(self, neck: int = 64):
        super().__init__()
        self.backbone = Backbone()
        self.lat = nn.ModuleList([ConvUnit(c, neck, 1) for c in WIDTHS[1:]])
        self.down16 = SeparableUnit(neck, neck)
        self.down8 = SeparableUnit(neck, neck)
        self.up16 = ConvUnit(neck, neck, 3, 2)
        self.up32 = ConvUnit(neck, neck, 3, 2)
        self.mix16 = SeparableUnit(neck, neck)
        self.mix32 = SeparableUnit(neck, neck)
        self.heads = nn.ModuleList([Head(neck, len(CLASSES), split) for split in SPLITS])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        l8, l16, l32 = (lat(t) for lat, t in zip(self.lat, self.backbone(x)))
        t16 = self.down16(l16 + F.interpolate(l32, scale_factor=2.0, mode="nearest"))
        p8 = self.down8(l8 + F.interpolate(t16, scale_factor=2.0, mode="nearest"))
        p16 = self.mix16(t16 + self.up16(p8))
        p32 = self.mix32(l32 + self.up32(p16))
        scores, sides = [], []
        for head, p in zip(self.heads, (p8, p16, p32)):
            s, d = head(p)
            scores.append(s.reshape(len(s), len(CLASSES), -1))
            sides.append(d.reshape(len(d), 4, -1))
        return torch.cat(scores, 2).transpose(1, 2), torch.cat(sides, 2).transpose(1, 2)


def cell_centres(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre (x, y) of every cell in input pixels and its side, in the order of the outputs."""
    points, strides = [], []
    for stride, split in zip(STRIDES, SPLITS):
        side = stride // split
        ys, xs = (torch.arange(n // stride) * stride for n in (height, width))
        # A channel's parts lie one after the other: all first quarters of cells, then all second ones.
        for dy, dx in itertools.product(range(split), repeat=2):
            y, x = torch.meshgrid(ys + (dy + 0.5) * side, xs + (dx + 0.5) * side, indexing="ij")
            points.append(torch.stack([x, y], -1).reshape(-1, 2))
            strides.append(torch.full((points[-1].shape[0], 1), float(side)))
    return torch.cat(points), torch.cat(strides)


def decode(sides: torch.Tensor, points: torch.Tensor, strides: torch.Tensor) -> torch.Tensor:
    """Boxes x1 y1 x2 y2 in input pixels; exp keeps sides positive and scale-free."""
    d = torch.exp(sides.clamp(max=4.5)) * strides
    return torch.cat([points - d[..., :2], points + d[..., 2:]], -1)


class DecodedVehicles(nn.Module):
    """The graph that is exported: images in, `boxes` and `scores` out."""

    def __init__(self, net: VehicleNet, height: int, width: int):
        super().__init__()
        self.net = net
        points, strides = cell_centres(height, width)
        self.register_buffer("points", points[None])
        self.register_buffer("strides", strides[None])

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores, sides = self.net(images)
        return decode(sides, self.points, self.strides), torch.sigmoid(scores)
