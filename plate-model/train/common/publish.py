"""Arguments every export shares, and the atomic hand-over of weights and card."""

from __future__ import annotations

import argparse
import os
import tomllib
from pathlib import Path

import torch

from . import checkpoint
from .config import ROOT, RUNS, WEIGHTS, seed_everything


def arguments(room: str, doc: str) -> tuple[argparse.Namespace, dict, dict]:
    """Parsed arguments, the room's configuration, and the run's last checkpoint."""
    p = argparse.ArgumentParser(prog=f"python -m train.{room}.export", description=doc)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--synthetic", type=Path)
    p.add_argument("--config", type=Path, default=ROOT / room / "config.toml")
    p.add_argument("--run", default=room)
    p.add_argument("--out", type=Path, default=WEIGHTS)
    args = p.parse_args()
    with args.config.open("rb") as f:
        cfg = tomllib.load(f)
    seed_everything(cfg["seed"])
    torch.set_num_threads(1)
    return args, cfg, checkpoint.load(RUNS / args.run / "last.pt")


def hand_over(staged: Path, out: Path) -> None:
    """Moves finished files into place, weights before card, so that a reader never sees half of one."""
    for path in sorted(staged.iterdir(), key=lambda p: p.suffix != ".onnx"):
        os.replace(path, out / path.name)
    staged.rmdir()
