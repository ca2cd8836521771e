"""A small network that sees one straightened plate with its surroundings and answers once.

Corners are pixels of the input; where they are expected is the middle of what the margin leaves,
so that the network only says how far off the first answer was.
"""

from __future__ import annotations

import torch
from torch import nn

from ..common.layers import ConvUnit, Residual
from ..finder.net import COLOURS


class RefinerNet(nn.Module):
    """[B,3,64,128] to raw [B, 8 offsets + score + rows + colours]; offsets in shares of the input's sides."""

    def __init__(self, c1: int = 16, c2: int = 48, c3: int = 64, squeeze: int = 24):
        super().__init__()
        self.features = nn.Sequential(
            ConvUnit(3, c1, 3, 2), ConvUnit(c1, c2, 3, 2), Residual(c2), ConvUnit(c2, c3, 3, 2), Residual(c3), Residual(c3)
        )
        # Where something is matters here: the map is read cell by cell, not averaged.
        self.squeeze = ConvUnit(c3, squeeze, 1)
        self.hidden = nn.Sequential(nn.Linear(squeeze * 8 * 16, 160), nn.ReLU(inplace=True))
        self.answer = nn.Linear(160, 8 + 2 + len(COLOURS))
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)

    def forward(self, plates: torch.Tensor) -> torch.Tensor:
        f = self.squeeze(self.features(plates - 0.45)).flatten(1)
        return self.answer(self.hidden(f))


def expected(width: int, height: int, margin: float) -> torch.Tensor:
    """Where the four corners lie if the first answer was right: x, y of each, input pixels."""
    left, top = width * margin / (1 + 2 * margin), height * margin / (1 + 2 * margin)
    right, bottom = width - left, height - top
    return torch.tensor([left, top, right, top, right, bottom, left, bottom])


class DecodedRefiner(nn.Module):
    """The exported graph: corners in input pixels, probability of a plate and of two rows, colours."""

    def __init__(self, net: RefinerNet, width: int, height: int, margin: float):
        super().__init__()
        self.net = net
        self.register_buffer("expected", expected(width, height, margin)[None])
        self.register_buffer("sides", torch.tensor([width, height] * 4, dtype=torch.float32)[None])

    def forward(self, plates: torch.Tensor):
        raw = self.net(plates)
        return (
            self.expected + raw[:, :8] * self.sides,
            raw[:, 8].sigmoid(),
            raw[:, 9].sigmoid(),
            raw[:, 10:].softmax(-1),
        )
