"""Where the road world's pictures lie; a folder counts once it holds a file `ready`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FRAMES = ("frames", "junction")
PLATES = "plates"


def frames(folder: Path | None, names: Sequence[str] = FRAMES) -> list[tuple[Path, Path]]:
    """Every frame's picture and its folder, in a fixed order, from the folders of these names."""
    ready = [folder / name for name in names if (folder / name / "ready").exists()] if folder else []
    return [(picture, root) for root in ready for picture in sorted((root / "images").glob("*.jpg"))]


def plates(folder: Path | None) -> Path | None:
    """The folder of plate crops, if it is ready."""
    root = folder / PLATES if folder else None
    return root if root and (root / "ready").exists() else None
