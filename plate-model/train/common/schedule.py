"""Learning rate over the run: linear warm-up, then half a cosine down to a hundredth.

Progress is the larger of steps done and training time used, so that a run on a
busy machine still ends on time with a finished schedule.
"""

from __future__ import annotations

import math
import time


class Schedule:
    def __init__(self, cfg: dict, minutes: float | None):
        self.steps = cfg["steps"]
        self.warmup = cfg["warmup"]
        self.rate = cfg["rate"]
        self.seconds = minutes * 60 if minutes else None
        self.step = 0
        self.elapsed = 0.0
        self._last = time.monotonic()

    def tick(self) -> None:
        """Counts one step and the time since the last one."""
        now = time.monotonic()
        self.elapsed += now - self._last
        self._last = now
        self.step += 1

    @property
    def progress(self) -> float:
        by_time = self.elapsed / self.seconds if self.seconds else 0.0
        return min(1.0, max(self.step / self.steps, by_time))

    @property
    def done(self) -> bool:
        return self.progress >= 1.0

    def current_rate(self) -> float:
        warm = min(1.0, (self.step + 1) / self.warmup)
        return self.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))

    def state(self) -> dict:
        return {"step": self.step, "elapsed": self.elapsed}

    def restore(self, state: dict) -> None:
        self.step, self.elapsed = state["step"], state["elapsed"]
        self._last = time.monotonic()
