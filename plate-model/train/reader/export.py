"""Exports the reader with its temperature inside, and writes its card."""

from __future__ import annotations

import numpy as np
import torch
from onnxruntime import InferenceSession

from ..common import card, onnx_export, publish
from ..common.layers import count_macs
from .alphabet import CHARACTERS, SLOTS
from .data import Plate, real_plates, split, synthetic_plates
from .net import CalibratedReader, ReaderNet
from .score import accuracy, as_degraded, as_found, by_domain, run, temperature, texts


def main() -> None:
    args, cfg, state = publish.arguments("reader", __doc__)
    h, w = cfg["input"]["height"], cfg["input"]["width"]
    net = ReaderNet()
    net.load_state_dict(state["ema"])
    taught, held = split(real_plates(args.data, cfg["data"]))
    synthetic = synthetic_plates(args.synthetic, cfg["data"])
    calibration = as_degraded(taught[::12] + synthetic[: len(synthetic) // 2 : 80], cfg, cfg["seed"])[:400]
    synthetic = synthetic[len(synthetic) - len(synthetic) // 20 :][:400]
    # Clean and degraded plates together: the confidence must hold for both.
    mixed = np.concatenate([as_found(held, cfg), as_degraded(held + synthetic, cfg, cfg["seed"])])
    heat = temperature(run(net, mixed), held + held + synthetic)

    staged = publish.staging(args.out, "reader")
    path = staged / "reader.onnx"
    example = torch.zeros(1, 3, h, w)
    macs = count_macs(net.eval(), example)
    fused = onnx_export.export(CalibratedReader(net, heat), example, path, "plates", ["chars"], "batch")
    clean = as_found(held, cfg)

    def measure(session: InferenceSession) -> dict:
        def read(x: np.ndarray) -> list[str]:
            parts = [session.run(None, {"plates": x[i : i + 64]})[0] for i in range(0, len(x), 64)]
            return texts(np.concatenate(parts))

        results = read(clean)
        metrics = {"held_out_plates": len(held), "plate_accuracy": accuracy(results, held)}
        metrics |= {f"plate_accuracy_{k}": v for k, v in by_domain(results, held).items()}
        metrics["plate_accuracy_degraded"] = accuracy(read(as_degraded(held, cfg, cfg["seed"])), held)
        metrics |= at_widths("plate_accuracy", held, read)
        if synthetic:
            metrics["synthetic_plates"] = len(synthetic)
            metrics["synthetic_degraded"] = accuracy(read(as_degraded(synthetic, cfg, cfg["seed"])), synthetic)
            metrics |= at_widths("synthetic", synthetic, read)
        some = clean[:: max(1, len(clean) // 50)][:50]
        metrics |= {f"torch_difference_{k}": v for k, v in onnx_export.parity(fused, session, some, "plates").items()}
        return metrics | {"temperature": heat, "mmac": macs / 1e6, **onnx_export.milliseconds(session, clean[:1], "plates"),
                          "timing": "one thread, one plate, shared and busy machine"}

    def at_widths(name: str, plates: list[Plate], read) -> dict[str, float]:
        found = {}
        for width in (32, 40, 60):
            for rows in (1, 2):
                part = [p for p in plates if p.rows == rows]
                found[f"{name}_at_{width}px_{rows}row"] = accuracy(read(as_found(part, cfg, width)), part)
        return found

    publish.both(
        path, "plates", calibration, cfg, measure,
        {"kind": "reader", "alphabet": CHARACTERS},
        {
            "input": {"name": "plates", "shape": ["batch", 3, h, w], "layout": "NCHW RGB", "range": [0.0, 1.0],
                      "rectified": "four corners straight to the whole input, one and two rows alike"},
            "outputs.chars": {"shape": ["batch", SLOTS, len(CHARACTERS) + 1],
                              "meaning": "softmax per slot over alphabet + blank (last); upper row first"},
            "training": card.training("reader", cfg, state, card.PLATES, bool(synthetic)),
        },
    )
    publish.hand_over(staged, args.out)


if __name__ == "__main__":
    main()
