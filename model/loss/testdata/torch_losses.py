"""Writes torch_losses.json: losses and their gradients as PyTorch computes them.

    python3 torch_losses.py > torch_losses.json

Inputs have three decimals, so that the file holds the float32 values exactly.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(20240914)


def draw(*shape, low=-2.0, high=2.0):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 3), dtype=torch.float32)


def signs(*shape):
    return torch.tensor(rng.choice([-1.0, 1.0], shape), dtype=torch.float32)


def listed(t):
    if t.is_floating_point():
        return [float(str(v)) for v in t.detach().numpy().flatten()]  # the shortest decimals
    return t.flatten().tolist()


cases = []


def case(name, loss, inputs, wrt, function, **options):
    """Inputs is a list of tensors; gradients are taken of those whose index is in wrt."""
    given = [t.clone().requires_grad_() if i in wrt else t for i, t in enumerate(inputs)]
    value = function(*given)
    value.sum().backward()
    cases.append({
        "name": name, "loss": loss, "options": options,
        "inputs": [{"shape": list(t.shape), "int": not t.is_floating_point(), "data": listed(t)} for t in inputs],
        "value": listed(value),
        "grads": {str(i): listed(given[i].grad) for i in wrt},
    })


scores, labels = draw(5, 4), torch.tensor([0, 3, 1, 3, 2])
images, pixels = draw(2, 3, 2, 3), torch.tensor([[[0, 1, 2], [2, 2, 0]], [[1, 1, 0], [0, 2, 1]]])
weights = draw(4, low=0.3, high=2)
pixel_weights = draw(3, low=0.3, high=2)
for reduction in ("mean", "sum", "none"):
    for smoothing in (0.0, 0.1):
        case(f"{reduction} {smoothing}", "CrossEntropy", [scores, labels], [0],
             lambda x, y: F.cross_entropy(x, y, reduction=reduction, label_smoothing=smoothing),
             reduction=reduction, smoothing=smoothing)
        case(f"weights ignored {reduction} {smoothing}", "CrossEntropy", [images, pixels, pixel_weights], [0],
             lambda x, y, w: F.cross_entropy(x, y, weight=w, ignore_index=2, reduction=reduction, label_smoothing=smoothing),
             reduction=reduction, smoothing=smoothing, ignore=2)
    case(f"weights {reduction}", "CrossEntropy", [scores, labels, weights], [0],
         lambda x, y, w: F.cross_entropy(x, y, weight=w, reduction=reduction), reduction=reduction)
    case(f"ignored {reduction}", "NLL", [F.log_softmax(scores, 1).round(decimals=3), labels, weights], [0],
         lambda x, y, w: F.nll_loss(x, y, weight=w, ignore_index=3, reduction=reduction), reduction=reduction, ignore=3)
soft = torch.softmax(draw(5, 4), 1).round(decimals=3)
case("probabilities", "CrossEntropy", [scores, soft, weights], [0, 1],
     lambda x, y, w: F.cross_entropy(x, y, weight=w, label_smoothing=0.2), reduction="mean", smoothing=0.2)

x, y = draw(3, 4, low=-6, high=6), draw(3, 4, low=0, high=1)
case("mean", "BCEWithLogits", [x, y], [0, 1], F.binary_cross_entropy_with_logits, reduction="mean")
case("weights", "BCEWithLogits", [x, y, draw(4, low=0.2, high=2), draw(4, low=0.2, high=3)], [0],
     lambda x, y, w, p: F.binary_cross_entropy_with_logits(x, y, weight=w, pos_weight=p, reduction="sum"), reduction="sum")
case("far", "BCEWithLogits", [torch.tensor([200.0, -200.0, 90.0]), torch.tensor([0.0, 1.0, 1.0])], [0],
     lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"), reduction="none")

a, c = draw(3, 5), draw(3, 5)
for reduction in ("mean", "sum", "none"):
    case(reduction, "MSE", [a, c], [0, 1], lambda x, y: F.mse_loss(x, y, reduction=reduction), reduction=reduction)
    case(reduction, "L1", [a, c], [0, 1], lambda x, y: F.l1_loss(x, y, reduction=reduction), reduction=reduction)
case("0.7", "Huber", [a, c], [0, 1], lambda x, y: F.huber_loss(x, y, delta=0.7), reduction="mean", number=0.7)
case("1", "SmoothL1", [a, c], [0, 1], F.smooth_l1_loss, reduction="mean", number=1.0)
case("0.4", "SmoothL1", [a, c], [0, 1], lambda x, y: F.smooth_l1_loss(x, y, beta=0.4, reduction="none"), reduction="none", number=0.4)
case("0", "SmoothL1", [a, c], [0, 1], lambda x, y: F.smooth_l1_loss(x, y, beta=0.0), reduction="mean", number=0.0)

logq = torch.log_softmax(draw(3, 4), 1).round(decimals=3)
p = torch.softmax(draw(3, 4), 1).round(decimals=3)
case("batchmean", "KLDiv", [logq, p], [0, 1], lambda q, p: F.kl_div(q, p, reduction="batchmean"), reduction="batchmean")
hard = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0], [0.25, 0.25, 0.25, 0.25]])
case("zeros", "KLDiv", [logq, hard], [0], lambda q, p: F.kl_div(q, p, reduction="none"), reduction="none")
case("log target", "KLDiv", [logq, p.log().round(decimals=3)], [0, 1],
     lambda q, p: F.kl_div(q, p, reduction="sum", log_target=True), reduction="sum", log_target=True)

s = signs(3, 5)
case("1", "Hinge", [a, s], [0], lambda x, y: F.margin_ranking_loss(x, torch.zeros_like(x), y, margin=1.0), reduction="mean", number=1.0)
case("0.3", "Hinge", [a, s], [0],
     lambda x, y: F.margin_ranking_loss(x, torch.zeros_like(x), y, margin=0.3, reduction="none"), reduction="none", number=0.3)
case("1", "HingeEmbedding", [a, s], [0], lambda x, y: F.hinge_embedding_loss(x, y), reduction="mean", number=1.0)
case("0.2", "HingeEmbedding", [a, s], [0],
     lambda x, y: F.hinge_embedding_loss(x, y, margin=0.2, reduction="sum"), reduction="sum", number=0.2)
t = torch.tensor([1.0, -1.0, -1.0, 1.0])
u, v = draw(4, 6), draw(4, 6)
case("0", "CosineEmbedding", [u, v, t], [0, 1], F.cosine_embedding_loss, reduction="mean", number=0.0)
case("-0.9", "CosineEmbedding", [u, v, t], [0, 1],
     lambda a, b, y: F.cosine_embedding_loss(a, b, y, margin=-0.9, reduction="none"), reduction="none", number=-0.9)

print(f"torch {torch.__version__}: {len(cases)} cases", file=sys.stderr)
print("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
