"""Trains the plate finder. Run again with the same --run to resume."""

from __future__ import annotations

from torch import nn

from ..common.config import arguments
from ..common.device import answers, predictor
from ..common.loop import fit
from .data import Crops, real_pictures, synthetic_pictures, vehicle_negatives
from .loss import finder_loss
from .net import DecodedFinder, FinderNet, cell_centres
from .score import evaluate, fixed_crops


def main() -> None:
    args, cfg = arguments("finder", __doc__)
    pictures = real_pictures(args.data, cfg["data"])
    held, real = [p for p in pictures if p.held_out], [p for p in pictures if not p.held_out]
    negatives = vehicle_negatives(args.data, cfg["data"])
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    cut_at = len(synthetic) - min(300, len(synthetic) // 10)
    synthetic, held_synthetic = synthetic[:cut_at], synthetic[cut_at:]
    print(f"{len(real)} real, {len(negatives)} without plate, {len(synthetic)} synthetic pictures; "
          f"{len(held)} real, {len(held_synthetic)} synthetic held out")
    crops = fixed_crops(held, cfg, cfg["seed"])
    crops_synthetic = fixed_crops(held_synthetic, cfg, cfg["seed"])
    side = cfg["input"]["side"]
    centres = cell_centres(side)

    def loss_of(net: nn.Module, batch):
        images, labels = batch
        return finder_loss(*answers(net, images), labels, centres, cfg["loss"])

    def score_of(net: nn.Module) -> dict[str, float]:
        predict = predictor(DecodedFinder(net, side))
        result = evaluate(predict, crops)
        if crops_synthetic:
            result |= {k.replace("val_", "val_synthetic_"): v for k, v in evaluate(predict, crops_synthetic).items()}
        return result

    fit(args, cfg, FinderNet(), lambda seed: Crops(real, negatives, synthetic, cfg, seed), loss_of, score_of)


if __name__ == "__main__":
    main()
