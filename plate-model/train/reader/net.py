"""A small convolutional reader with one attention map per character slot.

The classifier is shared by all slots, so a letter seen in one position is known
in every other; where each slot looks is learnt from the features together with
a summary of the whole plate, which tells one row from two.
"""

from __future__ import annotations

import torch
from torch import nn

from ..common.layers import ConvUnit, Residual, SeparableUnit
from .alphabet import CHARACTERS, SLOTS


class ReaderNet(nn.Module):
    """64x128 plate to logits [B, slots, characters + blank]."""

    def __init__(self, c1: int = 24, c2: int = 48, c3: int = 76):
        super().__init__()
        self.features = nn.Sequential(
            ConvUnit(3, c1, 3, 2),
            ConvUnit(c1, c2, 3, 2),
            ConvUnit(c2, c2, 3),
            ConvUnit(c2, c3, 3, (2, 1)),
            Residual(c3),
            SeparableUnit(c3, c3, k=5),
            Residual(c3),
        )
        cells = 8 * 32
        self.place = nn.Parameter(torch.randn(1, c3, 8, 32) * 0.02)
        self.summary = nn.Conv2d(c3, c3, 1)
        self.look = nn.Sequential(SeparableUnit(c3, c3, k=7), nn.Conv2d(c3, SLOTS, 1))
        self.slot_prior = nn.Parameter(torch.zeros(1, SLOTS, cells))
        self.slot_mark = nn.Parameter(torch.randn(1, SLOTS, c3) * 0.02)
        self.hidden = nn.Sequential(nn.Linear(c3, 128), nn.ReLU(inplace=True))
        self.drop = nn.Dropout(0.1)
        self.classify = nn.Linear(128, len(CHARACTERS) + 1)

    def forward(self, plates: torch.Tensor) -> torch.Tensor:
        f = self.features(plates - 0.5)
        context = self.summary(f.mean((2, 3), keepdim=True))
        f = f + self.place + context
        where = (self.look(f).flatten(2) + self.slot_prior).softmax(-1)
        seen = where @ f.flatten(2).transpose(1, 2)
        return self.classify(self.drop(self.hidden(seen + self.slot_mark)))


class CalibratedReader(nn.Module):
    """The exported graph: probabilities at the temperature found on validation."""

    def __init__(self, net: ReaderNet, temperature: float):
        super().__init__()
        self.net = net
        self.temperature = temperature

    def forward(self, plates: torch.Tensor) -> torch.Tensor:
        return (self.net(plates) / self.temperature).softmax(-1)
