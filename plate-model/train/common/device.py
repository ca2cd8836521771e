"""Where the arithmetic of training runs: a GPU when there is one, else the CPU.

What they answer is float32, also where they work in bfloat16. Losses and scores are worked out beside
the data, on the CPU: they are small, and so have one way on every machine. The detector's loss is not
small and stays with its network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MADE_WITH = f"torch {torch.__version__} on " + (torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU")


def pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 [B,H,W,3] as the networks take it: f32 [B,3,H,W] in 0..1, channels last in memory."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def answers(net: nn.Module, images: torch.Tensor | np.ndarray, half: bool = True, home: bool = True) -> tuple[torch.Tensor, ...]:
    """What the network says to uint8 [B,H,W,3] or to f32 [B,3,H,W]; in bfloat16 inside where `half`.

    It comes `home` to the CPU, or stays on the network's device.
    """
    device = next(net.parameters()).device
    x = torch.as_tensor(images).to(device, non_blocking=True)
    x = pixels(x) if x.dtype == torch.uint8 else x.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        said = net(x)
    said = [t.float() for t in (said if isinstance(said, tuple) else (said,))]
    return tuple(t.cpu() if home else t for t in said)


def predictor(net: nn.Module, half: bool = True) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A trained network as an exported file is asked: f32 [B,3,H,W] to numpy arrays."""
    net = net.to(DEVICE).eval()

    @torch.no_grad()
    def predict(x: np.ndarray) -> list[np.ndarray]:
        return [t.numpy() for t in answers(net, x, half)]

    return predict
