"""Published weights have their batch norms folded into the convolutions; training wants them back.

A folded convolution gets a batch norm that changes nothing yet has the statistics of real inputs, so
that training goes on as if the norm had always been there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from .layers import ConvUnit


@torch.no_grad()
def lay(unit: ConvUnit, kernel: torch.Tensor, bias: torch.Tensor) -> None:
    """Puts a folded convolution into a unit, its batch norm without effect but for the bias."""
    unit.conv.weight.copy_(kernel)
    unit.bn.weight.fill_(1)
    unit.bn.bias.copy_(bias)
    unit.bn.running_mean.zero_()
    unit.bn.running_var.fill_(1 - unit.bn.eps)


@torch.no_grad()
def measure(net: nn.Module, units: list[ConvUnit], run: Callable[[], object]) -> None:
    """Gives the units' batch norms the statistics of what `run` sends through; no output changes."""
    seen: dict[ConvUnit, tuple[torch.Tensor, torch.Tensor]] = {}

    def note(unit: ConvUnit):
        return lambda _m, _i, out: seen.__setitem__(unit, (out.float().mean((0, 2, 3)), out.float().var((0, 2, 3))))

    hooks = [u.conv.register_forward_hook(note(u)) for u in units]
    net.eval()
    run()
    for hook in hooks:
        hook.remove()
    for unit, (mean, var) in seen.items():
        bias = unit.bn.bias.clone()
        unit.bn.running_mean.copy_(mean)
        unit.bn.running_var.copy_(var)
        unit.bn.weight.copy_((var + unit.bn.eps).sqrt())
        unit.bn.bias.copy_(mean + bias)


@torch.no_grad()
def from_onnx(net: nn.Module, path: Path, run: Callable[[], object]) -> str:
    """Continues from an exported model whose layers are the network's; layers it lacks start without effect.

    Says what it started from, for the card.
    """
    arrays = {t.name.removesuffix(".half"): onnx.numpy_helper.to_array(t).astype(np.float32)
              for t in onnx.load(str(path)).graph.initializer}
    laid = []
    for name, unit in net.named_modules():
        if not isinstance(unit, ConvUnit):
            continue
        kernel = arrays.get(f"net.{name}.conv.weight")
        if kernel is not None:
            lay(unit, torch.from_numpy(kernel), torch.from_numpy(arrays[f"net.{name}.conv.bias"]))
            laid.append(unit)
        elif name.endswith(".b"):
            unit.bn.weight.zero_()  # a new residual adds nothing at first
        else:
            print(f"{name} is new")
    inside = {id(p) for u in net.modules() if isinstance(u, ConvUnit) for p in u.parameters()}
    # The exporter keeps names but those of linear layers, which it transposes and numbers in order.
    linear = iter(v for k, v in arrays.items() if k.startswith("onnx::MatMul"))
    for name, parameter in net.named_parameters():
        if id(parameter) in inside:
            continue
        value = arrays.get(f"net.{name}")
        parameter.copy_(torch.from_numpy(next(linear).T.copy() if value is None else value))
    measure(net, laid, run)
    return f"{path.name} as committed before"
