"""Static int8: unsigned activations, signed weights per channel, which VNNI processors multiply fast.

Only the network's own layers are quantised; what decodes its answers into pixels and probabilities
stays in floating point, and so do the layers a room names because they lose too much.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

QUANTISED = ["Conv", "MaxPool", "Concat", "Add", "Resize", "Gemm", "Relu"]


class _Inputs(CalibrationDataReader):
    def __init__(self, name: str, inputs: np.ndarray):
        self.feed = iter([{name: x[None]} for x in inputs])

    def get_next(self):
        return next(self.feed, None)


def quantise(
    path: Path, to: Path, name: str, inputs: np.ndarray, keep: tuple[str, ...], ranges: dict[str, float] | None = None,
) -> list[str]:
    """Writes the int8 model of `path`; `inputs` [N,...] calibrate, nodes named in `keep` stay float.

    A node stays float if its name contains one of `keep`. Tensors of `ranges` are known to go from
    0 to so much. Returns the names of the nodes that stay float.
    """
    logging.getLogger().setLevel(logging.ERROR)  # the pre-processor advises what is done anyway
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(str(prepared)).graph
        nodes = [n for n in graph.node if n.op_type in QUANTISED]
        float_nodes = [n.name for n in nodes if not n.name.startswith("/net/") or any(k in n.name for k in keep)]

        def write(known: dict[str, float]) -> None:
            overrides = {k: [{"rmin": np.float32(0), "rmax": np.float32(v)}] for k, v in known.items()}
            quantize_static(
                str(prepared), str(to), _Inputs(name, inputs), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=QUANTISED,
                nodes_to_exclude=float_nodes, calibrate_method=CalibrationMethod.MinMax,
                extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05,
                               "TensorQuantOverrides": overrides},
            )

        ranges = ranges or {}
        write(ranges)
        joined = [[*n.input, *n.output] for n in nodes if n.op_type == "Concat" and n.name not in float_nodes]
        if shared := _shared(joined, to):
            write(ranges | shared)
    return float_nodes


def _shared(joined: list[list[str]], quantised: Path) -> dict[str, float]:
    """One range for what is joined: then joining copies bytes, else it would requantise every one of them.

    Left as it is where a part goes below 0 or is no byte.
    """
    scales = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(str(quantised)).graph.initializer}
    joined = [names for names in joined if all(scales.get(f"{n}_zero_point", 1) == 0 for n in names)]
    most = {n: 255 * float(scales[f"{n}_scale"]) for names in joined for n in names}
    while any(most[n] < max(most[m] for m in names) for names in joined for n in names):
        for names in joined:
            most |= dict.fromkeys(names, max(most[n] for n in names))
    return most
