"""Trains the plate reader. Run again with the same --run to resume."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from ..common.config import arguments
from ..common.device import answers
from ..common.loop import fit
from .data import Plates, real_plates, split, synthetic_plates
from .net import ReaderNet
from .score import accuracy, as_degraded, as_found, by_domain, run, texts


def main() -> None:
    args, cfg = arguments("reader", __doc__)
    real, held = split(real_plates(args.data, cfg["data"]))
    synthetic = synthetic_plates(args.synthetic, cfg["data"])
    synthetic, held_synthetic = synthetic[: -len(synthetic) // 20 or None], synthetic[len(synthetic) - len(synthetic) // 20 :]
    held_synthetic = held_synthetic[:600]
    print(f"{len(real)} real, {len(synthetic)} synthetic plates; {len(held)} real, {len(held_synthetic)} synthetic held out")
    clean, bad = as_found(held, cfg), as_degraded(held, cfg, cfg["seed"])
    bad_synthetic = as_degraded(held_synthetic, cfg, cfg["seed"]) if held_synthetic else None

    def loss_of(net: nn.Module, batch):
        images, labels = batch
        (logits,) = answers(net, images)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=cfg["label_smoothing"])
        whole = (logits.argmax(-1) == labels).all(1).float().mean()
        return loss, {"loss": loss.item(), "train_plate": whole.item()}

    def score_of(net: nn.Module) -> dict[str, float]:
        read = texts(run(net, clean))
        result = {"val_plate": accuracy(read, held), "val_degraded": accuracy(texts(run(net, bad)), held)}
        if bad_synthetic is not None:
            result["val_synthetic"] = accuracy(texts(run(net, bad_synthetic)), held_synthetic)
        return result | {f"domain_{k}": v for k, v in by_domain(read, held).items()}

    fit(args, cfg, ReaderNet(), lambda seed: Plates(real, synthetic, cfg, seed), loss_of, score_of)


if __name__ == "__main__":
    main()
