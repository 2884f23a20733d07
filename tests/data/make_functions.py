"""Writes functions.txt beside this file: the elementwise functions. Run: /usr/bin/python3 make_functions.py

A case is a function. `pytorch` has the rows value, first and second derivative at x, by PyTorch in
float64; `exact` the same at `at`, by mpmath in 400 digits. Of two operands the rows are the value,
the derivatives by x and y, and those by xx, xy, yy."""

import functools

import mpmath as mp
import torch
import torch.nn.functional as F

import reference

mp.mp.dps = 400
INF, NAN = float("inf"), float("nan")

EXTREMES = [0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e-8, -1e-8, 20.0, -20.0, 88.0, -88.0, 1000.0, -1000.0, INF, -INF, NAN]
EVERYWHERE = EXTREMES + [0.5, -0.5, 2.5, -2.5]

# Numbers that float32 has, too, and some that only float64 has.
TINY, NEAR_1 = 2.0**-30, 1 - 2.0**-24
REAL = [-30.0, -6.5, -1.3125, -TINY, TINY, 0.375, 2.625, 12.0]
POSITIVE = [1e-300, TINY, 0.375, 1 + 2.0**-23, 2.625, 2.0**20, 1e300]
UNIT = [-(1 - 2.0**-40), -NEAR_1, -0.6875, -TINY, TINY, 0.375, NEAR_1, 1 - 2.0**-40]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def elu(x, alpha=1):
    return x if x > 0 else alpha * mp.expm1(x)


SELU_LAMBDA, SELU_ALPHA = mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")

# name: by PyTorch, by mpmath (None: slopes are constants), where the latter
ONE = {
    "square": (torch.square, lambda x: x * x, REAL),
    "sqrt": (torch.sqrt, mp.sqrt, POSITIVE),
    "rsqrt": (torch.rsqrt, lambda x: 1 / mp.sqrt(x), POSITIVE),
    "reciprocal": (torch.reciprocal, lambda x: 1 / x, POSITIVE + [-0.375]),
    "exp": (torch.exp, mp.exp, REAL + [-88.0, 88.0]),
    "expm1": (torch.expm1, mp.expm1, REAL + [-40.0]),
    "log": (torch.log, mp.log, POSITIVE),
    "log1p": (torch.log1p, mp.log1p, UNIT + [2.625, 2.0**20]),
    "log2": (torch.log2, lambda x: mp.log(x, 2), POSITIVE),
    "abs": (torch.abs, None, []),
    "sign": (torch.sign, None, []),
    "floor": (torch.floor, None, []),
    "sin": (torch.sin, mp.sin, REAL),
    "cos": (torch.cos, mp.cos, REAL),
    "tan": (torch.tan, mp.tan, REAL),
    "asin": (torch.asin, mp.asin, UNIT),
    "acos": (torch.acos, mp.acos, UNIT),
    "atan": (torch.atan, mp.atan, REAL + [2.0**40]),
    "sinh": (torch.sinh, mp.sinh, REAL),
    "cosh": (torch.cosh, mp.cosh, REAL),
    "tanh": (torch.tanh, mp.tanh, REAL),
    "erf": (torch.erf, mp.erf, REAL),
    "erfc": (torch.erfc, mp.erfc, REAL[1:] + [25.0]),
    "sigmoid": (torch.sigmoid, sigmoid, REAL),
    "logsigmoid": (F.logsigmoid, lambda x: mp.log(sigmoid(x)), REAL + [40.0, -200.0]),
    "softplus": (F.softplus, lambda x: mp.log(1 + mp.exp(x)), REAL + [25.0, -200.0]),
    "relu": (F.relu, None, []),
    "leaky_relu": (F.leaky_relu, None, []),
    "elu": (F.elu, elu, REAL),
    "selu": (F.selu, lambda x: SELU_LAMBDA * elu(x, SELU_ALPHA), REAL),
    "gelu": (F.gelu, lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, REAL + [-12.5, -37.0]),
    "gelu_tanh": (
        functools.partial(F.gelu, approximate="tanh"),
        lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
        REAL[1:],
    ),
    "silu": (F.silu, lambda x: x * sigmoid(x), REAL + [-88.0]),
    "mish": (F.mish, lambda x: x * mp.tanh(mp.log(1 + mp.exp(x))), REAL + [40.0, -88.0]),
    "softsign": (F.softsign, lambda x: x / (1 + abs(x)), REAL + [-(2.0**40)]),
    "hardtanh": (F.hardtanh, None, []),
}

ORDINARY_PAIRS = [(3.0, -4.0), (0.375, 2.0**-20), (-1.5, 2.625), (-2.0, -0.25)]
EXTREME_PAIRS = [(1e-154, 2e-154), (1e200, -1e200), (-1e300, 1e150), (1e150, 1e300)]

TWO = {
    "pow": (
        torch.pow,
        [(x, p) for x in [0.0, 0.5, 2.0, -3.0, INF] for p in [0.0, 1.0, 2.0, 3.0, 0.5, -1.0, -2.5]] + [(NAN, 1.0), (2.0, NAN)],
        mp.power,
        [(0.375, 2.625), (2.0, -3.5), (1 + 2.0**-23, 2.0**20), (2.0**-30, 0.5), (30.0, 30.0)],
    ),
    "atan2": (
        torch.atan2,
        [(0.0, 0.0), (-0.0, -1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 2.0), (-2.0, 3.0), (NAN, 1.0)],
        mp.atan2,
        ORDINARY_PAIRS + EXTREME_PAIRS,
    ),
    "hypot": (
        torch.hypot,
        [(0.0, 0.0), (0.0, 2.0), (-3.0, 0.0), (3.0, 4.0), (-3.0, -4.0), (NAN, 1.0)],
        lambda x, y: mp.sqrt(x * x + y * y),
        ORDINARY_PAIRS + EXTREME_PAIRS,
    ),
}


def slope(y, x):
    """dy/dx, recorded again; zeros where y does not depend on x."""
    if not y.requires_grad:
        return torch.zeros_like(x)
    found = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)[0]
    return torch.zeros_like(x) if found is None else found


def by_pytorch(f, *operands):
    x = [torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in operands]
    y = f(*x)
    first = [slope(y, operand) for operand in x]
    second = [slope(first[i], x[j]) for i in range(len(x)) for j in range(i, len(x))]
    return torch.stack([y, *first, *second]).detach().numpy()


def exact(f, *operands):
    orders = [(0,), (1,), (2,)] if len(operands) == 1 else [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    return [[derivative(f, point, order) for point in zip(*operands)] for order in orders]


def derivative(f, point, order):
    """By t at 0 of f(x (1 + t)), so that the step of the difference suits x, however small or large."""
    x = [mp.mpf(number) for number in point]
    if not sum(order):
        return float(f(*x))
    scaled = mp.diff(lambda *t: f(*(a * (1 + b) for a, b in zip(x, t))), (0,) * len(x), order)
    return float(scaled / mp.fprod(a**n for a, n in zip(x, order)))


def cases():
    for name, (by_torch, by_mpmath, at) in ONE.items():
        arrays = {"x": EVERYWHERE, "pytorch": by_pytorch(by_torch, EVERYWHERE)}
        if by_mpmath:
            arrays |= {"at": at, "exact": exact(by_mpmath, at)}
        yield name, arrays
    for name, (by_torch, pairs, by_mpmath, at) in TWO.items():
        yield name, {
            "x": pairs,
            "pytorch": by_pytorch(by_torch, *zip(*pairs)),
            "at": at,
            "exact": exact(by_mpmath, *zip(*at)),
        }


reference.write(__file__, cases())
