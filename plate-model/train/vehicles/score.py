"""Average precision at IoU 0.5 on whole frames, the way the product uses the detector."""

from __future__ import annotations

import numpy as np

from ..common.letterbox import letterbox, to_tensor_layout
from .boxes import overlap
from .data import Frame
from .net import CLASSES


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float = 0.6) -> np.ndarray:
    """Greedy non-maximum suppression; indices kept, best first."""
    order, keep = scores.argsort()[::-1], []
    while order.size:
        i, rest = order[0], order[1:]
        keep.append(i)
        order = rest[overlap(boxes[i], boxes[rest]) <= limit]
    return np.array(keep, int)


def detect(boxes: np.ndarray, scores: np.ndarray, floor: float = 0.02) -> np.ndarray:
    """Class-aware NMS of one picture's outputs; rows class, score, x1, y1, x2, y2."""
    rows = []
    for c in range(scores.shape[1]):
        use = scores[:, c] > floor
        b, s = boxes[use], scores[use, c]
        if len(s) > 400:
            top = s.argsort()[-400:]
            b, s = b[top], s[top]
        for i in suppress(b, s):
            rows.append([c, s[i], *b[i]])
    return np.array(rows, np.float32).reshape(-1, 6)


def average_precision(hits: list[tuple[float, bool]], truths: int) -> float:
    """Area under the precision-recall curve with monotone precision."""
    if truths == 0:
        return float("nan")
    hits = sorted(hits, reverse=True)
    good = np.array([h for _, h in hits], float)
    tp = good.cumsum()
    recall, precision = tp / truths, tp / np.arange(1, len(good) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)) if len(good) else 0.0


def evaluate(predict, frames: list[Frame], cfg: dict) -> dict[str, float]:
    """AP50 per class and overall; `predict` maps f32 [1,3,H,W] to boxes [N,4], scores [N,4]."""
    hits: list[list[tuple[float, bool]]] = [[] for _ in CLASSES]
    truths = [0] * len(CLASSES)
    small = cfg["data"]["smallest_scored"]
    for frame in frames:
        img, scale = letterbox(frame.image, cfg["input"]["width"], cfg["input"]["height"])
        found = detect(*predict(to_tensor_layout([img])))
        gt = frame.boxes.copy()
        gt[:, 1:] *= scale
        tiny = np.minimum(gt[:, 3] - gt[:, 1], gt[:, 4] - gt[:, 2]) < small
        for c in range(len(CLASSES)):
            mine = gt[:, 0] == c
            truths[c] += int((mine & ~tiny).sum())
            taken = np.zeros(len(gt), bool)
            for _, s, *b in sorted(found[found[:, 0] == c].tolist(), key=lambda r: -r[1]):
                iou = overlap(np.array(b, np.float32), gt[:, 1:])
                iou[~mine | taken] = 0
                j = int(iou.argmax()) if len(iou) else -1
                if j >= 0 and iou[j] >= 0.5:
                    taken[j] = True
                    if not tiny[j]:
                        hits[c].append((s, True))
                elif min(b[2] - b[0], b[3] - b[1]) >= small:
                    hits[c].append((s, False))
    out = {f"val_ap50_{n}": average_precision(h, t) for n, h, t in zip(CLASSES, hits, truths)}
    present = [v for v in out.values() if not np.isnan(v)]
    out["val_ap50"] = float(np.mean(present)) if present else 0.0
    return {k: v for k, v in out.items() if not np.isnan(v)}
