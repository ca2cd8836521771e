"""The detector's backbone: four stages of plain 3x3 convolutions with cross-stage shortcuts.

The layout is NanoDet-g's (RangiLyu/nanodet, Apache-2.0), so that its COCO weights can be the
start. Two things differ, and both cost nothing at first: its leaky ReLUs lose their leak in the first
steps of training, because only plain ones fuse in int8 (taken away at once they would take much of
what the weights know along); and the first stage, whose maps are the largest, keeps only the first
half of its block (`pretrained` fits what follows to do without the other).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..common.layers import ConvUnit

WIDTHS = (64, 128, 256, 512)  # channels after each stage, strides 4, 8, 16, 32
DEPTHS = (0, 2, 2, 3)
PUBLISHED = (1, 2, 2, 3)  # as NanoDet-g has them


class Leak(nn.Module):
    """ReLU with a slope below zero that training brings down to nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(x, self.slope) if self.slope else F.relu(x)


class Half(nn.Module):
    """Two convolutions of half the width, both kept: the block grows by what it saw on the way."""

    def __init__(self, ch: int):
        super().__init__()
        self.a = ConvUnit(ch, ch // 2, 3)
        self.b = ConvUnit(ch // 2, ch // 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.a(x)
        return torch.cat([self.b(first), first], 1)


class Stage(nn.Module):
    """Cross-stage-partial: the way through the blocks beside the way around them; doubles the channels.

    At depth 0 the way through is the first convolution of a block alone.
    """

    def __init__(self, ch: int, depth: int, stride: int):
        super().__init__()
        self.into = ConvUnit(ch, ch, 3, stride)
        self.blocks = nn.Sequential(*[Half(ch) for _ in range(depth)]) if depth else ConvUnit(ch, ch // 2, 3)
        self.out = ConvUnit(ch if depth else ch // 2, ch, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.into(x)
        return torch.cat([self.out(self.blocks(x)), x], 1)


class Backbone(nn.Module):
    """RGB in 0..1 to maps at strides 8, 16 and 32."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.stem = ConvUnit(3, WIDTHS[0] // 2, 3, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.ModuleList(
            [Stage(w // 2, d, 1 if i == 0 else 2) for i, (w, d) in enumerate(zip(WIDTHS, depths))]
        )
        for unit in self.units():
            unit.act = Leak()

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.stages[0](self.pool(self.stem(x)))
        maps = []
        for stage in self.stages[1:]:
            x = stage(x)
            maps.append(x)
        return maps

    def units(self) -> list[ConvUnit]:
        """Every convolution in the order the data meets them; the order of the published weights."""
        return [m for m in self.modules() if isinstance(m, ConvUnit)]

    def leak(self, slope: float) -> None:
        for unit in self.units():
            unit.act.slope = slope
