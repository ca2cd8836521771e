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


BESIDE = ((0.05, 0), (-0.05, 0), (0, 0.07), (0, -0.07))  # as `refiner.rs` looks again


def closer(predict, img: np.ndarray, rough: np.ndarray, cfg: dict) -> tuple[np.ndarray, float]:
    """As the product after its first look, which found `rough`: the mean of four from beside it; corners and score."""
    right, down = (rough[1] - rough[0] + rough[2] - rough[3]) / 2, (rough[3] - rough[0] + rough[2] - rough[1]) / 2
    found = [refine(predict, img, rough + right * a + down * b, cfg)[:2] for a, b in BESIDE]
    return np.mean([q for q, _ in found], axis=0), float(np.mean([s for _, s in found]))


def evaluate(predict, looks, cfg: dict) -> dict[str, float]:
    plates, nowhere = looks
    errors: dict[str, list[float]] = {"before": [], "once": [], "closer": []}
    seen = rows = colours = 0
    for p, q, quad in plates:
        once, score, two, colour = refine(predict, p.image, quad, cfg)
        again, _ = closer(predict, p.image, once, cfg)
        seen += score > 0.5
        rows += (two > 0.5) == (q.rows == 2)
        colours += colour == q.colour
        if q.exact:
            for key, found in (("before", quad), ("once", once), ("closer", again)):
                errors[key].append(float(np.linalg.norm(found - q.corners, axis=1).mean() / plate_width(q.corners)))
    silent = [float(predict(to_tensor_layout([img]))[1][0]) < 0.5 for img in nowhere]
    n = max(len(plates), 1)
    result = {f"val_corner_{k}": float(np.mean(v)) for k, v in errors.items() if v}
    return result | {
        "val_corner_closer_median": float(np.median(errors["closer"])) if errors["closer"] else 1.0,
        "val_seen": seen / n,
        "val_silent": float(np.mean(silent)) if silent else 0.0,
        "val_rows": rows / n,
        "val_colour": colours / n,
    }
