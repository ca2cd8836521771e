"""Which cell answers for which vehicle, and what its error costs.

Task-aligned assignment: for each labelled box the cells inside it are ranked by
score^alpha x IoU^beta and the best few become positives, with their normalised
rank metric as the score they should give. Scores are trained with a
quality-focal loss, boxes with generalised IoU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def pair_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """IoU of every box of a with every box of b."""
    lt = torch.maximum(a[:, None, :2], b[None, :, :2])
    rb = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (rb - lt).clamp(min=0).prod(-1)
    area_a = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)
    area_b = (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)
    return inter / (area_a[:, None] + area_b[None] - inter + 1e-7)


def giou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU of boxes row by row."""
    lt, rb = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (rb - lt).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - inter + 1e-7
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1) + 1e-7
    return inter / union - (hull - union) / hull


@torch.no_grad()
def assign(scores, boxes, points, truth, top_k: int, alpha: float, beta: float):
    """For one picture: the cell indices that are positive, their truth row and target score."""
    g = truth.shape[0]
    tb, tc = truth[:, 1:5], truth[:, 0].long()
    half = ((tb[:, 2:] - tb[:, :2]) / 2).clamp(min=4.5)
    centre = (tb[:, 2:] + tb[:, :2]) / 2
    inside = ((points[None] - centre[:, None]).abs() < half[:, None]).all(-1)
    iou = pair_iou(tb, boxes)
    metric = scores[:, tc].t().pow(alpha) * iou.pow(beta) * inside + inside * 1e-12
    k = min(top_k, metric.shape[1])
    best, where = metric.topk(k, dim=1)
    chosen = torch.zeros_like(metric, dtype=torch.bool).scatter_(1, where, best > 0)
    # A cell wanted by two vehicles goes to the one it overlaps more.
    owner_iou = torch.where(chosen, iou, torch.full_like(iou, -1.0))
    best_iou, owner = owner_iou.max(0)
    cells = torch.nonzero(best_iou >= 0).squeeze(1)
    owner = owner[cells]
    mine = metric[owner, cells]
    top_metric = torch.zeros(g).scatter_reduce(0, owner, mine, "amax", include_self=True)
    top_iou = torch.zeros(g).scatter_reduce(0, owner, iou[owner, cells], "amax", include_self=True)
    target = mine / (top_metric[owner] + 1e-12) * top_iou[owner]
    return cells, owner, target.clamp(0, 1)


def detection_loss(logits, boxes, points, batch: dict, cfg: dict):
    """Total loss and its parts for a batch; `logits` [B,N,C], `boxes` [B,N,4] decoded."""
    probs = logits.detach().sigmoid()
    target = torch.zeros_like(logits)
    weight = torch.ones_like(logits)
    box_loss = logits.sum() * 0
    total = logits.new_tensor(0.0)
    for i, (truth, ignored) in enumerate(zip(batch["boxes"], batch["ignored"])):
        if batch["incomplete"][i]:
            weight[i] = (1 - probs[i]).clamp(min=0.05).where(probs[i] > 0.3, 1.0)
        if len(ignored):
            b = ignored[:, 1:5]
            p = points[:, None]
            inside = ((p > b[None, :, :2]) & (p < b[None, :, 2:])).all(-1).any(1)
            weight[i, inside] = 0
        if not len(truth):
            continue
        cells, owner, score = assign(
            probs[i], boxes[i].detach(), points, truth, cfg["top_k"], cfg["alpha"], cfg["beta"]
        )
        target[i, cells, truth[owner, 0].long()] = score
        weight[i, cells] = 1
        total = total + score.sum()
        loss = 1 - giou(boxes[i, cells], truth[owner, 1:5])
        box_loss = box_loss + (loss * score).sum()
    focal = (target - probs).abs().pow(2) * weight
    cls_loss = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * focal).sum()
    total = total.clamp(min=1.0)
    cls_loss, box_loss = cls_loss / total, box_loss / total
    # Quality focal loss is small beside the box loss; 4 balances the two at the start of training.
    return 4 * cls_loss + cfg["box"] * box_loss, {"loss_class": cls_loss.item(), "loss_box": box_loss.item()}
