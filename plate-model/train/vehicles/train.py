"""Trains the vehicle detector. Run again with the same --run to resume."""

from __future__ import annotations

import itertools
import math

import torch
from torch.utils.data import DataLoader

from ..common import checkpoint, split
from ..common.config import RUNS, arguments, step_aside
from ..common.plots import Journal
from ..common.schedule import Schedule
from . import pretrained
from .data import Windows, letterboxed, real_frames, synthetic_frames
from .loss import detection_loss
from .net import DecodedVehicles, VehicleNet, cell_centres, decode
from .score import evaluate, torch_predictor


def main() -> None:
    args, cfg = arguments("vehicles", __doc__)
    folder = RUNS / args.run
    journal = Journal(folder)
    frames = real_frames(args.data, cfg["data"])
    synthetic = synthetic_frames(args.synthetic, cfg["data"])
    held = [f for f in frames if f.camera in split.CAMERAS]
    held_synthetic = synthetic[::20][:40]
    known = {f.name for f in held_synthetic}
    real = [f for f in frames if f.camera not in split.CAMERAS]
    synthetic = [f for f in synthetic if f.name not in known]
    print(f"{len(real)} real, {len(synthetic)} synthetic frames; {len(held)} real, {len(held_synthetic)} synthetic held out")

    net = VehicleNet().to(memory_format=torch.channels_last)
    earlier: list[str] = []
    if not args.init and not (folder / "last.pt").exists():
        pretrained.into(net.backbone, letterboxed(real[:: max(1, len(real) // 24)][:24], cfg))
        earlier = ["COCO weights of NanoDet-g"]
    if args.init:
        first = checkpoint.load(args.init)
        net.load_state_dict(first["ema"])
        earlier = checkpoint.history(first)
    ema = checkpoint.AveragedWeights(net, cfg["ema"])
    # What COCO taught changes slowly, what is new fast.
    groups = []
    for learnt, share in ((True, cfg["backbone_rate"]), (False, 1.0)):
        inside = [p for n, p in net.named_parameters() if n.startswith("backbone.") == learnt]
        groups += [
            {"params": [p for p in inside if p.ndim > 1], "weight_decay": cfg["weight_decay"], "share": share},
            {"params": [p for p in inside if p.ndim <= 1], "weight_decay": 0.0, "share": share},
        ]
    optimizer = torch.optim.AdamW(groups, lr=cfg["rate"])
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

    step_aside()
    stream = DataLoader(
        Windows(real, synthetic, cfg, cfg["seed"] + schedule.step), batch_size=None, num_workers=1, prefetch_factor=4
    )
    grids: dict[tuple[int, int], tuple] = {}
    sums: dict[str, float] = {}
    for batch in itertools.takewhile(lambda _: not schedule.done, stream):
        net.train()
        images = batch["images"].permute(0, 3, 1, 2).float().div_(255)
        leak = 0.0 if args.init else pretrained.LEAK * max(0.0, 1 - schedule.step / cfg["leak_steps"])
        for each in (net, ema.net):
            each.backbone.leak(leak)
        size = tuple(images.shape[2:])
        points, strides = grids.setdefault(size, cell_centres(*size))
        for group in optimizer.param_groups:
            group["lr"] = schedule.current_rate() * group["share"]
        with torch.autocast("cpu", torch.bfloat16):
            logits, sides = net(images)
        loss, parts = detection_loss(logits.float(), decode(sides.float(), points, strides), points, batch, cfg["loss"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        if math.isfinite(float(norm)):
            optimizer.step()
            ema.update(net)
        schedule.tick()
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + v
        if schedule.step % 50 == 0:
            journal.write(schedule.step, **{k: v / 50 for k, v in sums.items()}, rate=schedule.current_rate(),
                          step_seconds=schedule.elapsed / schedule.step)
            sums = {}
        if schedule.step % cfg["eval_every"] == 0 or schedule.done:
            predict = torch_predictor(DecodedVehicles(ema.net, cfg["input"]["height"], cfg["input"]["width"]).eval())
            result = evaluate(predict, held, cfg)
            if held_synthetic:
                result |= {k.replace("val_", "val_synthetic_"): v for k, v in evaluate(predict, held_synthetic, cfg).items()}
            journal.write(schedule.step, **result)
            journal.draw()
            checkpoint.save(last, net=net.state_dict(), ema=ema.net.state_dict(), optimizer=optimizer.state_dict(),
                            schedule=schedule.state(), metrics=result, after=earlier)
    print("finished")


if __name__ == "__main__":
    main()
