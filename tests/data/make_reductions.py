"""Writes reductions.txt beside this file: what PyTorch 1.13 computes in float64.

A case is named after its function: y = f(x), g = the gradient of sum(v y), h = that of sum(u g).
`axes` are those reduced, `parameter` is ddof or p; a case without `axes` reduces all."""

import numpy as np
import torch
from reference import write

rng = np.random.default_rng(7)
cases = []


def numbers(shape):
    return np.round(rng.uniform(-2, 2, shape), 3)


def case(name, f, x, **given):
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = f(leaf)
    v, u = numbers(tuple(y.shape)), numbers(np.shape(x))
    arrays = dict(given, x=x, v=v, u=u, y=y.detach())
    (g,) = torch.autograd.grad((y * torch.tensor(v)).sum(), leaf, create_graph=True)
    s = (g * torch.tensor(u)).sum()
    arrays["g"] = g.detach()
    arrays["h"] = np.zeros(np.shape(x))
    if s.requires_grad:
        (h,) = torch.autograd.grad(s, leaf, allow_unused=True)
        if h is not None:
            arrays["h"] = torch.zeros(h.shape) + h  # a zero may have no memory of its own
    cases.append((name, arrays))


def prod(x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def reduction(name, x, axes, keep):
    rank = np.ndim(x)
    dims = list(range(rank)) if axes is None else [a % rank for a in axes]
    n = int(np.prod([np.shape(x)[a] for a in dims]))
    given = dict(keepdim=float(keep))
    if axes is not None:
        given["axes"] = np.array(axes, dtype=float)

    def add(f, **more):
        case(name, f, x, **given, **more)

    if name == "prod":
        add(lambda t: prod(t, dims, keep))
    elif name == "min" or name == "max":
        chosen = torch.amin if name == "min" else torch.amax
        add(lambda t: chosen(t, dims, keepdim=keep))
    elif name == "logsumexp":
        add(lambda t: torch.logsumexp(t, dims, keepdim=keep))
    elif name in ("var", "std"):
        f = torch.var if name == "var" else torch.std
        for ddof in (0, 1, 2):
            if n > ddof:
                add(lambda t: f(t, dims, correction=ddof, keepdim=keep), parameter=float(ddof))
    elif name == "norm":
        for p in (1.0, 2.0, 3.0, 1.5, 0.5, np.inf):
            add(lambda t: torch.linalg.vector_norm(t, p, dims, keepdim=keep), parameter=p)


some = [((), None, False), ((5,), [0], True), ((1,), [0], False), ((3, 4), None, False),
        ((3, 4), [-1], False), ((9, 2), [0], True), ((2, 3, 2), [1], False), ((2, 1, 4), [1], True),
        ((3, 2, 2), [0, -1], False), ((2, 2, 2, 2), [1, -1], True)]
for shape, axes, keep in some:
    for name in ("prod", "min", "max", "logsumexp", "var", "std"):
        if shape or name not in ("var", "std"):
            reduction(name, numbers(shape), axes, keep)
for shape, axes, keep in [((), None, False), ((6,), [0], False), ((4, 3), [0], True), ((2, 3, 2), [-3, 2], False)]:
    reduction("norm", numbers(shape), axes, keep)

# Zeros among the factors, and equal extremes.
for x in ([2.0, 3.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 2.0], [0.0], [1.5, 0.0, -2.0, 4.0, 0.5]):
    reduction("prod", np.array(x), None, False)
zeros = numbers((3, 4, 2))
zeros[0, 1, 0] = zeros[1, :2, 1] = zeros[2, 0, :] = 0
for axes in ([0], [1], [2], [0, 2], [1, 2]):
    reduction("prod", zeros, axes, False)
ties = np.array([[1.0, 0.0, 1.0, 0.0], [2.0, 2.0, 2.0, 2.0], [3.0, -1.0, -1.0, -1.0]])
for axes in (None, [0], [1]):
    reduction("min", ties, axes, False)
    reduction("max", ties, axes, True)

for shape, axis in [((5,), 0), ((1,), 0), ((3, 4), 1), ((10, 2), 0), ((2, 3, 2), -2), ((2, 1, 3), 1), ((2, 2, 2, 2), -3)]:
    x, given = numbers(shape), dict(axes=np.array([float(axis)]))
    case("cumsum", lambda t: t.cumsum(axis), x, **given)
    case("softmax", lambda t: t.softmax(axis), x, **given)
    case("log_softmax", lambda t: t.log_softmax(axis), x, **given)

write(__file__, cases)
print(len(cases), "cases")
