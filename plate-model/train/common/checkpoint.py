"""Checkpoints a run can resume from, and the moving average of its weights."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import torch
from torch import nn


class AveragedWeights:
    """Exponential moving average of a network: what is validated and exported."""

    def __init__(self, net: nn.Module, decay: float):
        self.net = copy.deepcopy(net).eval()
        self.decay = decay
        self.updates = 0
        for p in self.net.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.updates += 1
        d = min(self.decay, (1 + self.updates) / (10 + self.updates))
        mine, theirs = self.net.state_dict().values(), net.state_dict().values()
        pairs = [(m, t) for m, t in zip(mine, theirs) if m.dtype.is_floating_point]
        torch._foreach_lerp_([m for m, _ in pairs], [t for _, t in pairs], 1 - d)
        for m, t in zip(mine, theirs):
            if not m.dtype.is_floating_point:
                m.copy_(t)


def save(path: Path, **parts) -> None:
    """Writes a checkpoint whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_suffix(".tmp")
    torch.save(parts, tmp)
    os.replace(tmp, path)


def load(path: Path) -> dict:
    return torch.load(path, map_location="cpu", weights_only=False)


def history(state: dict) -> list[str]:
    """The runs behind a checkpoint, oldest first, for the card of what grows from it."""
    done = state["schedule"]
    return [*state.get("after", []), f"{done['step']} steps, {done['elapsed'] / 60:.0f} minutes, {state['made_with']}"]
