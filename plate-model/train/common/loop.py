"""The one training loop: schedule, averaged weights, journal, checkpoints; a run with the same name resumes."""

from __future__ import annotations

import itertools
import math
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from . import checkpoint
from .config import RUNS, step_aside
from .device import DEVICE, MADE_WITH
from .folded import from_onnx
from .plots import Journal
from .schedule import Schedule

REPORT_EVERY = 50
PROBES = 3  # batches that give an exported network its batch norms back
Loss = Callable[[nn.Module, Any], tuple[torch.Tensor, dict[str, float | torch.Tensor]]]


def fit(
    args: Namespace,
    cfg: dict,
    net: nn.Module,
    batches: Callable[[int], IterableDataset],
    loss_of: Loss,
    score_of: Callable[[nn.Module], dict[str, float]],
    begin: Callable[[nn.Module], list[str]] | None = None,
    groups: Callable[[nn.Module], list[dict]] | None = None,
    before_step: Callable[[nn.Module, int], None] | None = None,
) -> None:
    """Trains `net` until the schedule ends and leaves `last.pt`, `journal.csv` and `curves.png` in its run's folder.

    `batches` makes the endless stream for a seed; `loss_of` is called with the network and a batch;
    `score_of` gets the averaged network. `begin` may lay first weights into a fresh network and says
    where they are from; `groups` are the optimizer's parameter groups, whose `share` scales the rate;
    `before_step` is called with the network and with the averaged one before every step.
    """
    folder = RUNS / args.run
    journal = Journal(folder)
    last = folder / "last.pt"
    net = net.to(memory_format=torch.channels_last)
    earlier: list[str] = []
    if begin and not args.init and not last.exists():
        earlier = begin(net)
    net = net.to(DEVICE)
    if args.init and args.init.suffix == ".onnx":
        probe = [batch for batch, _ in zip(DataLoader(batches(cfg["seed"]), batch_size=None), range(PROBES))]
        earlier = [from_onnx(net, args.init, lambda: [loss_of(net, batch) for batch in probe])]
    elif args.init:
        first = checkpoint.load(args.init)
        net.load_state_dict(first["ema"])
        earlier = checkpoint.history(first)
    ema = checkpoint.AveragedWeights(net, cfg["ema"])
    optimizer = torch.optim.AdamW(
        groups(net) if groups else net.parameters(), lr=cfg["rate"], weight_decay=cfg["weight_decay"]
    )
    schedule = Schedule(cfg, args.minutes)
    if last.exists():
        state = checkpoint.load(last)
        net.load_state_dict(state["net"])
        ema.net.load_state_dict(state["ema"])
        ema.updates = state["schedule"]["step"]
        optimizer.load_state_dict(state["optimizer"])
        schedule.restore(state["schedule"])
        earlier = state["after"]
        print(f"resumed at step {schedule.step}")

    step_aside()
    stream = DataLoader(batches(cfg["seed"] + schedule.step), batch_size=None, num_workers=args.workers, prefetch_factor=6,
                        pin_memory=DEVICE.type == "cuda")
    sums: dict[str, float | torch.Tensor] = {}
    for batch in itertools.takewhile(lambda _: not schedule.done, stream):
        net.train()
        if before_step:
            before_step(net, schedule.step)
            before_step(ema.net, schedule.step)
        for group in optimizer.param_groups:
            group["lr"] = schedule.current_rate() * group.get("share", 1.0)
        loss, parts = loss_of(net, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), cfg["clip"])
        if math.isfinite(float(norm)):
            optimizer.step()
            ema.update(net)
        schedule.tick()
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + v
        if schedule.step % REPORT_EVERY == 0:
            means = {k: float(v) / REPORT_EVERY for k, v in sums.items()}
            journal.write(schedule.step, **means, rate=schedule.current_rate(), step_seconds=schedule.elapsed / schedule.step)
            sums = {}
        if schedule.step % cfg["eval_every"] == 0 or schedule.done:
            result = score_of(ema.net.eval())
            journal.write(schedule.step, **result)
            journal.draw()
            checkpoint.save(last, net=net.state_dict(), ema=ema.net.state_dict(), optimizer=optimizer.state_dict(),
                            schedule=schedule.state(), metrics=result, after=earlier, made_with=MADE_WITH)
    print("finished")
