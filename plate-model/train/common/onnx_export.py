"""From a trained network to a checked ONNX file: export, parity, single-thread time."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

from .layers import fuse_batch_norms

OPSET = 17


def export(net: nn.Module, example: torch.Tensor, path: Path, name: str, outputs: list[str], batch: str | None) -> nn.Module:
    """Writes the fused float graph; `batch` names the batch dimension where it may vary. Returns what was exported."""
    net = fuse_batch_norms(copy.deepcopy(net).eval()).float().to(memory_format=torch.contiguous_format)
    axes = {n: {0: batch} for n in (name, *outputs)} if batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces its successor, which needs one more package
        torch.onnx.export(net, (example,), str(path), input_names=[name], output_names=outputs,
                          dynamic_axes=axes, opset_version=OPSET, dynamo=False)
    _store_halved(path)
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)
    return net


def _store_halved(path: Path) -> None:
    """Keeps large kernels in half precision on disk; the runtime widens them once, when it loads the file."""
    model = onnx.load(str(path))
    kept, casts = [], []
    for tensor in model.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < 1024:
            kept.append(tensor)
            continue
        kept.append(onnx.numpy_helper.from_array(value.astype(np.float16), f"{tensor.name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.save(model, str(path))


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def parity(
    net: nn.Module, run: ort.InferenceSession, inputs: np.ndarray, name: str, given: Callable[[np.ndarray], np.ndarray] = lambda x: x,
) -> dict[str, float]:
    """Largest absolute difference of every output over the inputs, one by one; the file gets what `given` makes of them."""
    worst: dict[str, float] = {}
    for x in inputs:
        want = net(torch.from_numpy(x[None]))
        want = want if isinstance(want, tuple) else (want,)
        got = run.run(None, {name: given(x[None])})
        for o, a, b in zip(run.get_outputs(), want, got):
            worst[o.name] = max(worst.get(o.name, 0.0), float(np.abs(a.numpy() - b).max()))
    return worst


def milliseconds(run: ort.InferenceSession, x: np.ndarray, name: str, times: int = 40) -> dict[str, float]:
    """Fastest and median time of one call on one thread; the machine may be busy, so both are given."""
    for _ in range(5):
        run.run(None, {name: x})
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run.run(None, {name: x})
        took.append((time.perf_counter() - start) * 1000)
    return {"fastest_ms": round(min(took), 2), "median_ms": round(float(np.median(took)), 2)}
