"""What a wrong corner, score, row count or colour costs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ..finder.net import COLOUR_BALANCE


def refiner_loss(raw: torch.Tensor, labels: torch.Tensor, nominal: torch.Tensor, cfg: dict):
    """`raw` [B,14]; `labels` [B,12]: corners in shares of the sides, plate?, two rows?, colour, exact; `nominal` [8]."""
    there = labels[:, 8] > 0.5
    score = F.binary_cross_entropy_with_logits(raw[:, 8], labels[:, 8])
    parts = {"loss_score": score.item()}
    if not there.any():
        return score * cfg["score"], parts
    got, row = raw[there], labels[there]
    want = row[:, :8] - nominal
    exact = torch.where(row[:, 11] > 0, 1.0, cfg["box_weight"])
    corner = F.smooth_l1_loss(got[:, :8], want, beta=0.01, reduction="none").mean(1)
    corner = (corner * exact).sum() / exact.sum()
    rows = F.binary_cross_entropy_with_logits(got[:, 9], row[:, 9])
    colour = F.cross_entropy(got[:, 10:], row[:, 10].long(), weight=raw.new_tensor(COLOUR_BALANCE))
    parts |= {"loss_corner": corner.item(), "loss_rows": rows.item(), "loss_colour": colour.item()}
    total = cfg["score"] * score + cfg["corners"] * corner + cfg["rows"] * rows + cfg["colours"] * colour
    return total, parts
