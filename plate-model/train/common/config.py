"""Reads a room's `config.toml` and the command-line arguments every room shares."""

from __future__ import annotations

import argparse
import os
import random
import tomllib
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs"
WEIGHTS = ROOT.parent / "weights"


def arguments(room: str, doc: str) -> tuple[argparse.Namespace, dict]:
    """Parses the arguments and loads the configuration; seeds every generator."""
    p = argparse.ArgumentParser(prog=f"python -m train.{room}.train", description=doc)
    p.add_argument("--data", type=Path, required=True, help="folder with the real pictures (see train/README.md)")
    p.add_argument("--synthetic", type=Path, help="folder with the road world's pictures; used when it is there")
    p.add_argument("--config", type=Path, default=ROOT / room / "config.toml")
    p.add_argument("--run", default=room, help="name of the folder under train/runs")
    p.add_argument("--minutes", type=float, help="end the schedule after this much training time, even before `steps`")
    p.add_argument("--init", type=Path, help="start from this checkpoint's averaged weights or this exported .onnx, with a new schedule")
    p.add_argument("--rate", type=float, help="peak learning rate instead of the configuration's")
    p.add_argument("--threads", type=int, default=1, help="of the arithmetic")
    p.add_argument("--workers", type=int, default=1, help="processes that prepare the data; another number draws other samples")
    args = p.parse_args()
    with args.config.open("rb") as f:
        cfg = tomllib.load(f)
    if args.rate:
        cfg["rate"] = args.rate
    seed_everything(cfg["seed"])
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(0)
    return args, cfg


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def step_aside() -> None:
    """Lowest priority from here on: training is long, and the machine may be shared."""
    os.nice(19)
