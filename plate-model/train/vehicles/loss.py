"""Which cell answers for which vehicle, and what its error costs.

Task-aligned assignment: for each labelled box the cells inside it are ranked by
score^alpha x IoU^beta and the best few become positives, with their normalised
rank metric as the score they should give. Scores are trained with a
quality-focal loss, boxes with generalised IoU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .boxes import EVERY, NOBODY
from .net import CLASSES

HIDEOUT = CLASSES.index("car")  # under this name sources without trucks have them


def pair_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """IoU of every box of a [B,M,4] with every box of b [B,N,4]: [B,M,N]."""
    a, b = a[:, :, None], b[:, None]
    w = torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])
    h = torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])
    inter = w.clamp_(min=0) * h.clamp_(min=0)
    area_a = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1)
    area_b = (b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1)
    return inter / (area_a + area_b - inter + 1e-7)


def giou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU of boxes row by row."""
    lt, rb = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (rb - lt).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - inter + 1e-7
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1) + 1e-7
    return inter / union - (hull - union) / hull


@torch.no_grad()
def assign(scores, boxes, points, truth, top_k: int, alpha: float, beta: float):
    """Of every cell: whether it is positive [B,N], its row of `truth` [B,M,5] and its target score."""
    there, tb = truth[..., 0] != NOBODY, truth[..., 1:5]
    half = ((tb[..., 2:] - tb[..., :2]) / 2).clamp(min=4.5)[:, :, None]
    centre = ((tb[..., 2:] + tb[..., :2]) / 2)[:, :, None]
    inside = ((points - centre).abs() < half).all(-1) & there[..., None]
    iou = pair_iou(tb, boxes)
    mine = truth[..., :1].long().clamp(min=0).expand(-1, -1, scores.shape[1])
    metric = scores.transpose(1, 2).gather(1, mine).pow(alpha) * iou.pow(beta) * inside + inside * 1e-12
    best, where = metric.topk(min(top_k, metric.shape[2]), dim=2)
    chosen = torch.zeros_like(inside).scatter_(2, where, best > 0)
    # A cell wanted by two vehicles goes to the one it overlaps more.
    best_iou, owner = torch.where(chosen, iou, -1.0).max(1)
    positive = best_iou >= 0
    rank = metric.gather(1, owner[:, None])[:, 0] * positive
    none = torch.zeros_like(truth[..., 0])
    top_rank = none.scatter_reduce(1, owner, rank, "amax").gather(1, owner)
    top_iou = none.scatter_reduce(1, owner, best_iou.clamp(min=0), "amax").gather(1, owner)
    return positive, owner, (rank / (top_rank + 1e-12) * top_iou).clamp(0, 1)


def within(regions: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Which cells [N] lie in which regions [B,M,5]: [B,M,N]."""
    b = regions[:, :, None, 1:5]
    return ((points > b[..., :2]) & (points < b[..., 2:])).all(-1)


def detection_loss(logits, boxes, points, batch: dict, cfg: dict):
    """Total loss and its parts for a batch; `logits` [B,N,C], `boxes` [B,N,4] decoded, all on one device."""
    device = logits.device
    truth, ignored = batch["boxes"].to(device), batch["ignored"].to(device)
    probs = logits.detach().sigmoid()
    unsure = batch["incomplete"].to(device)[:, None, None] & (probs > 0.3)
    weight = torch.where(unsure, (1 - probs).clamp(min=0.05), 1.0)

    positive, owner, score = assign(probs, boxes.detach(), points, truth, cfg["top_k"], cfg["alpha"], cfg["beta"])
    named = truth[..., 0].gather(1, owner).long().clamp(min=0)
    target = torch.zeros_like(logits).scatter_(2, named[..., None], score[..., None])
    inside = within(ignored, points)
    weight = weight.masked_fill(((ignored[..., :1] == EVERY) & inside).any(1)[..., None], 0.0)
    weight = weight.masked_fill(positive[..., None], 1.0)
    # What a source never labels may also hide under labels of `HIDEOUT`; under others it does not.
    silent = torch.stack([((ignored[..., :1] == c) & inside).any(1) for c in range(logits.shape[2])], 2)
    weight = weight.masked_fill(silent & ~(positive & (named != HIDEOUT))[..., None], 0.0)

    total = score.sum().clamp(min=1.0)
    focal = (target - probs).abs().pow(2) * weight
    cls_loss = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * focal).sum() / total
    wanted = truth[..., 1:5].gather(1, owner[..., None].expand(-1, -1, 4))[positive]
    box_loss = ((1 - giou(boxes[positive], wanted)) * score[positive]).sum() / total
    # Quality focal loss is small beside the box loss; 4 balances the two at the start of training.
    return 4 * cls_loss + cfg["box"] * box_loss, {"loss_class": cls_loss.detach(), "loss_box": box_loss.detach()}
