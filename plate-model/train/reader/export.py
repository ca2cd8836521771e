"""Exports the reader with its temperature inside, and writes its card."""

from __future__ import annotations

import numpy as np
import torch

from ..common import card, onnx_export, publish
from ..common.layers import count_macs
from .alphabet import CHARACTERS, SLOTS
from .data import real_plates, split, synthetic_plates
from .net import CalibratedReader, ReaderNet
from .score import accuracy, as_degraded, as_found, by_domain, run, temperature, texts


def main() -> None:
    args, cfg, state = publish.arguments("reader", __doc__)
    h, w = cfg["input"]["height"], cfg["input"]["width"]
    net = ReaderNet()
    net.load_state_dict(state["ema"])
    _, held = split(real_plates(args.data, cfg["data"]))
    synthetic = synthetic_plates(args.synthetic, cfg["data"])
    synthetic = synthetic[len(synthetic) - len(synthetic) // 20 :][:400]
    # Clean and degraded plates together: the confidence must hold for both.
    mixed = np.concatenate([as_found(held, cfg), as_degraded(held + synthetic, cfg, cfg["seed"])])
    heat = temperature(run(net, mixed), held + held + synthetic)

    staged = args.out / ".reader-staged"
    staged.mkdir(parents=True, exist_ok=True)
    path = staged / "reader.onnx"
    example = torch.zeros(1, 3, h, w)
    macs = count_macs(net.eval(), example)
    fused = onnx_export.export(CalibratedReader(net, heat), example, path, "plates", ["chars"], "batch")
    session = onnx_export.session(path)
    clean = as_found(held, cfg)
    differences = onnx_export.parity(fused, session, clean[:: max(1, len(clean) // 50)][:50], "plates")

    def read(x: np.ndarray) -> list[str]:
        parts = [session.run(None, {"plates": x[i : i + 64]})[0] for i in range(0, len(x), 64)]
        return texts(np.concatenate(parts))

    results = read(clean)
    metrics = {"held_out_plates": len(held), "plate_accuracy": accuracy(results, held)}
    metrics |= {f"plate_accuracy_{k}": v for k, v in by_domain(results, held).items()}
    metrics["plate_accuracy_degraded"] = accuracy(read(as_degraded(held, cfg, cfg["seed"])), held)
    for width in (32, 40, 60):
        for rows in (1, 2):
            part = [p for p in held if p.rows == rows]
            metrics[f"plate_accuracy_at_{width}px_{rows}row"] = accuracy(read(as_found(part, cfg, width)), part)
    if synthetic:
        metrics["synthetic_plates"] = len(synthetic)
        metrics["synthetic_degraded"] = accuracy(read(as_degraded(synthetic, cfg, cfg["seed"])), synthetic)
        for width in (32, 40, 60):
            for rows in (1, 2):
                part = [p for p in synthetic if p.rows == rows]
                metrics[f"synthetic_at_{width}px_{rows}row"] = accuracy(read(as_found(part, cfg, width)), part)
    metrics |= {f"parity_{k}_max": v for k, v in differences.items()}
    metrics |= {"temperature": heat, "mmac": macs / 1e6, **onnx_export.milliseconds(session, clean[:1], "plates"),
                "timing": "one thread, one plate, shared and busy machine"}
    card.write(
        path,
        {
            "kind": "reader",
            "alphabet": CHARACTERS,
            "weaknesses": [
                "first weights; about one label in a hundred of the real plates is wrong",
                "rare letters (R, Z, Y) and yellow, blue, red plates are known mostly from synthetic plates",
                "one-row plates narrower than about 50 px lose characters; the weakest character's probability tells",
                "little night and rain in the real plates",
            ],
        },
        {
            "input": {"name": "plates", "shape": ["batch", 3, h, w], "layout": "NCHW RGB", "range": [0.0, 1.0],
                      "rectified": "four corners straight to the whole input, one and two rows alike"},
            "outputs.chars": {"shape": ["batch", SLOTS, len(CHARACTERS) + 1],
                              "meaning": "softmax per slot over alphabet + blank (last); upper row first"},
            "training": card.training("reader", cfg, state, [*card.PLATES, *([card.SYNTHETIC] if synthetic else [])],
                                      ["--data DATA", *(["--synthetic DIR"] if synthetic else [])]),
            "metrics": metrics,
        },
    )
    publish.hand_over(staged, args.out)
    print({k: v for k, v in metrics.items() if not isinstance(v, str)})


if __name__ == "__main__":
    main()
