"""Exports the plate finder and writes its card."""

from __future__ import annotations

import numpy as np
import torch

from ..common import card, onnx_export, publish
from ..common.layers import count_macs
from ..common.letterbox import to_tensor_layout
from .data import real_pictures, synthetic_pictures
from .net import COLOURS, DecodedFinder, FinderNet
from .score import evaluate, fixed_crops

FLOOR = 0.4


def main() -> None:
    args, cfg, state = publish.arguments("finder", __doc__)
    side = cfg["input"]["side"]
    net = FinderNet()
    net.load_state_dict(state["ema"])
    staged = args.out / ".finder-staged"
    staged.mkdir(parents=True, exist_ok=True)
    path = staged / "finder.onnx"
    example = torch.zeros(1, 3, side, side)
    macs = count_macs(net.eval(), example)
    outputs = ["corners", "scores", "rows", "colours"]
    fused = onnx_export.export(DecodedFinder(net, side), example, path, "crops", outputs, "batch")
    session = onnx_export.session(path)

    held = [p for p in real_pictures(args.data, cfg["data"]) if p.held_out]
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    synthetic = synthetic[len(synthetic) - min(300, len(synthetic) // 10) :]
    crops = fixed_crops(held, cfg, cfg["seed"])
    crops_synthetic = fixed_crops(synthetic, cfg, cfg["seed"])
    inputs = to_tensor_layout([c[0] for c in (crops + crops_synthetic)[:: max(1, len(crops + crops_synthetic) // 50)][:50]])
    differences = onnx_export.parity(fused, session, inputs, "crops")

    def predict(x: np.ndarray):
        return session.run(None, {"crops": x})

    metrics = {"held_out_crops": len(crops), **evaluate(predict, crops, FLOOR)}
    if synthetic:
        metrics["synthetic_crops"] = len(crops_synthetic)
        metrics |= {k.replace("val_", "synthetic_"): v for k, v in evaluate(predict, crops_synthetic, FLOOR).items()}
    names = {"val_corner": "corner_error_share_of_width", "synthetic_corner": "synthetic_corner_error_share_of_width"}
    metrics = {names.get(k, k.replace("val_", "")): v for k, v in metrics.items()}
    metrics |= {"iou": 0.5, "score_floor": FLOOR, **{f"parity_{k}_max": v for k, v in differences.items()}}
    metrics |= {"mmac": macs / 1e6, **onnx_export.milliseconds(session, inputs[:1], "crops"),
                "timing": "one thread, one crop, shared and busy machine"}
    cells = (side // 8) ** 2
    card.write(
        path,
        {
            "kind": "finder",
            "colours": list(COLOURS),
            "weaknesses": [
                "first weights; real crops are simulated around labelled plates, not a detector's boxes",
                "no real blue or red plates and about 90 yellow ones in training: their colour is known from synthetic plates",
                "plates under about 14 px wide in the 192 px crop are missed or their corners are loose",
                "small unlabelled plates in the background of some real pictures count as background",
            ],
        },
        {
            "input": {"name": "crops", "shape": ["batch", 3, side, side], "layout": "NCHW RGB", "range": [0.0, 1.0],
                      "letterbox": "the vehicle's box grown by 8 %, scaled to fit, content at the top left, grey 114/255"},
            "outputs.corners": {"shape": ["batch", cells, 8], "meaning": "x y clockwise from the plate's top left, input pixels"},
            "outputs.scores": {"shape": ["batch", cells], "meaning": "after sigmoid; no suppression inside"},
            "outputs.rows": {"shape": ["batch", cells], "meaning": "probability of two rows"},
            "outputs.colours": {"shape": ["batch", cells, len(COLOURS)], "meaning": "softmax"},
            "training": card.training("finder", cfg, state, [*card.PLATES, "negatives: the vehicle frames named in vehicles.card.toml",
                                      *([card.SYNTHETIC] if synthetic else [])],
                                      ["--data DATA", *(["--synthetic DIR"] if synthetic else [])]),
            "metrics": metrics,
        },
    )
    publish.hand_over(staged, args.out)
    print({k: v for k, v in metrics.items() if not isinstance(v, str)})


if __name__ == "__main__":
    main()
