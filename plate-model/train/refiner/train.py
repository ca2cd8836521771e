"""Trains the corner refiner. Run again with the same --run to resume."""

from __future__ import annotations

import torch
from torch import nn

from ..common.config import arguments
from ..common.device import answers, predictor
from ..common.loop import fit
from ..finder.data import real_pictures, synthetic_pictures, vehicle_negatives
from .data import Looks
from .loss import refiner_loss
from .net import DecodedRefiner, RefinerNet, expected
from .score import evaluate, fixed_looks


def main() -> None:
    args, cfg = arguments("refiner", __doc__)
    inp = cfg["input"]
    pictures = real_pictures(args.data, cfg["data"])
    held, real = [p for p in pictures if p.held_out], [p for p in pictures if not p.held_out]
    negatives = vehicle_negatives(args.data, cfg["data"])
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    print(f"{len(real)} real, {len(negatives)} without plate, {len(synthetic)} synthetic pictures; {len(held)} held out")
    looks = fixed_looks(held, cfg, cfg["seed"])
    sides = torch.tensor([inp["width"], inp["height"]] * 4)
    nominal = expected(inp["width"], inp["height"], inp["margin"]) / sides

    def loss_of(net: nn.Module, batch):
        images, labels = batch
        return refiner_loss(*answers(net, images), labels, nominal, cfg["loss"])

    def score_of(net: nn.Module) -> dict[str, float]:
        decoded = DecodedRefiner(net, inp["width"], inp["height"], inp["margin"])
        return evaluate(predictor(decoded, half=False), looks, cfg)

    fit(args, cfg, RefinerNet(), lambda seed: Looks(real, negatives, synthetic, cfg, seed), loss_of, score_of)


if __name__ == "__main__":
    main()
