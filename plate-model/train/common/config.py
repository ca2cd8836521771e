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
    cfg = configuration(args.config)
    if args.rate:
        cfg["rate"] = args.rate
    seed_everything(cfg["seed"])
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(0)
    return args, cfg


def configuration(path: Path) -> dict:
    """A configuration; one that `extends` another, beside it, says only what is different."""
    with path.open("rb") as f:
        cfg = tomllib.load(f)
    return over(configuration(path.parent / cfg.pop("extends")), cfg) if "extends" in cfg else cfg


def over(base: dict, changes: dict) -> dict:
    """`base` with its tables' keys replaced by those of `changes`."""
    return base | {k: over(base.get(k, {}), v) if isinstance(v, dict) else v for k, v in changes.items()}


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    # Of a GPU's kernels those that add up in the same order every time.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True


def step_aside() -> None:
    """Lowest priority from here on: training is long, and the machine may be shared."""
    os.nice(19)
