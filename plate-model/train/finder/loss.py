"""Which cells own a plate, and the price of a wrong score, corner, row count or colour."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .net import COLOUR_BALANCE, STRIDE, UNIT


def local_frame(points: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """Where points lie in a plate: (0,0) its middle, +-1 its edges (parallelogram of its mean sides)."""
    centre = corners.mean(0)
    right = (corners[1] + corners[2] - corners[0] - corners[3]) / 4
    down = (corners[2] + corners[3] - corners[0] - corners[1]) / 4
    d = points - centre
    det = right[0] * down[1] - right[1] * down[0]
    det = torch.where(det.abs() < 1e-3, torch.full_like(det, 1e-3), det)
    u = (d[:, 0] * down[1] - d[:, 1] * down[0]) / det
    v = (d[:, 1] * right[0] - d[:, 0] * right[1]) / det
    return torch.stack([u, v], 1)


def targets(labels: torch.Tensor, batch: int, centres: torch.Tensor):
    """Per cell: 1 positive, 0 background, -1 ignored; and the label row owning each positive."""
    n = centres.shape[0]
    state = torch.zeros(batch, n)
    owner = torch.full((batch, n), -1, dtype=torch.long)
    for r, row in enumerate(labels):
        i, corners = int(row[0]), row[1:9].reshape(4, 2)
        uv = local_frame(centres, corners).abs()
        centre = corners.mean(0)
        distance = (centres - centre).norm(dim=1)
        inside = (uv <= 1.15).all(1)
        core = (uv <= 0.5).all(1) & (distance <= 2.2 * STRIDE)
        core |= distance <= 0.75 * STRIDE
        state[i, inside & (state[i] == 0)] = -1
        near = distance <= 1.6 * STRIDE
        state[i, near & ~core & (state[i] == 0)] = -1
        state[i, core] = 1
        owner[i, core] = r
    return state, owner


def finder_loss(what: torch.Tensor, where: torch.Tensor, labels: torch.Tensor, centres: torch.Tensor, cfg: dict):
    """`what` [B,6,h,w], `where` [B,8,h,w], labels [P,12]: picture, 8 corners, rows, colour, exact."""
    what, where = what.flatten(2).transpose(1, 2), where.flatten(2).transpose(1, 2)
    state, owner = targets(labels, what.shape[0], centres)
    positive = state == 1
    logits = what[..., 0]
    p = logits.detach().sigmoid()
    t = positive.float()
    focal = torch.where(positive, (1 - p).pow(2) * 1.0, p.pow(2) * 1.0) * (state >= 0)
    count = positive.sum().clamp(min=1)
    score = (F.binary_cross_entropy_with_logits(logits, t, reduction="none") * focal).sum() / count
    parts = {"loss_score": score.item()}
    if not positive.any():
        return score, parts
    row = labels[owner[positive]]
    cell = positive.nonzero()[:, 1]
    want = row[:, 1:9] - centres[cell].repeat(1, 4)
    got = where[positive] * UNIT
    quad = row[:, 1:9].reshape(-1, 4, 2)
    width = ((quad[:, 1] - quad[:, 0]).norm(dim=1) + (quad[:, 2] - quad[:, 3]).norm(dim=1)) / 2
    height = ((quad[:, 3] - quad[:, 0]).norm(dim=1) + (quad[:, 2] - quad[:, 1]).norm(dim=1)) / 2
    size = (width * height).sqrt().clamp(min=6)[:, None]
    exact = torch.where(row[:, 11] > 0, 1.0, cfg["box_weight"])
    corner = F.smooth_l1_loss(got / size, want / size, beta=0.05, reduction="none").mean(1)
    # Every plate counts the same, however many cells it owns.
    owned = torch.bincount(owner[positive], minlength=len(labels)).float()
    share = 1 / owned[owner[positive]]
    corner = (corner * exact * share).sum() / share.sum()
    rows = F.binary_cross_entropy_with_logits(what[positive][:, 1], row[:, 9] - 1)
    balance = torch.tensor(COLOUR_BALANCE)
    colour = F.cross_entropy(what[positive][:, 2:], row[:, 10].long(), weight=balance)
    parts |= {"loss_corner": corner.item(), "loss_rows": rows.item(), "loss_colour": colour.item()}
    return score + cfg["corners"] * corner + cfg["rows"] * rows + cfg["colours"] * colour, parts
