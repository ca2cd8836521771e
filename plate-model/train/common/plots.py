"""The run's journal: one CSV row per report, and a PNG of loss and validation metric."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)


class Journal:
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal.csv"
        self.picture = folder / "curves.png"

    def write(self, step: int, **values: float) -> None:
        """Appends `step,name,value` rows and says them on standard output."""
        with self.path.open("a", newline="") as f:
            w = csv.writer(f)
            for name, value in values.items():
                w.writerow([step, name, f"{value:.6g}"])
        line = " ".join(f"{k} {v:.4g}" for k, v in values.items())
        print(f"{time.strftime('%H:%M:%S')} step {step} {line}", flush=True)

    def draw(self) -> None:
        series: dict[str, tuple[list[int], list[float]]] = {}
        with self.path.open(newline="") as f:
            for step, name, value in csv.reader(f):
                xs, ys = series.setdefault(name, ([], []))
                xs.append(int(step))
                ys.append(float(value))
        fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5))
        for name, (xs, ys) in series.items():
            axis = left if name.startswith("loss") else right if name.startswith("val") else None
            if axis is not None:
                axis.plot(xs, ys, label=name, linewidth=1)
        for axis, title in ((left, "training loss"), (right, "validation")):
            axis.set_title(title)
            axis.set_xlabel("step")
            axis.grid(alpha=0.3)
            if axis.lines:
                axis.legend(fontsize=8)
        fig.tight_layout()
        fig.savefig(self.picture, dpi=90)
        plt.close(fig)
