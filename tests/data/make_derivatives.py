"""Writes derivatives.txt beside this file: Jacobian, Hessian and products of a small network by PyTorch 1.13.
Run: /usr/bin/python3 make_derivatives.py

The network is sigmoid(tanh(x W1 + b1) W2 + b2) with W as (in, out). Its parameters p are W1, b1, W2, b2, flattened and
one after the other."""

import numpy as np
import torch
from torch.autograd import functional

import reference

SHAPES = {"hidden.weight": (2, 3), "hidden.bias": (3,), "output.weight": (3, 2), "output.bias": (2,)}

numbers = np.random.RandomState(7)
x = torch.tensor(numbers.normal(size=(4, 2)))
target = torch.tensor(numbers.uniform(size=(4, 2)))
p = torch.tensor(numbers.normal(size=sum(int(np.prod(shape)) for shape in SHAPES.values())))
u = torch.tensor(numbers.normal(size=len(p)))


def parts(flat):
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES.values()])[:-1]
    return [part.reshape(shape) for part, shape in zip(torch.tensor_split(flat, ends.tolist()), SHAPES.values())]


def output(flat):
    w1, b1, w2, b2 = parts(flat)
    return torch.sigmoid(torch.tanh(x @ w1 + b1) @ w2 + b2)


def loss(flat):
    return ((output(flat) - target) ** 2).mean()


arrays = {"x": x, "target": target, "direction": u}
arrays |= dict(zip(SHAPES, parts(p)))
arrays["jacobian"] = functional.jacobian(output, p)
arrays["jvp"] = functional.jvp(output, p, u)[1]
arrays["hessian"] = functional.hessian(loss, p)
arrays["hvp"] = functional.hvp(loss, p, u)[1]
reference.write(__file__, [("network", {key: value.numpy() for key, value in arrays.items()})])
