"""How the exported detector takes a picture: bytes, four pixels of a 2x2 block side by side.

The first convolution (3x3, every other pixel, three colours) is slow in int8: its rows are nine
bytes long. The same sums over blocks are a 2x2 convolution of twelve channels, more than twice as fast,
and a picture that comes as bytes needs no rounding into them again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 12
PIXELS = "pixels"  # the float picture inside the graph, in 0..1
LEVELS = "level_count"


def channel(row: int, column: int, colour: int) -> int:
    """Where a pixel of a block and its colour lie: two of a colour together, as one row of pixels gives them."""
    return row * 6 + colour * 2 + column


def packed(images: np.ndarray) -> np.ndarray:
    """f32 [N,3,H,W] in 0..1 as the exported network takes it: u8 [N,H/2,W/2,12]."""
    n, _, h, w = images.shape
    blocks = np.rint(images * 255).astype(np.uint8).reshape(n, 3, h // 2, 2, w // 2, 2)
    return np.ascontiguousarray(blocks.transpose(0, 2, 4, 3, 1, 5).reshape(n, h // 2, w // 2, CHANNELS))


def blocks_of(kernel: np.ndarray) -> np.ndarray:
    """A 3x3 kernel [out,3,3,3] of stride 2 and padding 1 over pixels, as 2x2 over blocks: [out,12,2,2]."""
    found = np.zeros((len(kernel), CHANNELS, 2, 2), np.float32)
    for y in range(3):
        for x in range(3):
            # Row 0 of the kernel is the lower one of the block above, rows 1 and 2 are a block.
            for colour in range(3):
                found[:, channel((y + 1) % 2, (x + 1) % 2, colour), (y + 1) // 2, (x + 1) // 2] = kernel[:, colour, y, x]
    return found


def take_packed(path: Path, name: str) -> None:
    """Rewrites the exported float graph at `path` so that its input `name` is `packed`."""
    model = onnx.load(str(path))
    graph = model.graph
    first = next(n for n in graph.node if n.op_type == "Conv" and n.input[0] == name)
    kernel = next(t for t in graph.initializer if t.name == first.input[1])
    kernel.CopyFrom(numpy_helper.from_array(blocks_of(numpy_helper.to_array(kernel)), kernel.name))
    bias = list(first.input[2:])
    first.CopyFrom(helper.make_node("Conv", [PIXELS, kernel.name, *bias], list(first.output), first.name,
                                    kernel_shape=[2, 2], strides=[1, 1], pads=[1, 1, 0, 0]))
    into = [
        helper.make_node("Transpose", [name], ["planes"], "planes", perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["levels"], "levels", to=TensorProto.FLOAT),
        helper.make_node("Div", ["levels", LEVELS], [PIXELS], PIXELS),
    ]
    for node in reversed(into):
        graph.node.insert(0, node)
    graph.initializer.append(numpy_helper.from_array(np.array(255, np.float32), LEVELS))
    n, _, h, w = (d.dim_value for d in graph.input[0].type.tensor_type.shape.dim)
    graph.input[0].CopyFrom(helper.make_tensor_value_info(name, TensorProto.UINT8, [n, h // 2, w // 2, CHANNELS]))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def stay_bytes(path: Path) -> None:
    """Lets the int8 graph at `path` use the bytes as they are, where it made numbers of them and bytes again."""
    model = onnx.load(str(path))
    graph = model.graph
    rounding = next(n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == PIXELS)
    scale = next(numpy_helper.to_array(t) for t in graph.initializer if t.name == rounding.input[1])
    if abs(float(scale) * 255 - 1) > 1e-6:
        raise ValueError(f"{PIXELS} is quantised by {float(scale)}, not by 1/255: bytes would not mean the same")
    for node in [n for n in graph.node if n.name in ("levels", PIXELS)] + [rounding]:
        graph.node.remove(node)
    graph.initializer.remove(next(t for t in graph.initializer if t.name == LEVELS))
    for node in graph.node:
        for i, source in enumerate(node.input):
            if source == rounding.output[0]:
                node.input[i] = "planes"
    onnx.save(model, str(path))
