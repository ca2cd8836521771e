"""Trains the plate reader. Run again with the same --run to resume."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from ..common import checkpoint
from ..common.config import RUNS, arguments, step_aside
from ..common.plots import Journal
from ..common.schedule import Schedule
from .data import Plates, real_plates, split, synthetic_plates
from .net import ReaderNet
from .score import accuracy, as_degraded, as_found, by_domain, run, texts


def main() -> None:
    args, cfg = arguments("reader", __doc__)
    folder = RUNS / args.run
    journal = Journal(folder)
    real, held = split(real_plates(args.data, cfg["data"]))
    synthetic = synthetic_plates(args.synthetic, cfg["data"])
    synthetic, held_synthetic = synthetic[: -len(synthetic) // 20 or None], synthetic[len(synthetic) - len(synthetic) // 20 :]
    print(f"{len(real)} real, {len(synthetic)} synthetic plates; {len(held)} real, {len(held_synthetic)} synthetic held out")

    net = ReaderNet().to(memory_format=torch.channels_last)
    earlier: list[str] = []
    if args.init:
        first = checkpoint.load(args.init)
        net.load_state_dict(first["ema"])
        earlier = checkpoint.history(first)
    ema = checkpoint.AveragedWeights(net, cfg["ema"])
    optimizer = torch.optim.AdamW(net.parameters(), lr=cfg["rate"], weight_decay=cfg["weight_decay"])
    schedule = Schedule(cfg, args.minutes)
    last = folder / "last.pt"
    if last.exists():
        state = checkpoint.load(last)
        net.load_state_dict(state["net"])
        ema.net.load_state_dict(state["ema"])
        ema.updates = state["schedule"]["step"]
        optimizer.load_state_dict(state["optimizer"])
        schedule.restore(state["schedule"])
        print(f"resumed at step {schedule.step}")

    clean, bad = as_found(held, cfg), as_degraded(held, cfg, cfg["seed"])
    bad_synthetic = as_degraded(held_synthetic[:600], cfg, cfg["seed"]) if held_synthetic else None
    step_aside()
    stream = DataLoader(Plates(real, synthetic, cfg, cfg["seed"] + schedule.step), batch_size=None, num_workers=1, prefetch_factor=8)
    sums: dict[str, float] = {}
    for images, labels in itertools.takewhile(lambda _: not schedule.done, stream):
        net.train()
        for group in optimizer.param_groups:
            group["lr"] = schedule.current_rate()
        x = images.permute(0, 3, 1, 2).float().div_(255)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        logits = logits.float()
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=cfg["label_smoothing"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        ema.update(net)
        schedule.tick()
        sums["loss"] = sums.get("loss", 0.0) + loss.item()
        sums["train_plate"] = sums.get("train_plate", 0.0) + (logits.argmax(-1) == labels).all(1).float().mean().item()
        if schedule.step % 50 == 0:
            journal.write(schedule.step, **{k: v / 50 for k, v in sums.items()}, step_seconds=schedule.elapsed / schedule.step)
            sums = {}
        if schedule.step % cfg["eval_every"] == 0 or schedule.done:
            read = texts(run(ema.net, clean))
            result = {"val_plate": accuracy(read, held)}
            result["val_degraded"] = accuracy(texts(run(ema.net, bad)), held)
            if bad_synthetic is not None:
                result["val_synthetic"] = accuracy(texts(run(ema.net, bad_synthetic)), held_synthetic[:600])
            result |= {f"domain_{k}": v for k, v in by_domain(read, held).items()}
            journal.write(schedule.step, **result)
            journal.draw()
            checkpoint.save(last, net=net.state_dict(), ema=ema.net.state_dict(), optimizer=optimizer.state_dict(),
                            schedule=schedule.state(), metrics=result, after=earlier)
    print("finished")


if __name__ == "__main__":
    main()
