"""What every export shares: arguments, the float model and its int8 twin with their cards, the hand-over."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from onnxruntime import InferenceSession

from . import card, checkpoint, onnx_export, quantize
from .config import ROOT, RUNS, WEIGHTS, configuration, seed_everything


def arguments(room: str, doc: str) -> tuple[argparse.Namespace, dict, dict]:
    """Parsed arguments, the room's configuration, and the run's last checkpoint."""
    p = argparse.ArgumentParser(prog=f"python -m train.{room}.export", description=doc)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--synthetic", type=Path)
    p.add_argument("--config", type=Path, default=ROOT / room / "config.toml")
    p.add_argument("--run", default=room)
    p.add_argument("--out", type=Path, default=WEIGHTS)
    args = p.parse_args()
    cfg = configuration(args.config)
    seed_everything(cfg["seed"])
    torch.set_num_threads(1)
    return args, cfg, checkpoint.load(RUNS / args.run / "last.pt")


def staging(out: Path, room: str) -> Path:
    """Where a room's files are written before all of them are complete."""
    staged = out / f".{room}-staged"
    staged.mkdir(parents=True, exist_ok=True)
    return staged


def both(
    path: Path, name: str, calibration: np.ndarray, cfg: dict,
    measure: Callable[[InferenceSession], dict], head: dict, tables: dict[str, dict],
    ranges: dict[str, float] | None = None, finish: Callable[[Path], None] | None = None,
) -> None:
    """Measures the float model at `path`, makes its int8 twin, measures that; a card for each.

    `calibration` [N,...] are inputs of training. The room's configuration says which layers stay
    float, the thresholds the product starts from, and what the weights are known to be weak at.
    `ranges` is for `quantize.quantise`; `finish` may rewrite the int8 file.
    """
    keep = cfg["int8"]["keep"]
    head = {**head, "weaknesses": cfg["card"]["weaknesses"]}
    if "thresholds" in cfg:
        tables = {"thresholds": cfg["thresholds"], **tables}
    twin = path.with_name(f"{path.stem}.int8.onnx")
    kept = quantize.quantise(path, twin, name, calibration, tuple(keep), ranges)
    if finish:
        finish(twin)
    for file in (path, twin):
        metrics = measure(onnx_export.session(file))
        how = {"quantisation": {"kind": "static, U8S8, per channel, QDQ", "float_nodes": kept,
                                "calibration_inputs": len(calibration)}} if file == twin else {}
        card.write(file, head, {**tables, **how, "metrics": {**metrics, "file_bytes": file.stat().st_size}})
        print(file.name, {k: v for k, v in metrics.items() if not isinstance(v, str)})


def hand_over(staged: Path, out: Path) -> None:
    """Moves finished files into place, weights before card, so that a reader never sees half of one."""
    for path in sorted(staged.iterdir(), key=lambda p: p.suffix != ".onnx"):
        os.replace(path, out / path.name)
    staged.rmdir()
