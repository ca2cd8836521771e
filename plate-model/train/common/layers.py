"""The few building blocks all three networks are made of.

Only plain convolutions, ReLU, max-pool, nearest upsampling and concatenation:
they fuse with their batch norm at export and run well in ONNX Runtime in fp32
and in int8.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ConvUnit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, cin: int, cout: int, k: int = 3, stride: int = 1, groups: int = 1, act: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(cout, momentum=0.03, eps=1e-3)
        self.act: nn.Module = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.bn(self.conv(x)))


class SeparableUnit(nn.Sequential):
    """Depthwise 3x3 then pointwise: a 3x3 convolution at about a ninth of the price."""

    def __init__(self, cin: int, cout: int, stride: int = 1, k: int = 3):
        super().__init__(
            ConvUnit(cin, cin, k, stride, groups=cin, act=False),
            ConvUnit(cin, cout, 1),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut."""

    def __init__(self, ch: int):
        super().__init__()
        self.a = ConvUnit(ch, ch, 3)
        self.b = ConvUnit(ch, ch, 3, act=False)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(x + self.b(self.a(x)))


def fuse_batch_norms(net: nn.Module) -> nn.Module:
    """Folds every batch norm into its convolution, in place; the network must be in eval mode."""
    for m in net.modules():
        if isinstance(m, ConvUnit) and isinstance(m.bn, nn.BatchNorm2d):
            m.conv = fuse_conv_bn_eval(m.conv, m.bn)
            m.bn = nn.Identity()
    return net


def count_macs(net: nn.Module, *example: torch.Tensor) -> int:
    """Multiply-accumulates of the convolutions and linear layers for one example."""
    total = 0

    def hook(m: nn.Module, _inp, out: torch.Tensor) -> None:
        nonlocal total
        if isinstance(m, nn.Conv2d):
            total += out.numel() // out.shape[0] * m.weight[0].numel()
        elif isinstance(m, nn.Linear):
            total += out.numel() // out.shape[0] * m.in_features

    hooks = [m.register_forward_hook(hook) for m in net.modules()]
    with torch.no_grad():
        net(*example)
    for h in hooks:
        h.remove()
    return total
