"""Turns a picture with plates into what the product would crop around a vehicle."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from ..common import augment
from ..common.letterbox import GREY

# RGB of a clean plate in daylight, in the order of the network's colours; white is not painted.
PAINTS = ((0, 0, 0), (225, 185, 40), (30, 70, 170), (170, 30, 35))


CLOSER = 2.6  # a crop of little more than the plate is this many plate widths wide


@dataclass
class PlateLabel:
    """Corners clockwise from the top left in picture pixels, rows, colour, and whether the corners are exact."""

    corners: np.ndarray
    rows: int
    colour: int
    exact: bool


@dataclass
class Picture:
    """A picture (RGB) with its plates and, where known, its vehicles' boxes x1 y1 x2 y2."""

    image: np.ndarray
    plates: list[PlateLabel]
    domain: str
    vehicles: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    name: str = ""
    held_out: bool = False


def plate_width(corners: np.ndarray) -> float:
    return float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2


def vehicle_box(p: Picture, plate: PlateLabel, crop: dict, rng: np.random.Generator) -> np.ndarray:
    """A box a detector could have drawn around the plate's vehicle, inside the picture."""
    h, w = p.image.shape[:2]
    centre = plate.corners.mean(0)
    for b in p.vehicles:
        if b[0] <= centre[0] <= b[2] and b[1] <= centre[1] <= b[3] and rng.random() < 0.85:
            size = np.array([b[2] - b[0], b[3] - b[1]] * 2)
            return np.clip(b + size * (rng.normal(0, 0.04, 4) + [-0.04, -0.04, 0.04, 0.04]), 0, [w, h, w, h])
    lo, hi = crop["plate_width"]
    side = plate_width(plate.corners) / float(np.exp(rng.uniform(np.log(lo), np.log(hi))))
    if plate.rows == 2:
        bw, bh = side * rng.uniform(0.4, 0.9), side
    else:
        bw, bh = side, side * rng.uniform(0.55, 1.0)
    pw, ph = np.ptp(plate.corners[:, 0]), np.ptp(plate.corners[:, 1])
    bw, bh = max(bw, pw * 1.25), max(bh, ph * 1.3)
    x0 = centre[0] - bw * rng.uniform(0.25, 0.75)
    y0 = centre[1] - bh * (rng.uniform(0.5, 0.9) if rng.random() < 0.75 else rng.uniform(0.2, 0.9))
    return np.clip([x0, y0, x0 + bw, y0 + bh], 0, [w, h, w, h])


def closer_box(p: Picture, plate: PlateLabel, rng: np.random.Generator) -> np.ndarray:
    """A vehicle of which little more than the plate is in the picture."""
    h, w = p.image.shape[:2]
    width = plate_width(plate.corners)
    centre = plate.corners.mean(0) + rng.normal(0, 0.1, 2) * width
    half = width * CLOSER / 2 * float(np.exp(rng.normal(0, 0.15)))
    return np.clip([*(centre - half), *(centre + half)], 0, [w, h, w, h])


def random_box(p: Picture, rng: np.random.Generator) -> np.ndarray:
    """Any box: a vehicle without a readable plate, or a piece of street."""
    h, w = p.image.shape[:2]
    if len(p.vehicles):
        b = p.vehicles[rng.integers(len(p.vehicles))]
        size = np.array([b[2] - b[0], b[3] - b[1]] * 2)
        return np.clip(b + size * rng.normal(0, 0.06, 4), 0, [w, h, w, h])
    bw, bh = w * rng.uniform(0.15, 0.8), h * rng.uniform(0.15, 0.8)
    x0, y0 = rng.uniform(0, w - bw), rng.uniform(0, h - bh)
    return np.array([x0, y0, x0 + bw, y0 + bh])


def pasted_small(p: Picture, other: Picture, rng: np.random.Generator) -> Picture:
    """The picture shrunk onto another one: close-ups have no small plates otherwise."""
    longest = 400 / max(p.image.shape[:2])  # the crop is far smaller; no need to paint more
    if longest < 1:
        f = max(longest * 0.5, 0.2)
        small = cv2.resize(p.image, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
        p = Picture(small, [PlateLabel(q.corners * np.float32(f), q.rows, q.colour, q.exact) for q in p.plates], p.domain)
    h, w = p.image.shape[:2]
    k = rng.uniform(1.5, 3.2)
    bh, bw = int(h * k), int(w * k * rng.uniform(0.8, 1.1))
    ground = cv2.resize(other.image, (bw, bh), interpolation=cv2.INTER_LINEAR)
    if other.plates:  # labelled plates of the other picture must not show
        ground = cv2.resize(cv2.resize(ground, (20, 16), interpolation=cv2.INTER_AREA), (bw, bh))
    x, y = int(rng.integers(0, bw - w + 1)), int(rng.integers((bh - h) // 2, bh - h + 1))
    ground[y : y + h, x : x + w] = p.image
    shift = np.array([x, y], np.float32)
    plates = [PlateLabel(q.corners + shift, q.rows, q.colour, q.exact) for q in p.plates]
    return Picture(ground, plates, p.domain)


def cut(p: Picture, box: np.ndarray, side: int, rng: np.random.Generator | None):
    """The box letterboxed to the input; with a generator, tilted, sheared and sometimes mirrored.

    Returns the picture and the plates that lie inside, in input pixels.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    bw, bh = max(x1 - x0, 2.0), max(y1 - y0, 2.0)
    s = min(side / bw, side / bh)
    # Work on the box's surroundings only.
    ih, iw = p.image.shape[:2]
    ox, oy = int(max(0, x0 - 0.2 * bw)), int(max(0, y0 - 0.2 * bh))
    img = p.image[oy : int(min(ih, y1 + 0.2 * bh)) + 1, ox : int(min(iw, x1 + 0.2 * bw)) + 1]
    x0, y0, shift = x0 - ox, y0 - oy, np.array([ox, oy], np.float32)
    m = np.array([[s, 0, -x0 * s], [0, s, -y0 * s], [0, 0, 1]], np.float64)
    nw, nh = round(bw * s), round(bh * s)
    mirrored = False
    if rng is not None:
        c = np.array([nw / 2, nh / 2])
        # Parked motorbikes lean: some plates are seen far from level.
        angle, shear = rng.normal(0, 0.35 if rng.random() < 0.15 else 0.07), rng.normal(0, 0.08)
        a = np.array([[np.cos(angle), -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]])
        a *= np.exp(rng.normal(0, 0.05, (2, 1)))
        t = np.eye(3)
        t[:2, :2], t[:2, 2] = a, c - a @ c
        m = t @ m
        mirrored = rng.random() < 0.5
        if mirrored:
            m = np.array([[-1, 0, nw], [0, 1, 0], [0, 0, 1.0]]) @ m
    # Pixel centres: warpAffine maps indices, our coordinates are edges; half a pixel joins them.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    index = np.linalg.inv(half) @ m @ half
    if s < 0.6:  # warpAffine does not average, so shrink first
        f = max(s, 0.05) * 1.2
        small = cv2.resize(img, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
        fx, fy = small.shape[1] / img.shape[1], small.shape[0] / img.shape[0]
        img = small
        index = np.linalg.inv(half) @ m @ np.diag([1 / fx, 1 / fy, 1]) @ half
    out = np.full((side, side, 3), GREY[0], np.uint8)
    out[:nh, :nw] = cv2.warpAffine(img, index[:2], (nw, nh), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    plates = []
    for q in p.plates:
        c = (np.hstack([q.corners - shift, np.ones((4, 1))]) @ m.T)[:, :2]
        if mirrored:
            c = c[[1, 0, 3, 2]]
        if 0 < c[:, 0].mean() < nw and 0 < c[:, 1].mean() < nh:
            plates.append(PlateLabel(c.astype(np.float32), q.rows, q.colour, q.exact))
    return out, plates, (nw, nh)


def recoloured(img: np.ndarray, plates: list[PlateLabel], rng: np.random.Generator) -> np.ndarray:
    """White plates painted over as blue, red or yellow ones: real shapes of which few are on record."""
    out = img.copy()
    for q in plates:
        if q.colour != 0 or not q.exact:
            continue
        colour = int(rng.integers(1, 4))
        ground = np.array(PAINTS[colour], np.float32) * float(rng.uniform(0.75, 1.25))
        letters = np.array([20, 20, 20] if colour == 1 else [235, 235, 235], np.float32)
        x0, y0 = np.maximum(q.corners.min(0).astype(int), 0)
        x1, y1 = q.corners.max(0).astype(int) + 2
        part = out[y0:y1, x0:x1]
        if part.size == 0:
            continue
        mask = np.zeros(part.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.round(q.corners - [x0, y0]).astype(np.int32), 1)
        grey = part.astype(np.float32).mean(2)
        inside = grey[mask > 0]
        if inside.size < 12:
            continue
        dark, light = np.percentile(inside, (10, 85))
        share = np.clip((grey - dark) / max(light - dark, 12.0), 0, 1)[..., None]
        brightness = min(1.0, light / 200)
        painted = (share * ground + (1 - share) * letters) * brightness
        part[mask > 0] = np.clip(painted, 0, 255).astype(np.uint8)[mask > 0]
        q.colour = colour
    return out


def spoil(img: np.ndarray, content: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Colour, low resolution, blur, noise and compression on the content, not on the padding."""
    w, h = content
    part = augment.colour(img[:h, :w], rng)
    if rng.random() < 0.35:
        f = rng.uniform(0.35, 0.9)
        small = cv2.resize(part, (max(2, int(w * f)), max(2, int(h * f))), interpolation=cv2.INTER_AREA)
        part = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        part = augment.blur(part, rng, 1.8)
    if rng.random() < 0.25:
        part = augment.noise(part, rng, 14)
    if rng.random() < 0.25:
        part = augment.jpeg(part, rng)
    out = img.copy()
    out[:h, :w] = part
    return out
