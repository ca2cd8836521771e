"""Trains the plate finder. Run again with the same --run to resume."""

from __future__ import annotations

import itertools

import torch
from torch.utils.data import DataLoader

from ..common import checkpoint
from ..common.config import RUNS, arguments, step_aside
from ..common.plots import Journal
from ..common.schedule import Schedule
from .data import Crops, real_pictures, synthetic_pictures, vehicle_negatives
from .loss import finder_loss
from .net import DecodedFinder, FinderNet, cell_centres
from .score import evaluate, fixed_crops, torch_predictor


def main() -> None:
    args, cfg = arguments("finder", __doc__)
    folder = RUNS / args.run
    journal = Journal(folder)
    pictures = real_pictures(args.data, cfg["data"])
    held = [p for p in pictures if p.held_out]
    real = [p for p in pictures if not p.held_out]
    negatives = vehicle_negatives(args.data, cfg["data"])
    synthetic = synthetic_pictures(args.synthetic, cfg["data"])
    cut_at = len(synthetic) - min(300, len(synthetic) // 10)
    synthetic, held_synthetic = synthetic[:cut_at], synthetic[cut_at:]
    print(f"{len(real)} real, {len(negatives)} without plate, {len(synthetic)} synthetic pictures; "
          f"{len(held)} real, {len(held_synthetic)} synthetic held out")

    net = FinderNet().to(memory_format=torch.channels_last)
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

    crops = fixed_crops(held, cfg, cfg["seed"])
    crops_synthetic = fixed_crops(held_synthetic, cfg, cfg["seed"])
    centres = cell_centres(cfg["input"]["side"])
    step_aside()
    stream = DataLoader(Crops(real, negatives, synthetic, cfg, cfg["seed"] + schedule.step), batch_size=None, num_workers=1, prefetch_factor=8)
    sums: dict[str, float] = {}
    for images, labels in itertools.takewhile(lambda _: not schedule.done, stream):
        net.train()
        for group in optimizer.param_groups:
            group["lr"] = schedule.current_rate()
        x = images.permute(0, 3, 1, 2).float().div_(255)
        with torch.autocast("cpu", torch.bfloat16):
            what, where = net(x)
        loss, parts = finder_loss(what.float(), where.float(), labels, centres, cfg["loss"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        ema.update(net)
        schedule.tick()
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + v
        if schedule.step % 50 == 0:
            journal.write(schedule.step, **{k: v / 50 for k, v in sums.items()}, step_seconds=schedule.elapsed / schedule.step)
            sums = {}
        if schedule.step % cfg["eval_every"] == 0 or schedule.done:
            predict = torch_predictor(DecodedFinder(ema.net, cfg["input"]["side"]).eval())
            result = evaluate(predict, crops)
            if crops_synthetic:
                result |= {k.replace("val_", "val_synthetic_"): v for k, v in evaluate(predict, crops_synthetic).items()}
            journal.write(schedule.step, **result)
            journal.draw()
            checkpoint.save(last, net=net.state_dict(), ema=ema.net.state_dict(), optimizer=optimizer.state_dict(),
                            schedule=schedule.state(), metrics=result, after=earlier)
    print("finished")


if __name__ == "__main__":
    main()
