"""Which pictures are validation: `split.toml`, by camera or scene, or by vehicle where a scene is all there is."""

from __future__ import annotations

import csv
import tomllib
import zlib
from pathlib import Path

from .config import ROOT

_SPLIT = tomllib.loads((ROOT / "split.toml").read_text())
CAMERAS: list[str] = _SPLIT["vehicles"]["cameras"]
SCENES: list[str] = _SPLIT["plates"]["scenes"]


def is_held_out(domain: str, texts: list[str]) -> bool:
    """Whether a picture or crop of this domain with plates of these texts is validation."""
    if domain in SCENES:
        return True
    plates = _SPLIT["plates"]
    return domain in plates["vehicles"] and any(zlib.crc32(t.encode()) % plates["every"] == 0 for t in texts)


def texts_of_pictures(data: Path) -> dict[str, dict[int, str]]:
    """Plate number in the picture → text, by the picture's stem, from the reader's labels."""
    found: dict[str, dict[int, str]] = {}
    with (data / "reader" / "labels.csv").open(newline="") as f:
        for row in csv.DictReader(f):
            number = row["file"].rsplit(".", 1)[0].rsplit("_", 1)[-1]
            if row["image"] and number.isdigit():
                found.setdefault(row["image"], {})[int(number)] = row["text"]
    return found
