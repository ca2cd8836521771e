"""Recall, precision and corner error on fixed crops of held-out scenes."""

from __future__ import annotations

import cv2
import numpy as np

from ..common.letterbox import letterbox, to_tensor_layout
from .crops import Picture, cut, plate_width, random_box, vehicle_box


def fixed_crops(pictures: list[Picture], cfg: dict, seed: int, each: int = 1):
    """One untilted, unspoiled crop for every plate; the same for the same seed."""
    rng = np.random.default_rng(seed)
    crops = []
    for p in pictures:
        for q in p.plates * each:
            crops.append((*cut(p, vehicle_box(p, q, cfg["crop"], rng), cfg["input"]["side"], None)[:2], p.domain))
        if not p.plates:
            crops.append((*cut(p, random_box(p, rng), cfg["input"]["side"], None)[:2], p.domain))
    return crops


def quad_iou(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float32), b.astype(np.float32)
    inter, _ = cv2.intersectConvexConvex(cv2.convexHull(a), cv2.convexHull(b))
    union = abs(cv2.contourArea(a)) + abs(cv2.contourArea(b)) - inter
    return float(inter / union) if union > 0 else 0.0


def peaks(corners: np.ndarray, scores: np.ndarray, floor: float) -> list[tuple[float, np.ndarray, int]]:
    """Best cells after suppression by quadrilateral overlap: score, 4x2 corners, cell."""
    kept: list[tuple[float, np.ndarray, int]] = []
    for i in scores.argsort()[::-1]:
        if scores[i] < floor or len(kept) == 5:
            break
        q = corners[i].reshape(4, 2)
        if all(quad_iou(q, k) < 0.2 for _, k, _ in kept):
            kept.append((float(scores[i]), q, int(i)))
    return kept


def look(finder, img: np.ndarray, box, side: int, floor: float) -> list[tuple[float, np.ndarray]]:
    """Plates an exported finder sees in one box of a picture: score and corners in picture pixels, best first."""
    x0, y0, x1, y1 = (int(round(v)) for v in box)
    x0, y0 = max(0, x0), max(0, y0)
    inp, scale = letterbox(img[y0 : max(y1, y0 + 2), x0 : max(x1, x0 + 2)], side, side)
    corners, scores, _, _ = finder.run(None, {"crops": to_tensor_layout([inp])})
    return [(score, q / scale + [x0, y0]) for score, q, _ in peaks(corners[0], scores[0], floor)]


def evaluate(predict, crops, floor: float = 0.4) -> dict[str, float]:
    """`predict` maps f32 [B,3,S,S] to corners, scores, rows, colours as numpy arrays."""
    found = truth = hits = 0
    errors, rows_right, colour_right = [], 0, 0
    for start in range(0, len(crops), 64):
        part = crops[start : start + 64]
        corners, scores, rows, colours = predict(to_tensor_layout([c[0] for c in part]))
        for i, (_, plates, _) in enumerate(part):
            truth += len(plates)
            taken = set()
            for _, quad, cell in peaks(corners[i], scores[i], floor):
                found += 1
                ious = [0.0 if j in taken else quad_iou(quad, q.corners) for j, q in enumerate(plates)]
                j = int(np.argmax(ious)) if ious else -1
                if j >= 0 and ious[j] >= 0.5:
                    taken.add(j)
                    hits += 1
                    q = plates[j]
                    rows_right += int((rows[i][cell] > 0.5) == (q.rows == 2))
                    colour_right += int(colours[i][cell].argmax() == q.colour)
                    if q.exact:
                        errors.append(float(np.linalg.norm(quad - q.corners, axis=1).mean() / plate_width(q.corners)))
    return {
        "val_recall": hits / max(truth, 1),
        "val_precision": hits / max(found, 1),
        "val_corner": float(np.mean(errors)) if errors else 1.0,
        "val_rows": rows_right / max(hits, 1),
        "val_colour": colour_right / max(hits, 1),
    }
