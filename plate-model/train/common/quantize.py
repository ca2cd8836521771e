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


def quantise(path: Path, to: Path, name: str, inputs: np.ndarray, keep: tuple[str, ...]) -> list[str]:
    """Writes the int8 model of `path`; `inputs` [N,...] calibrate, nodes named in `keep` stay float.

    A node stays float if its name contains one of `keep`. Returns the names that did.
    """
    logging.getLogger().setLevel(logging.ERROR)  # the pre-processor advises what is done anyway
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        nodes = [n for n in onnx.load(str(prepared)).graph.node if n.op_type in QUANTISED]
        float_nodes = [n.name for n in nodes if not n.name.startswith("/net/") or any(k in n.name for k in keep)]
        quantize_static(
            str(prepared), str(to), _Inputs(name, inputs), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=QUANTISED,
            nodes_to_exclude=float_nodes, calibrate_method=CalibrationMethod.MinMax,
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05},
        )
    return float_nodes
