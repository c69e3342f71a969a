#!/usr/bin/env python3
"""Writes torch_traces.json, which torch_test.go compares with: parameters after every tenth of 100 steps of
PyTorch's optimizers, of LAMB and Lion after optax's formulas in float64, and learning rates of PyTorch's schedulers.
Initial parameters and gradients are not stored: value() below makes them, and the Go test makes the same.

usage: python3 torch_traces.py > torch_traces.json, with a python3 that has torch"""
import json
import math
import sys
import warnings

import torch

SHAPES = [(4, 3), (5,), (2, 3, 2)]
STEPS, EVERY = 100, 10


def value(seed, i):
    """A multiple of 1/512 from -1000/512 to 1000/512."""
    h = (seed * 7919 + i * 104729 + 12345) * 1103515245 % (1 << 31)
    return ((h >> 12) % 2001 - 1000) / 512


def tensors(seed, scale, dtype):
    out, at = [], 0
    for shape in SHAPES:
        n = math.prod(shape)
        out.append(torch.tensor([value(seed, at + k) * scale for k in range(n)], dtype=dtype).reshape(shape))
        at += n
    return out


def gradients(step, dtype):
    """Every seventh step has small gradients, so that clipping sets in and stops."""
    return tensors(1 + step, 1 / 64 if step % 7 == 0 else 0.5, dtype)


def flat(params):
    return [float(f"{x:.9g}") for p in params for x in p.detach().flatten().tolist()]


def torch_trace(make, config, every=False, clip=0.0):
    params = [torch.nn.Parameter(t) for t in tensors(0, 0.25, torch.float32)]
    decay = config.get("weight_decay", 0)
    opt = make([{"params": [p], "weight_decay": decay if every or p.dim() >= 2 else 0} for p in params], **config)
    trace = []
    for step in range(STEPS):
        for p, g in zip(params, gradients(step, torch.float32)):
            p.grad = g
        if clip:
            torch.nn.utils.clip_grad_norm_(params, clip)
        opt.step()
        if (step + 1) % EVERY == 0:
            trace.append(flat(params))
    return trace


def lamb(p, g, s, t, c):
    b1, b2 = c["betas"]
    s["m"] = b1 * s["m"] + (1 - b1) * g
    s["v"] = b2 * s["v"] + (1 - b2) * g * g
    u = s["m"] / (1 - b1 ** t) / (torch.sqrt(s["v"] / (1 - b2 ** t)) + c["eps"])
    if p.dim() >= 2:
        u = u + c["weight_decay"] * p
    pn, un = float(torch.linalg.vector_norm(p)), float(torch.linalg.vector_norm(u))
    return p - c["lr"] * (pn / un if pn > 0 and un > 0 else 1.0) * u


def lion(p, g, s, t, c):
    b1, b2 = c["betas"]
    mix = b1 * s["m"] + (1 - b1) * g
    assert float(mix.abs().min()) > 1e-7, "a sign that rounding may turn"
    s["m"] = b2 * s["m"] + (1 - b2) * g
    u = torch.sign(mix)
    if p.dim() >= 2:
        u = u + c["weight_decay"] * p
    return p - c["lr"] * u


def reference_trace(update, config):
    params = tensors(0, 0.25, torch.float64)
    state = [{"m": torch.zeros_like(p), "v": torch.zeros_like(p)} for p in params]
    trace = []
    for step in range(STEPS):
        g = gradients(step, torch.float64)
        params = [update(p, x, s, step + 1, config) for p, x, s in zip(params, g, state)]
        if (step + 1) % EVERY == 0:
            trace.append(flat(params))
    return trace


def optimizers():
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    for kind, make, config, extra in [
        ("sgd", sgd, dict(lr=0.01), {}),
        ("sgd", sgd, dict(lr=0.01, weight_decay=0.1), dict(every=True)),
        ("sgd", sgd, dict(lr=0.01, momentum=0.9), {}),
        ("sgd", sgd, dict(lr=0.01, momentum=0.9, weight_decay=0.05), {}),
        ("sgd", sgd, dict(lr=0.01, momentum=0.8, nesterov=True, weight_decay=0.05), dict(clip=1.5)),
        ("adam", adam, dict(lr=0.003, betas=(0.9, 0.999), eps=1e-8), {}),
        ("adam", adam, dict(lr=0.003, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1), {}),
        ("adamw", adamw, dict(lr=0.003, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01), dict(every=True)),
        ("adamw", adamw, dict(lr=0.005, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3), dict(clip=1.0)),
    ]:
        yield dict(kind=kind, config=config, **extra, trace=torch_trace(make, config, **extra))
    for kind, update, config in [
        ("lamb", lamb, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.1)),
        # 1 - lr*weight_decay is a float32, so that its rounding, the same at every step, does not add up
        ("lion", lion, dict(lr=2 ** -9, betas=(0.9, 0.99), weight_decay=0.25)),
    ]:
        yield dict(kind=kind, config=config, trace=reference_trace(update, config))


def rates(make, steps, rate=0.5):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    s = make(opt)
    out = []
    for _ in range(steps):
        out.append(opt.param_groups[0]["lr"])
        opt.step()
        s.step()
    return out


def schedules():
    lr = torch.optim.lr_scheduler

    def cycle(**kw):
        return lambda o: lr.OneCycleLR(o, max_lr=0.5, total_steps=40, **kw)

    return {
        "linear": rates(lambda o: lr.LinearLR(o, 0.25, 1.0, 8), 12),
        "cosine": rates(lambda o: lr.CosineAnnealingLR(o, 20, eta_min=0.03), 20),
        "step": rates(lambda o: lr.StepLR(o, 4, gamma=0.3), 20),
        "exponential": rates(lambda o: lr.ExponentialLR(o, 0.9), 20),
        "onecycle": rates(cycle(), 40),
        "onecycle-linear": rates(cycle(anneal_strategy="linear", pct_start=0.21), 40),
        "onecycle-three": rates(cycle(three_phase=True, div_factor=10.0, final_div_factor=100.0), 40),
        "join": rates(lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 0.1, 1.0, 5), lr.CosineAnnealingLR(o, 15), lr.StepLR(o, 2, 0.5)],
                                                [5, 20]), 28),
    }


def main():
    warnings.simplefilter("ignore")  # SequentialLR steps its parts in an order that one of them warns of
    out = dict(torch=torch.__version__, every=EVERY, optimizers=list(optimizers()), schedules=schedules())
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
