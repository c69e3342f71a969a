"""Writes torch_grads.json: operators and their gradients as PyTorch's autograd computes them.

    python3 torch_grads.py > torch_grads.json    # needs torch and torchvision

A case is one ONNX operator on small float32 inputs, and a function that does
the same in PyTorch. The gradients are those of the sum of w·y over the float
outputs y, with w of weight() below, which the test knows too. Inputs have three
decimals, so that the file holds the float32 values exactly.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision.ops as tv

rng = np.random.default_rng(20241123)
cases = []


def draw(*shape, low=-2.0, high=2.0):
    return torch.tensor(np.round(rng.uniform(low, high, shape), 3), dtype=torch.float32)


def apart(*shape):
    """Different numbers of both signs, so that no maximum is shared."""
    n = int(np.prod(shape))
    return torch.tensor(np.round((rng.permutation(n) - n / 2) * (4 / n) + 0.0137, 3).reshape(shape), dtype=torch.float32)


def ints(*values):
    return torch.tensor(values, dtype=torch.int64)


def weight(output, n):
    return torch.tensor([((7 * i + 3 * output) % 13 - 6) / 8 for i in range(n)], dtype=torch.float32)


def listed(t):
    if t.is_floating_point():
        return [float(str(v)) for v in t.detach().numpy().flatten()]  # the shortest decimals
    return t.flatten().tolist()


def case(name, op, inputs, function, **attrs):
    """Float inputs get gradients, unless function detaches them. An input None is left out."""
    given = [t.clone().requires_grad_() if t is not None and t.is_floating_point() else t for t in inputs]
    outputs = function(*given)
    if not isinstance(outputs, (tuple, list)):
        outputs = [outputs]
    sum((y.flatten() * weight(i, y.numel())).sum() for i, y in enumerate(outputs)).backward()
    cases.append({
        "name": name, "op": op, "attrs": attrs,
        "in": [t is not None and {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "data": listed(t)} or None for t in inputs],
        "out": [{"shape": list(y.shape), "data": listed(y)} for y in outputs],
        "grad": [None if t is None or t.grad is None else listed(t.grad) for t in given],
    })


def convolutions():
    x, w, b = draw(2, 4, 5, 6), draw(6, 2, 3, 2), draw(6)
    case("groups, strides", "Conv", [x, w, b], lambda x, w, b: F.conv2d(F.pad(x, (0, 1, 1, 1)), w, b, stride=(2, 1), groups=2),
         group=2, strides=[2, 1], pads=[1, 0, 1, 1])
    case("dilated", "Conv", [x, draw(3, 4, 2, 2)], lambda x, w: F.conv2d(x, w, dilation=(2, 3), padding=1),
         dilations=[2, 3], pads=[1, 1, 1, 1])
    case("depthwise", "Conv", [x, draw(4, 1, 3, 3), draw(4)], lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=4),
         group=4, pads=[1, 1, 1, 1])
    case("1 x 1", "Conv", [x, draw(3, 4, 1, 1)], F.conv2d)
    case("1 dimension", "Conv", [draw(2, 3, 9), draw(4, 3, 3), draw(4)], lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=2),
         strides=[2], pads=[2, 2])
    case("3 dimensions", "Conv", [draw(1, 2, 4, 3, 4), draw(2, 2, 2, 2, 3)], lambda x, w: F.conv3d(x, w, padding=(1, 0, 1)),
         pads=[1, 0, 1, 1, 0, 1])
    case("strided", "ConvTranspose", [draw(2, 4, 3, 4), draw(4, 2, 3, 3), draw(4)],
         lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1, output_padding=(1, 0), groups=2),
         strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0], group=2)
    case("dilated", "ConvTranspose", [draw(2, 3, 5), draw(3, 2, 3)], lambda x, w: F.conv_transpose1d(x, w, dilation=2), dilations=[2])


def pools():
    x, window = apart(2, 2, 5, 6), dict(kernel_shape=[3, 2], strides=[2, 1])
    case("pads", "MaxPool", [x], lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 1)), pads=[1, 1, 1, 1], **window)
    case("dilated", "MaxPool", [x], lambda x: F.max_pool2d(x, 2, 1, dilation=(2, 3)), kernel_shape=[2, 2], dilations=[2, 3])
    case("ceil", "MaxPool", [apart(2, 3, 8)], lambda x: F.max_pool1d(x, 3, 2, ceil_mode=True), kernel_shape=[3], strides=[2], ceil_mode=1)
    case("pads not counted", "AveragePool", [x], lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1), count_include_pad=False),
         pads=[1, 1, 1, 1], **window)
    case("pads counted", "AveragePool", [x], lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1)), pads=[1, 1, 1, 1], count_include_pad=1, **window)
    case("3", "LpPool", [draw(2, 2, 5, 6, low=0.2)], lambda x: F.lp_pool2d(x, 3.0, (2, 3), 2), p=3, kernel_shape=[2, 3], strides=[2, 2])
    case("", "GlobalAveragePool", [x], lambda x: F.adaptive_avg_pool2d(x, 1))
    case("", "GlobalMaxPool", [x], lambda x: F.adaptive_max_pool2d(x, 1))
    _, at = F.max_pool1d(apart(2, 2, 6), 2, return_indices=True)
    flat = at + 6 * torch.arange(4).reshape(2, 2, 1)
    case("", "MaxUnpool", [draw(2, 2, 3), flat], lambda y, _: F.max_unpool1d(y, at, 2), kernel_shape=[2], strides=[2])


def norms():
    x, gain, bias = draw(3, 4, 2, 3), draw(4, low=0.5), draw(4)
    mean, var = draw(4), draw(4, low=0.3, high=2)
    case("frozen", "BatchNormalization", [x, gain, bias, mean, var], lambda x, g, b, m, v: F.batch_norm(x, m.detach(), v.detach(), g, b, eps=0.001), epsilon=0.001)
    case("training", "BatchNormalization", [x, gain, bias, mean, var],
         lambda x, g, b, m, v: F.batch_norm(x, m.detach().clone(), v.detach().clone(), g, b, training=True), training_mode=1)
    case("", "LayerNormalization", [draw(2, 3, 7), draw(7), draw(7)], lambda x, g, b: F.layer_norm(x, (7,), g, b))
    case("two axes", "LayerNormalization", [draw(4, 2, 3), draw(2, 3)], lambda x, g: F.layer_norm(x, (2, 3), g, eps=0.01), axis=1, epsilon=0.01)
    case("", "RMSNormalization", [draw(2, 3, 7), draw(7)], lambda x, g: F.rms_norm(x, (7,), g, eps=1e-5))
    case("", "GroupNormalization", [x, gain, bias], lambda x, g, b: F.group_norm(x, 2, g, b), num_groups=2)
    case("", "InstanceNormalization", [x, gain, bias], lambda x, g, b: F.instance_norm(x, weight=g, bias=b))
    case("2", "LpNormalization", [draw(3, 5)], lambda x: F.normalize(x, dim=1), axis=1)
    case("1", "LpNormalization", [draw(3, 5)], lambda x: F.normalize(x, p=1.0, dim=0), axis=0, p=1)
    case("", "LRN", [draw(2, 5, 3)], lambda x: F.local_response_norm(x, 3, alpha=0.3, beta=0.6, k=1.5), size=3, alpha=0.3, beta=0.6, bias=1.5)


def classifiers():
    x, labels, w = draw(3, 4, 2), torch.tensor([[0, 3], [1, 1], [2, 0]]), draw(4, low=0.3)
    case("last", "Softmax", [x], lambda x: F.softmax(x, -1))
    case("middle", "Softmax", [x], lambda x: F.softmax(x, 1), axis=1)
    case("first", "LogSoftmax", [x], lambda x: F.log_softmax(x, 0), axis=0)
    case("mean", "SoftmaxCrossEntropyLoss", [x, labels], F.cross_entropy)
    case("both", "SoftmaxCrossEntropyLoss", [x, labels], lambda x, y: (F.cross_entropy(x, y, ignore_index=1, reduction="sum"), F.log_softmax(x, 1)),
         ignore_index=1, reduction="sum")
    case("none", "NegativeLogLikelihoodLoss", [F.log_softmax(x, 1).round(decimals=3), labels],
         lambda x, y: F.nll_loss(x, y, ignore_index=3, reduction="none"), ignore_index=3, reduction="none")


def activations():
    x = apart(3, 7)
    for op, f, attrs in [
        ("Relu", F.relu, {}), ("Sigmoid", torch.sigmoid, {}), ("Tanh", torch.tanh, {}), ("Erf", torch.erf, {}),
        ("Gelu", F.gelu, {}), ("Gelu", lambda x: F.gelu(x, approximate="tanh"), dict(approximate="tanh")),
        ("Swish", F.silu, {}), ("Mish", F.mish, {}), ("Elu", lambda x: F.elu(x, 1.3), dict(alpha=1.3)), ("Selu", F.selu, {}),
        ("Celu", lambda x: F.celu(x, 0.7), dict(alpha=0.7)), ("Softplus", F.softplus, {}), ("Softsign", F.softsign, {}),
        ("HardSigmoid", F.hardsigmoid, dict(alpha=1 / 6, beta=0.5)), ("HardSwish", lambda x: F.hardswish(x), {}),
        ("LeakyRelu", lambda x: F.leaky_relu(x, 0.2), dict(alpha=0.2)), ("ThresholdedRelu", lambda x: F.threshold(x, 0.4, 0.0), dict(alpha=0.4)),
        ("Shrink", lambda x: F.softshrink(x, 0.6), dict(lambd=0.6, bias=0.6)), ("Shrink", lambda x: F.hardshrink(x, 0.6), dict(lambd=0.6)),
        ("Atan", torch.atan, {}), ("Asinh", torch.asinh, {}), ("Sinh", torch.sinh, {}), ("Cos", torch.cos, {}), ("Exp", torch.exp, {}), ("Abs", torch.abs, {}),
    ]:
        case(" ".join(attrs), op, [x], f, **attrs)
    positive = draw(3, 7, low=0.2)
    for op, f in [("Log", torch.log), ("Sqrt", torch.sqrt), ("Reciprocal", torch.reciprocal)]:
        case("", op, [positive], f)
    case("channels", "PRelu", [apart(2, 3, 4), draw(3, 1)], lambda x, s: F.prelu(x, s.flatten()))
    case("row", "Pow", [positive, draw(7)], torch.pow)
    case("column", "Div", [x, draw(3, 1, low=0.5)], torch.div)
    case("row", "Mul", [x, draw(7)], torch.mul)
    case("row", "Max", [x, draw(7)], torch.maximum)
    case("", "Clip", [x, torch.tensor(-0.5), torch.tensor(1.1)], torch.clamp)
    case("", "Where", [x > 0.3, x, draw(3, 1)], torch.where)


def reductions():
    x, some = apart(3, 4, 5), draw(3, 4, 5, low=0.3)
    for op, f in [
        ("ReduceSum", lambda x: x.sum((0, 2))), ("ReduceMean", lambda x: x.mean((0, 2))), ("ReduceMax", lambda x: x.amax((0, 2))),
        ("ReduceMin", lambda x: x.amin((0, 2))), ("ReduceL1", lambda x: x.abs().sum((0, 2))), ("ReduceL2", lambda x: x.norm(dim=(0, 2))),
        ("ReduceLogSumExp", lambda x: x.logsumexp((0, 2))), ("ReduceSumSquare", lambda x: x.square().sum((0, 2))),
    ]:
        case("ends", op, [x, ints(0, 2)], lambda x, _, f=f: f(x), keepdims=0)
    case("ties", "ReduceMax", [torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]), ints(1)], lambda x, _: x.amax(1), keepdims=0)
    case("kept", "ReduceProd", [some, ints(1)], lambda x, _: x.prod(1, keepdim=True))
    case("zero", "ReduceProd", [torch.tensor([[1.5, 0.0, 2.0], [0.0, 3.0, 0.0]]), ints(1)], lambda x, _: x.prod(1), keepdims=0)
    case("", "CumSum", [x, torch.tensor(1)], lambda x, _: x.cumsum(1))
    case("reverse", "CumSum", [x, torch.tensor(1)], lambda x, _: x.flip(1).cumsum(1).flip(1), reverse=1)
    case("", "CumProd", [some, torch.tensor(2)], lambda x, _: x.cumprod(2))
    case("", "TopK", [x, ints(2)], lambda x, _: x.topk(2, dim=1).values, axis=1)
    case("smallest", "TopK", [x, ints(3)], lambda x, _: x.topk(3, dim=-1, largest=False).values, largest=0)


def movement():
    x = draw(3, 4, 5)
    case("", "Transpose", [x], lambda x: x.permute(2, 0, 1), perm=[2, 0, 1])
    case("", "Concat", [x, draw(3, 2, 5)], lambda *xs: torch.cat(xs, 1), axis=1)
    case("", "Split", [x, ints(1, 3)], lambda x, _: x.split([1, 3], 1), axis=1, num_outputs=2)
    case("steps", "Slice", [x, ints(0, 1), ints(3, 5), ints(0, 2), ints(2, 3)], lambda x, *_: x[::2, :, 1::3])
    case("", "Expand", [draw(3, 1), ints(2, 3, 4)], lambda x, _: x.expand(2, 3, 4))
    case("", "Tile", [draw(2, 3), ints(2, 2)], lambda x, _: x.repeat(2, 2))
    image, pads = draw(1, 2, 3, 4), ints(0, 0, 1, 2, 0, 0, 2, 1)
    for mode, name in [("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate"), ("wrap", "circular")]:
        case(mode, "Pad", [image, pads], lambda x, _: F.pad(x, (2, 1, 1, 2), mode=name), mode=mode)
    case("", "Trilu", [draw(2, 4, 3), torch.tensor(-1)], lambda x, _: x.tril(-1), upper=0)
    case("", "DepthToSpace", [draw(1, 8, 2, 3)], lambda x: F.pixel_shuffle(x, 2), blocksize=2, mode="CRD")
    half = dict(coordinate_transformation_mode="half_pixel")
    for name, size, f, attrs in [
        ("nearest", (6, 8), lambda x: F.interpolate(x, (6, 8), mode="nearest"),
         dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")),
        ("linear", (5, 7), lambda x: F.interpolate(x, (5, 7), mode="bilinear"), dict(mode="linear", **half)),
        ("corners", (5, 7), lambda x: F.interpolate(x, (5, 7), mode="bilinear", align_corners=True),
         dict(mode="linear", coordinate_transformation_mode="align_corners")),
        ("cubic", (5, 7), lambda x: F.interpolate(x, (5, 7), mode="bicubic"), dict(mode="cubic", cubic_coeff_a=-0.75, **half)),
        ("antialias", (2, 3), lambda x: F.interpolate(x, (2, 3), mode="bilinear", antialias=True), dict(mode="linear", antialias=1, exclude_outside=1, **half)),
    ]:
        case(name, "Resize", [image, None, None, ints(1, 2, *size)], lambda x, *_: f(x), **attrs)


def indexing():
    x, table = draw(3, 4), draw(5, 3)
    at = torch.tensor([[1, 0, 2, 1], [2, 2, 0, 1]])
    case("embedding", "Gather", [table, torch.tensor([[1, 4, 1], [0, 1, 4]])], lambda w, i: F.embedding(i, w))
    case("", "GatherElements", [x, at], lambda x, i: x.gather(0, i), axis=0)
    case("", "GatherND", [x, torch.tensor([[0, 1], [2, 3], [0, 1]])], lambda x, i: x[i[:, 0], i[:, 1]])
    once = torch.tensor([[1, 0, 2, 1], [2, 2, 0, 0]])
    u = draw(2, 4)
    case("none", "ScatterElements", [x, once, u], lambda x, i, u: x.scatter(0, i, u), axis=0)
    for reduction, name in [("add", "sum"), ("mul", "prod"), ("max", "amax"), ("min", "amin")]:
        case(reduction, "ScatterElements", [x, at, u], lambda x, i, u: x.scatter_reduce(0, i, u, name), axis=0, reduction=reduction)
    case("add", "ScatterND", [x, torch.tensor([[0, 1], [2, 3], [0, 1]]), draw(3)],
         lambda x, i, u: x.index_put((i[:, 0], i[:, 1]), u, accumulate=True), reduction="add")


def products():
    case("broadcast", "MatMul", [draw(2, 1, 3, 4), draw(3, 4, 2)], torch.matmul)
    case("vector", "MatMul", [draw(2, 3, 4), draw(4)], torch.matmul)
    case("linear", "Gemm", [draw(3, 4), draw(2, 4), draw(2)], F.linear, transB=1)
    case("scaled", "Gemm", [draw(4, 3), draw(4, 2), draw(3, 1)], lambda a, b, c: 0.7 * a.T @ b + 1.3 * c, transA=1, alpha=0.7, beta=1.3)
    case("", "Det", [draw(2, 3, 3)], torch.det)
    for equation, shapes in [
        ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("bhid,bhjd->bhij", [(1, 2, 3, 4), (1, 2, 2, 4)]), ("ij->j", [(3, 4)]),
        ("ii->i", [(3, 3)]), ("i,j->ij", [(3,), (4,)]), ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]),
    ]:
        case(equation, "Einsum", [draw(*s) for s in shapes], lambda *xs: torch.einsum(equation, *xs), equation=equation)


def rows(w, order, hidden):
    """Puts the gates of ONNX's weights in PyTorch's order."""
    return torch.cat([w[g * hidden:(g + 1) * hidden] for g in order])


def recurrent(name, op, module, order, directions, inputs, **attrs):
    hidden, gates = module.hidden_size, len(order)

    def run(x, w, r, b, _, *state):
        params = {}
        for d in range(directions):
            suffix = "l0" + ("_reverse" if d else "")
            params[f"weight_ih_{suffix}"] = rows(w[d], order, hidden)
            params[f"weight_hh_{suffix}"] = rows(r[d], order, hidden)
            params[f"bias_ih_{suffix}"] = rows(b[d][:gates * hidden], order, hidden)
            params[f"bias_hh_{suffix}"] = rows(b[d][gates * hidden:], order, hidden)
        first = tuple(state) if len(state) > 1 else state[0]
        y, last = torch.func.functional_call(module, params, (x, first))
        steps, batch, _ = y.shape
        y = y.reshape(steps, batch, directions, hidden).transpose(1, 2)
        return (y, *last) if isinstance(last, tuple) else (y, last)

    case(name, op, inputs, run, hidden_size=hidden, **attrs)


def recurrents():
    def weights(gates, directions, width=3, hidden=2, states=1):
        small = dict(low=-1, high=1)
        return [draw(4, 2, width, **small), draw(directions, gates * hidden, width, **small), draw(directions, gates * hidden, hidden, **small),
                draw(directions, 2 * gates * hidden, **small), None] + [draw(directions, 2, hidden, **small) for _ in range(states)]

    recurrent("forward", "RNN", torch.nn.RNN(3, 2), [0], 1, weights(1, 1))
    recurrent("both", "GRU", torch.nn.GRU(3, 2, bidirectional=True), [1, 0, 2], 2, weights(3, 2), direction="bidirectional", linear_before_reset=1)
    recurrent("forward", "LSTM", torch.nn.LSTM(3, 2), [0, 2, 3, 1], 1, weights(4, 1, states=2))
    recurrent("both", "LSTM", torch.nn.LSTM(3, 2, bidirectional=True), [0, 2, 3, 1], 2, weights(4, 2, states=2), direction="bidirectional")


def attentions():
    q, k, v = draw(2, 4, 3, 3), draw(2, 4, 5, 3), draw(2, 4, 5, 2)
    case("plain", "Attention", [q, k, v], F.scaled_dot_product_attention)
    case("scale", "Attention", [q, k, v], lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.4), scale=0.4)
    case("mask", "Attention", [q, k, v, draw(3, 5)], F.scaled_dot_product_attention)
    hidden = torch.tensor([[1, 1, 0, 1, 1], [1, 0, 1, 1, 0], [0, 1, 1, 1, 1]]).bool()
    case("hidden", "Attention", [q, k, v, hidden], F.scaled_dot_product_attention)
    case("causal", "Attention", [q, draw(2, 4, 3, 3), draw(2, 4, 3, 2)],
         lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), is_causal=1)
    case("shared heads", "Attention", [q, draw(2, 2, 5, 3), draw(2, 2, 5, 2)], lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True))


def regions():
    x = apart(2, 2, 5, 6)
    spots = torch.tensor([[1, 0.3, 2, 7, 9], [0, 3, 3, 3, 3], [1, -4, 2, 4, 30], [0, 1, 1, 8, 7]])
    case("", "MaxRoiPool", [x, spots], lambda x, r: tv.roi_pool(x, r.detach(), (2, 3), 0.5), pooled_shape=[2, 3], spatial_scale=0.5)
    case("sampled", "RoiAlign", [x, spots[:, 1:], spots[:, 0].long()],
         lambda x, r, i: tv.roi_align(x, torch.cat([i[:, None], r], 1).detach(), (2, 3), 0.5, 2, aligned=True),
         output_height=2, output_width=3, spatial_scale=0.5, sampling_ratio=2)
    w, offset, bias, mask = draw(6, 2, 3, 2), draw(2, 24, 3, 4), draw(6), draw(2, 12, 3, 4, low=0, high=1)
    case("masked", "DeformConv", [draw(2, 4, 5, 5), w, offset, bias, mask],
         lambda x, w, o, b, m: tv.deform_conv2d(x, o, w, b, (2, 1), (1, 0), (1, 1), m),
         strides=[2, 1], pads=[1, 0, 1, 0], group=2, offset_group=2)
    case("dilated", "DeformConv", [draw(1, 2, 5, 6), draw(3, 2, 2, 2), draw(1, 8, 3, 4)],
         lambda x, w, o: tv.deform_conv2d(x, o, w, dilation=2), dilations=[2, 2])


for group in (convolutions, pools, norms, classifiers, activations, reductions, movement, indexing, products, recurrents, attentions, regions):
    group()
print(f"torch {torch.__version__}: {len(cases)} cases of {len({c['op'] for c in cases})} operators", file=sys.stderr)
print("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]")
