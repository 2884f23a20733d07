"""Writes normalise.txt beside this file: batch_norm and layer_norm of PyTorch 1.13.

Each case: x, weight, bias, what normalised them (`running_mean`, `running_var` before and `new_...`
after, `momentum`, `eps`), the result y, a seed, the gradients of <seed, y> by x, weight and bias,
and the gradient by x of <direction, gradient_x>.
"""
import numpy as np
import torch
import torch.nn.functional as F
from reference import write

rng = np.random.RandomState(8)
cases = []


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


def case(name, function, x, parameters, after=lambda: {}, **constants):
    x, weight, bias = [tensor(a).requires_grad_() for a in (x, *parameters)]
    y = function(x, weight, bias)
    seed, direction = tensor(rng.normal(size=y.shape)), tensor(rng.normal(size=x.shape))
    g = torch.autograd.grad((y * seed).sum(), (x, weight, bias), create_graph=True)
    (second,) = torch.autograd.grad((g[0] * direction).sum() + 0 * x.sum(), x)
    arrays = dict(x=x, weight=weight, bias=bias, y=y, seed=seed, gradient_x=g[0],
                  gradient_weight=g[1], gradient_bias=g[2], direction=direction, second=second)
    arrays |= {k: tensor(v) for k, v in constants.items()} | after()
    cases.append((name, {k: v.detach().numpy() for k, v in arrays.items()}))


def batch_norm(name, x, training, momentum=0.1, eps=1e-5):
    channels = x.shape[1]
    before = rng.normal(size=channels), rng.uniform(0.5, 2, channels)
    mean, var = tensor(before[0]), tensor(before[1])
    case(name, lambda x, w, b: F.batch_norm(x, mean, var, w, b, training, momentum, eps), x,
         (rng.normal(size=channels), rng.normal(size=channels)),
         lambda: dict(new_mean=mean, new_var=var), running_mean=before[0], running_var=before[1],
         momentum=momentum, eps=eps)


for shape in [(5, 3), (2, 2, 3), (2, 3, 2, 2)]:
    rank = len(shape)
    batch_norm(f"batch_norm/training/{rank}", rng.normal(1, 2, shape), True)
    batch_norm(f"batch_norm/evaluation/{rank}", rng.normal(1, 2, shape), False)
batch_norm("batch_norm/training/momentum_and_eps", rng.normal(size=(4, 2)), True, 0.3, 0.1)
for shape, last in [((3, 4), 1), ((2, 3, 2), 2), ((2, 2, 3), 1), ((4,), 1)]:
    normalized = shape[len(shape) - last:]
    case(f"layer_norm/{len(shape)}/{last}", lambda x, w, b: F.layer_norm(x, normalized, w, b, 1e-3),
         rng.normal(1, 2, shape), (rng.normal(size=normalized), rng.normal(size=normalized)),
         eps=1e-3)

write(__file__, cases)
