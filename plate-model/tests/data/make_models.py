"""Makes the tiny models of this crate's tests: right names and shapes, constant answers.

    python make_models.py

Scores follow the brightest value of the input, so a black picture holds nothing. Needs `onnx`;
run once, the results are kept beside this file.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def constant(name: str, value: np.ndarray) -> onnx.NodeProto:
    tensor = numpy_helper.from_array(value.astype(np.float32), name)
    return helper.make_node("Constant", [], [name], value=tensor)


def model(name: str, source: tuple, outputs: dict, scaled: tuple[str, ...]) -> None:
    """Each output is a constant; those in `scaled` are multiplied with the input's maximum."""
    batch = source[1][0]
    most = 255.0 if name == "vehicles" else 1.0  # the detector takes bytes
    nodes = [
        helper.make_node("Cast", [source[0]], ["numbers"], to=TensorProto.FLOAT),
        constant("most", np.array([most])),
        helper.make_node("Div", ["numbers", "most"], ["shares"]),
        helper.make_node("ReduceMax", ["shares"], ["brightest"], axes=[1, 2, 3], keepdims=1),
        constant("none", np.zeros(1)),
        constant("one", np.ones(1)),
        helper.make_node("Mul", ["brightest", "none"], ["zero4"]),
        helper.make_node("Add", ["zero4", "one"], ["one4"]),
    ]
    infos = []
    for output, value in outputs.items():
        axes = [1] * (value.ndim - 1)
        shape = numpy_helper.from_array(np.array([-1 if batch == "B" else 1] + axes), f"{output}_shape")
        nodes += [
            helper.make_node("Constant", [], [f"{output}_shape"], value=shape),
            constant(f"{output}_value", value),
            helper.make_node("Reshape", ["brightest" if output in scaled else "one4", f"{output}_shape"], [f"{output}_by"]),
            helper.make_node("Mul", [f"{output}_by", f"{output}_value"], [output]),
        ]
        infos.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, *value.shape[1:]]))
    kind = TensorProto.FLOAT if most == 1 else TensorProto.UINT8
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info(source[0], kind, source[1])], infos)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    data = made.SerializeToString()
    (HERE / f"{name}.onnx").write_bytes(data)
    special = {
        "vehicles": 'classes = ["motorbike", "car", "bus", "truck"]',
        "finder": 'colours = ["white", "yellow", "blue", "red"]',
        "refiner": 'colours = ["white", "yellow", "blue", "red"]',
        "reader": f'alphabet = "{ALPHABET}"',
    }[name]
    lines = [
        "# Made by make_models.py.",
        f'name = "tiny-{name}"',
        f'kind = "{name}"',
        f'file = "{name}.onnx"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        special,
        "",
        "[input]",
        f'name = "{source[0]}"',
        f"shape = {list(source[1])}".replace("'", '"'),
        f'layout = "{"NCHW RGB" if most == 1 else "bytes, 2x2 blocks"}"',
        f"range = [0.0, {most}]",
    ]
    for output, value in outputs.items():
        lines += ["", f"[outputs.{output}]", f"shape = {[batch, *value.shape[1:]]}".replace("'", '"')]
    (HERE / f"{name}.card.toml").write_text("\n".join(lines) + "\n")


def main() -> None:
    # A motorbike, the same one shifted, and a car elsewhere.
    boxes = np.array([[[64, 36, 128, 180], [66, 36, 130, 180], [300, 60, 500, 200]]])
    scores = np.array([[[0.9, 0.1, 0, 0], [0.8, 0.1, 0, 0], [0, 0.7, 0.1, 0.1]]])
    model("vehicles", ("images", [1, 192, 320, 12]), {"boxes": boxes, "scores": scores}, ("scores",))

    # One good quadrilateral, then the same with its corners in another order, then a sliver.
    corners = np.array([[[60, 100, 100, 102, 99, 132, 61, 130], [61, 130, 60, 100, 100, 102, 99, 132], [10, 10, 90, 10, 90, 11, 10, 11]]])
    model(
        "finder",
        ("crops", ["B", 3, 192, 192]),
        {
            "corners": corners,
            "scores": np.array([[0.9, 0.8, 0.95]]),
            "rows": np.array([[0.97, 0.9, 0.1]]),
            "colours": np.array([[[0.9, 0.05, 0.03, 0.02]] * 3]),
        },
        ("scores",),
    )

    # The corners are where they were expected: 0.4 of the plate's size around it on every side.
    left, top = 128 * 0.4 / 1.8, 64 * 0.4 / 1.8
    model(
        "refiner",
        ("plates", ["B", 3, 64, 128]),
        {
            "corners": np.array([[left, top, 128 - left, top, 128 - left, 64 - top, left, 64 - top]]),
            "scores": np.array([0.95]),
            "rows": np.array([0.97]),
            "colours": np.array([[0.9, 0.05, 0.03, 0.02]]),
        },
        ("scores",),
    )

    chars = np.full((1, 10, 37), 0.001)
    for position, character in enumerate("29B112345"):
        chars[0, position, ALPHABET.index(character)] = 0.964
    chars[0, 9, 36] = 0.964
    model("reader", ("plates", ["B", 3, 64, 128]), {"chars": chars}, ())


if __name__ == "__main__":
    main()
