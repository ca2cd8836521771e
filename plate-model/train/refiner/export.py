"""Exports the corner refiner and writes its cards."""

from __future__ import annotations

import numpy as np
import torch
from onnxruntime import InferenceSession

from ..common import card, onnx_export, publish
from ..common.layers import count_macs
from ..common.letterbox import to_tensor_layout
from ..finder.data import real_pictures, synthetic_pictures
from ..finder.net import COLOURS
from .data import Looks
from .net import DecodedRefiner, RefinerNet
from .score import evaluate, fixed_looks


def main() -> None:
    args, cfg, state = publish.arguments("refiner", __doc__)
    inp = cfg["input"]
    w, h = inp["width"], inp["height"]
    net = RefinerNet()
    net.load_state_dict(state["ema"])
    staged = publish.staging(args.out, "refiner")
    path = staged / "refiner.onnx"
    example = torch.zeros(1, 3, h, w)
    macs = count_macs(net.eval(), example)
    outputs = ["corners", "scores", "rows", "colours"]
    fused = onnx_export.export(DecodedRefiner(net, w, h, inp["margin"]), example, path, "plates", outputs, "batch")

    pictures = real_pictures(args.data, cfg["data"])
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    looks = fixed_looks([p for p in pictures if p.held_out], cfg, cfg["seed"])
    stream = iter(Looks([p for p in pictures if not p.held_out], [], synthetic, cfg, cfg["seed"]))
    calibration = to_tensor_layout(list(np.concatenate([next(stream)[0].numpy() for _ in range(6)])))

    def measure(session: InferenceSession) -> dict:
        metrics = evaluate(lambda x: session.run(None, {"plates": x}), looks, cfg)
        metrics = {k.replace("val_corner", "corner_error").replace("val_", ""): v for k, v in metrics.items()}
        differences = onnx_export.parity(fused, session, calibration[:50], "plates")
        return metrics | {
            "held_out_plates": len(looks[0]),
            **{f"torch_difference_{k}": v for k, v in differences.items()},
            "mmac": macs / 1e6,
            **onnx_export.milliseconds(session, calibration[:1], "plates"),
            "timing": "one thread, one plate, shared and busy machine",
        }

    publish.both(
        path, "plates", calibration, cfg, measure,
        {"kind": "refiner", "colours": list(COLOURS)},
        {
            "input": {"name": "plates", "shape": ["batch", 3, h, w], "layout": "NCHW RGB", "range": [0.0, 1.0],
                      "rectified": f"the first corners scaled about their centre by {1 + 2 * inp['margin']:.2f}, straight to the whole input"},
            "outputs.corners": {"shape": ["batch", 8], "meaning": "x y clockwise from the plate's top left, input pixels"},
            "outputs.scores": {"shape": ["batch"], "meaning": "probability that a plate is there"},
            "outputs.rows": {"shape": ["batch"], "meaning": "probability of two rows"},
            "outputs.colours": {"shape": ["batch", len(COLOURS)], "meaning": "softmax"},
            "training": card.training("refiner", cfg, state, [*card.PLATES, card.NEGATIVES], bool(synthetic)),
        },
    )
    publish.hand_over(staged, args.out)


if __name__ == "__main__":
    main()
