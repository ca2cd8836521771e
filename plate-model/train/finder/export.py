"""Exports the plate finder and writes its card."""

from __future__ import annotations

import numpy as np
import torch
from onnxruntime import InferenceSession

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
    staged = publish.staging(args.out, "finder")
    path = staged / "finder.onnx"
    example = torch.zeros(1, 3, side, side)
    macs = count_macs(net.eval(), example)
    outputs = ["corners", "scores", "rows", "colours"]
    fused = onnx_export.export(DecodedFinder(net, side), example, path, "crops", outputs, "batch")

    pictures = real_pictures(args.data, cfg["data"])
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    crops = fixed_crops([p for p in pictures if p.held_out], cfg, cfg["seed"])
    crops_synthetic = fixed_crops(synthetic[len(synthetic) - min(300, len(synthetic) // 10) :], cfg, cfg["seed"])
    inputs = to_tensor_layout([c[0] for c in (crops + crops_synthetic)[:: max(1, len(crops + crops_synthetic) // 50)][:50]])
    taught = [p for p in pictures if not p.held_out][::8] + synthetic[: len(synthetic) // 2 : 40]
    calibration = to_tensor_layout([c[0] for c in fixed_crops(taught, cfg, cfg["seed"])][:300])

    def measure(session: InferenceSession) -> dict:
        def predict(x: np.ndarray):
            return session.run(None, {"crops": x})

        metrics = {"held_out_crops": len(crops), **evaluate(predict, crops, FLOOR)}
        if synthetic:
            metrics["synthetic_crops"] = len(crops_synthetic)
            metrics |= {k.replace("val_", "synthetic_"): v for k, v in evaluate(predict, crops_synthetic, FLOOR).items()}
        names = {"val_corner": "corner_error_share_of_width", "synthetic_corner": "synthetic_corner_error_share_of_width"}
        metrics = {names.get(k, k.replace("val_", "")): v for k, v in metrics.items()}
        metrics |= {f"torch_difference_{k}": v for k, v in onnx_export.parity(fused, session, inputs, "crops").items()}
        return metrics | {"iou": 0.5, "score_floor": FLOOR, "mmac": macs / 1e6,
                          **onnx_export.milliseconds(session, inputs[:1], "crops"),
                          "timing": "one thread, one crop, shared and busy machine"}

    cells = (side // 8) ** 2
    publish.both(
        path, "crops", calibration, cfg, measure,
        {"kind": "finder", "colours": list(COLOURS)},
        {
            "input": {"name": "crops", "shape": ["batch", 3, side, side], "layout": "NCHW RGB", "range": [0.0, 1.0],
                      "letterbox": "the vehicle's box grown by 8 %, scaled to fit, content at the top left, grey 114/255"},
            "outputs.corners": {"shape": ["batch", cells, 8], "meaning": "x y clockwise from the plate's top left, input pixels"},
            "outputs.scores": {"shape": ["batch", cells], "meaning": "after sigmoid; no suppression inside"},
            "outputs.rows": {"shape": ["batch", cells], "meaning": "probability of two rows"},
            "outputs.colours": {"shape": ["batch", cells, len(COLOURS)], "meaning": "softmax"},
            "training": card.training("finder", cfg, state, [*card.PLATES, card.NEGATIVES], bool(synthetic)),
        },
    )
    publish.hand_over(staged, args.out)


if __name__ == "__main__":
    main()
