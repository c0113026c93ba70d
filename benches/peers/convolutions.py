"""Convolutions and pools of PyTorch in float64: the fixture of a test.

Each case is one operation after a 1 × 1 convolution and an activation, f = mean over samples of ½‖z − t‖², with its outputs, value,
gradient and one Hessian product by double backward. Inputs, parameters, targets and directions have three digits, so that they are
the same numbers everywhere. Options are (width, height) pairs as `secant` takes them; PyTorch's are (height, width).

    pip install -r requirements.txt
    python convolutions.py > ../../crates/core/tests/fixtures/convolutions.json
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
SAMPLES = 2

# Operation, options, extents of the input (fastest first).
CASES = [
    ("conv2d", dict(channels=3, kernel=[3, 3]), [6, 5, 2]),
    ("conv2d", dict(channels=3, kernel=[3, 3], padding=[1, 1]), [6, 5, 2]),
    ("conv2d", dict(channels=2, kernel=[5, 3], padding=[2, 1], stride=[2, 1]), [7, 6, 3]),
    ("conv2d", dict(channels=2, kernel=[2, 3], padding=[1, 2], stride=[1, 2], dilation=[3, 2], bias=False), [7, 6, 2]),
    ("conv2d", dict(channels=4, kernel=[3, 2], padding=[1, 0], groups=2), [5, 4, 4]),
    ("conv2d", dict(channels=6, kernel=[3, 3], stride=[2, 2], groups=3), [6, 5, 3]),
    ("conv2d", dict(channels=3, kernel=[1, 1]), [4, 5, 2]),
    ("conv1d", dict(channels=3, kernel=[3]), [9, 2]),
    ("conv1d", dict(channels=4, kernel=[4], stride=[3], padding=[2], dilation=[2], groups=2), [12, 2]),
    ("avg_pool2d", dict(kernel=[2, 2]), [6, 5, 2]),
    ("avg_pool2d", dict(kernel=[3, 3], stride=[1, 1], padding=[1, 1]), [6, 5, 2]),
    ("avg_pool2d", dict(kernel=[3, 2], stride=[2, 1], padding=[1, 1], count_padding=False), [6, 5, 2]),
    ("avg_pool1d", dict(kernel=[3], stride=[2], padding=[1]), [9, 2]),
    ("max_pool2d", dict(kernel=[2, 2]), [6, 5, 2]),
    ("max_pool2d", dict(kernel=[3, 3], stride=[2, 2], padding=[1, 1]), [7, 6, 2]),
    ("max_pool2d", dict(kernel=[2, 3], stride=[1, 1], dilation=[3, 2]), [7, 6, 2]),
    ("max_pool1d", dict(kernel=[3], stride=[1], padding=[1]), [9, 2]),
    # Integers and no activation: many ties, of inputs whose gradients differ.
    ("max_pool2d ties", dict(kernel=[3, 3], stride=[1, 1], padding=[1, 1]), [6, 5, 2]),
    ("global_avg_pool", dict(), [5, 4, 3]),
]


def digits(*shape):
    return torch.round(torch.randn(*shape), decimals=3)


def apply(name, options, h, weight, bias):
    get = lambda key: tuple(reversed(options[key])) if key in options else None
    if name.startswith("conv"):
        conv = F.conv2d if name == "conv2d" else F.conv1d
        return conv(h, weight, bias, get("stride") or 1, get("padding") or 0, get("dilation") or 1, options.get("groups", 1))
    if name.startswith("avg"):
        pool = F.avg_pool2d if name == "avg_pool2d" else F.avg_pool1d
        return pool(h, get("kernel"), get("stride"), get("padding") or 0, False, options.get("count_padding", True))
    if name.startswith("max"):
        pool = F.max_pool1d if name == "max_pool1d" else F.max_pool2d
        return pool(h, get("kernel"), get("stride"), get("padding") or 0, get("dilation") or 1)
    return h.mean(dim=tuple(range(2, h.dim())))


def case(name, options, extents):
    ties = name.endswith("ties")
    inputs, pixels = extents[-1], list(reversed(extents[:-1]))
    x = torch.randint(0, 3, (SAMPLES, inputs, *pixels)).double() if ties else digits(SAMPLES, inputs, *pixels)
    ones = [1] * len(pixels)
    first = torch.ones(inputs, inputs, *ones) if ties else digits(inputs, inputs, *ones)
    shapes = [list(first.shape), [inputs]]
    blocks = [first, torch.zeros(inputs) if ties else digits(inputs)]
    if name.startswith("conv"):
        groups = options.get("groups", 1)
        blocks.append(digits(options["channels"], inputs // groups, *reversed(options["kernel"])))
        if options.get("bias", True):
            blocks.append(digits(options["channels"]))
    shapes = [block.shape for block in blocks]
    theta = torch.cat([block.flatten() for block in blocks]).requires_grad_()

    def outputs(theta):
        parts = [part.view(shape) for part, shape in zip(theta.split([shape.numel() for shape in shapes]), shapes)]
        parts += [None] * (4 - len(parts))
        conv = F.conv2d if len(pixels) == 2 else F.conv1d
        h = conv(x, parts[0], parts[1])
        return apply(name.split()[0], options, h if ties else torch.tanh(h), parts[2], parts[3])

    z = outputs(theta)
    targets = digits(*z.shape)
    value = 0.5 * ((z - targets) ** 2).sum() / SAMPLES
    (gradient,) = torch.autograd.grad(value, theta, create_graph=True)
    v = digits(theta.numel())
    (product,) = torch.autograd.grad(gradient @ v, theta)
    row = dict(op=name, options=options, input=extents, theta=theta, x=x, targets=targets, v=v, outputs=z, gradient=gradient, product=product)
    numbers = {key: entry.detach().flatten().tolist() for key, entry in row.items() if isinstance(entry, torch.Tensor)}
    return {**row, **numbers, "value": value.item()}


print(json.dumps({"torch": torch.__version__, "cases": [case(*row) for row in CASES]}, separators=(",", ":")))
