"""Exports the vehicle detector and writes its card."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from onnxruntime import InferenceSession

from ..common import card, onnx_export, publish, split
from ..common.layers import count_macs
from .data import letterboxed, real_frames, synthetic_frames
from .net import CLASSES, DecodedVehicles, VehicleNet, cell_centres
from .packed import CHANNELS, PIXELS, packed, stay_bytes, take_packed
from .score import evaluate


def main() -> None:
    args, cfg, state = publish.arguments("vehicles", __doc__)
    h, w = cfg["input"]["height"], cfg["input"]["width"]
    net = VehicleNet()
    net.load_state_dict(state["ema"])
    decoded = DecodedVehicles(net, h, w)
    staged = publish.staging(args.out, "vehicles")
    path = staged / "vehicles.onnx"
    example = torch.zeros(1, 3, h, w)
    macs = count_macs(decoded.eval(), example)
    fused = onnx_export.export(decoded, example, path, "images", ["boxes", "scores"], None)
    take_packed(path, "images")

    frames = real_frames(args.data, cfg["data"])
    held = [f for f in frames if f.camera in split.CAMERAS]
    taught = [f for f in frames if f.camera not in split.CAMERAS]
    synthetic = synthetic_frames(args.synthetic, cfg["data"])
    calibration = letterboxed((taught + synthetic)[:: max(1, len(taught + synthetic) // 120)][:120], cfg).numpy()
    synthetic = synthetic[::20][:40]
    inputs = letterboxed((held + synthetic)[:: max(1, len(held + synthetic) // 50)][:50], cfg).numpy()

    def measure(run: InferenceSession) -> dict:
        seen: dict[bytes, tuple] = {}

        def predict(x: np.ndarray):
            key = hashlib.sha1(x.tobytes()).digest()  # a frame is scored overall and by camera, run once
            if key not in seen:
                boxes, scores = run.run(None, {"images": packed(x)})
                seen[key] = boxes[0], scores[0]
            return seen[key]

        metrics = {k.replace("val_", "held_out_"): v for k, v in evaluate(predict, held, cfg).items()}
        for camera in split.CAMERAS:
            result = evaluate(predict, [f for f in held if f.camera == camera], cfg)
            metrics |= {f"{k.replace('val_', '')}_{camera}".replace("-", "_"): v for k, v in result.items()}
        if synthetic:
            metrics |= {k.replace("val_", "synthetic_"): v for k, v in evaluate(predict, synthetic, cfg).items()}
        metrics |= {"held_out_frames": len(held), "synthetic_frames": len(synthetic)}
        metrics |= {f"torch_difference_{k}": v for k, v in onnx_export.parity(fused, run, inputs, "images", packed).items()}
        time = onnx_export.milliseconds(run, packed(inputs[:1]), "images")
        return metrics | {"gmac": macs / 1e9, **time, "timing": "one thread, shared and busy machine"}

    cells = len(cell_centres(h, w)[0])
    publish.both(
        path, "images", packed(calibration), cfg, measure,
        {
            "kind": "vehicles",
            "classes": list(CLASSES),
        },
        {
            "input": {"name": "images", "shape": [1, h // 2, w // 2, CHANNELS], "layout": "bytes, 2x2 blocks (train/vehicles/packed.py)",
                      "range": [0.0, 255.0], "letterbox": "scale to fit, content at the top left, grey 114"},
            "outputs.boxes": {"shape": [1, cells, 4], "meaning": "x1 y1 x2 y2 in input pixels"},
            "outputs.scores": {"shape": [1, cells, len(CLASSES)], "meaning": "after sigmoid; no suppression inside"},
            "training": card.training("vehicles", cfg, state, card.VEHICLES, bool(synthetic)),
        },
        ranges={PIXELS: 1.0}, finish=stay_bytes,
    )
    publish.hand_over(staged, args.out)


if __name__ == "__main__":
    main()
