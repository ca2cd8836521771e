"""Corner error of held-out plates before and after refinement, and whether non-plates are recognised."""

from __future__ import annotations

import numpy as np

from ..finder.crops import Picture, plate_width
from .data import Looks, first_answer, grown, moved, straighten
from ..common.letterbox import to_tensor_layout


def fixed_looks(pictures: list[Picture], cfg: dict, seed: int):
    """For every held-out plate one wrong first answer; and as many places without a plate."""
    rng = np.random.default_rng(seed)
    plates = [(p, q, first_answer(q.corners.astype(float), cfg["first"], rng)) for p in pictures for q in p.plates]
    bare = Looks(pictures, [], [], cfg, seed)
    return plates, [bare.nowhere(rng).image for _ in range(min(len(plates), 300))]


def refine(predict, img: np.ndarray, quad: np.ndarray, cfg: dict):
    """One refinement of one quadrilateral: corners in picture pixels and the other answers."""
    inp = cfg["input"]
    plate, matrix = straighten(img, grown(quad, inp["margin"]), inp["width"], inp["height"])
    corners, score, rows, colours = predict(to_tensor_layout([plate]))
    return moved(corners[0].reshape(4, 2), np.linalg.inv(matrix)), float(score[0]), float(rows[0]), int(colours[0].argmax())


def evaluate(predict, looks, cfg: dict) -> dict[str, float]:
    plates, nowhere = looks
    errors: dict[str, list[float]] = {"before": [], "once": [], "twice": []}
    seen = rows = colours = 0
    for p, q, quad in plates:
        once, score, two, colour = refine(predict, p.image, quad, cfg)
        twice, *_ = refine(predict, p.image, once, cfg)
        seen += score > 0.5
        rows += (two > 0.5) == (q.rows == 2)
        colours += colour == q.colour
        if q.exact:
            for key, found in (("before", quad), ("once", once), ("twice", twice)):
                errors[key].append(float(np.linalg.norm(found - q.corners, axis=1).mean() / plate_width(q.corners)))
    silent = [float(predict(to_tensor_layout([img]))[1][0]) < 0.5 for img in nowhere]
    n = max(len(plates), 1)
    result = {f"val_corner_{k}": float(np.mean(v)) for k, v in errors.items() if v}
    return result | {
        "val_corner_twice_median": float(np.median(errors["twice"])) if errors["twice"] else 1.0,
        "val_seen": seen / n,
        "val_silent": float(np.mean(silent)) if silent else 0.0,
        "val_rows": rows / n,
        "val_colour": colours / n,
    }
