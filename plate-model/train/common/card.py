"""Writes a model card: what the weights are, where they come from, how well they do.

Only measured figures go in; the licences are what each source states.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

PLATES = [
    "qhung-13/ITS_License_Plate_Detection @ 7bfbdce7: CC BY 4.0 as stated (two Roboflow sets)",
    "vitocolerole/label_plate_number @ 51e1437b: no licence stated",
    "hohuynhnhu/license-plate-recognition @ df0b3b7c: no licence stated",
]
VEHICLES = [
    "minhtrietcancode/vietnamese-vehicle-detection @ 923712b0: said to be CC0",
    "lehuynhhuyhoang05/Red-light-detection @ 2a70042d: CC BY 4.0 as stated",
    "uvhnael/Red-Light-Violation-Detection @ 61759843: no licence stated",
    "quypcfpt/Traffic-Detection @ 1cd272f0: no licence stated",
    "priyen3101/Real-Time-Car-Detection-and-Speed-Tracking-System @ ace0e8f5: no licence stated",
    "punmyidol/motorcycle-helmet-detection-YOLOV8 @ f1a66cac: CC BY 4.0 as stated",
    "tatthangdz123/Nhan-dien-giao-thong @ e2814577: CC BY 4.0 as stated",
    "DoanBuiHoaHop/Hethonggiaothong-YOLOv8: no licence stated",
    "lightly-ai/coco128_yolo @ 6d6f7a05: COCO terms",
    "part of the boxes: automatic, from NanoDet-g (Apache-2.0) and CenterNet (MIT)",
]
NEGATIVES = "negatives: the vehicle frames named in vehicles.card.toml"
SYNTHETIC = "frames and plates of this project's own synthetic road world"


def toml_value(v) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, float):
        return repr(round(v, 5))
    if isinstance(v, int):
        return str(v)
    if isinstance(v, str):
        return json.dumps(v, ensure_ascii=False)
    if isinstance(v, (list, tuple)):
        if v and all(isinstance(i, str) for i in v) and sum(map(len, v)) > 60:
            return "[\n" + "".join(f"  {toml_value(i)},\n" for i in v) + "]"
        return "[" + ", ".join(toml_value(i) for i in v) + "]"
    raise TypeError(f"no TOML for {type(v)}")


def write(onnx: Path, head: dict, tables: dict[str, dict]) -> Path:
    """Writes `<name>.card.toml` beside the weights; `head` holds the top-level keys."""
    digest = hashlib.sha256(onnx.read_bytes()).hexdigest()
    lines = ["# Written by the export command of plate-model/train; the digest is checked when the model is loaded."]
    top = {"name": onnx.stem, "file": onnx.name, "sha256": digest, "date": time.strftime("%Y-%m-%d", time.gmtime()), **head}
    lines += [f"{k} = {toml_value(v)}" for k, v in top.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        lines += [f"{k} = {toml_value(v)}" for k, v in table.items()]
    path = onnx.with_name(f"{onnx.stem}.card.toml")
    path.write_text("\n".join(lines) + "\n")
    return path


def training(room: str, cfg: dict, state: dict, sources: list[str], synthetic: bool) -> dict:
    """How the weights came about; `synthetic` says whether synthetic pictures took part."""
    return {
        "framework": f"{state['made_with']}, bf16 autocast",
        "command": " ".join([f"python -m train.{room}.train --data DATA", *(["--synthetic DIR"] if synthetic else []), *cfg["card"].get("options", [])]),
        "seed": cfg["seed"],
        "steps": state["schedule"]["step"],
        "batch": cfg["batch"],
        "minutes": round(state["schedule"]["elapsed"] / 60, 1),
        "earlier_runs": state.get("after", []),
        "held_out": "train/split.toml",
        "sources": [*sources, *([SYNTHETIC] if synthetic else [])],
    }
