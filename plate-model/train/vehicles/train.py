"""Trains the vehicle detector. Run again with the same --run to resume."""

from __future__ import annotations

import numpy as np
from torch import nn

from ..common import split
from ..common.config import arguments
from ..common.device import DEVICE, answers, predictor
from ..common.loop import fit
from . import pretrained
from .data import Windows, letterboxed, real_frames, synthetic_frames
from .loss import detection_loss
from .net import DecodedVehicles, VehicleNet, cell_centres, decode
from .score import evaluate


def main() -> None:
    args, cfg = arguments("vehicles", __doc__)
    frames = real_frames(args.data, cfg["data"])
    synthetic = synthetic_frames(args.synthetic, cfg["data"])
    held = [f for f in frames if f.camera in split.CAMERAS]
    held_synthetic = synthetic[::20][:40]
    known = {f.name for f in held_synthetic}
    real = [f for f in frames if f.camera not in split.CAMERAS]
    synthetic = [f for f in synthetic if f.name not in known]
    print(f"{len(real)} real, {len(synthetic)} synthetic frames; {len(held)} real, {len(held_synthetic)} synthetic held out")

    def begin(net: nn.Module) -> list[str]:
        pretrained.into(net.backbone, letterboxed(real[:: max(1, len(real) // 24)][:24], cfg))
        return ["COCO weights of NanoDet-g"]

    def groups(net: nn.Module) -> list[dict]:
        """What COCO taught changes slowly, what is new fast; norms and biases do not decay."""
        found = []
        for learnt, share in ((True, cfg["backbone_rate"]), (False, 1.0)):
            mine = [p for n, p in net.named_parameters() if n.startswith("backbone.") == learnt]
            found.append({"params": [p for p in mine if p.ndim > 1], "share": share})
            found.append({"params": [p for p in mine if p.ndim <= 1], "weight_decay": 0.0, "share": share})
        return found

    def seal_leaks(net: nn.Module, step: int) -> None:
        net.backbone.leak(0.0 if args.init else pretrained.LEAK * max(0.0, 1 - step / cfg["leak_steps"]))

    grids: dict[tuple[int, int], tuple] = {}

    def loss_of(net: nn.Module, batch: dict):
        size = tuple(batch["images"].shape[1:3])
        points, strides = grids.setdefault(size, tuple(t.to(DEVICE) for t in cell_centres(*size)))
        logits, sides = answers(net, batch["images"], home=False)
        return detection_loss(logits, decode(sides, points, strides), points, batch, cfg["loss"])

    def score_of(net: nn.Module) -> dict[str, float]:
        decoded = predictor(DecodedVehicles(net, cfg["input"]["height"], cfg["input"]["width"]))

        def predict(x: np.ndarray) -> list[np.ndarray]:
            return [answer[0] for answer in decoded(x)]

        result = evaluate(predict, held, cfg)
        if held_synthetic:
            result |= {k.replace("val_", "val_synthetic_"): v for k, v in evaluate(predict, held_synthetic, cfg).items()}
        return result

    fit(args, cfg, VehicleNet(), lambda seed: Windows(real, synthetic, cfg, seed), loss_of, score_of, begin, groups, seal_leaks)


if __name__ == "__main__":
    main()
