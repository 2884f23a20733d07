"""Convolutions and pools of PyTorch, with first and second derivatives, in float64 and float32.

Of each result y: gradients of <v, y> (g...), and of the sum of all <u, g...> (s...); v and u are
weights(...) of their shapes."""

import numpy as np
import torch
import torch.nn.functional as F

import reference

torch.manual_seed(7)


def numbers(*shape):
    """Eighths: exact in float32, and short as text. So ties are common."""
    return torch.randint(-16, 17, shape, dtype=torch.float64) / 8


def weights(shape):
    return ((torch.arange(torch.Size(shape).numel()) * 7 % 11 - 4) / 4.0).double().reshape(shape)


def differentiate(y, named):
    """The operands, the result, gradients, and second derivatives by the operands and v."""
    leaves = list(named.values())
    v = weights(y.shape).requires_grad_()
    case = named | {"y": y}
    gradients = torch.autograd.grad((y * v).sum(), leaves, create_graph=True)
    total = 0
    for name, gradient in zip(named, gradients):
        case["g" + name] = gradient
        total = total + (weights(gradient.shape) * gradient).sum()
    second = torch.autograd.grad(total, leaves + [v], allow_unused=True)
    for name, leaf, gradient in zip([*named, "v"], leaves + [v], second):
        case["s" + name] = torch.zeros_like(leaf) if gradient is None else gradient
    return {key: value.detach().numpy() for key, value in case.items()}


def pair(number):
    return [number, number] if isinstance(number, int) else list(number)


def convolution(x, w, bias, stride=1, padding=0, dilation=1, groups=1):
    named = {"x": numbers(*x).requires_grad_(), "w": numbers(*w).requires_grad_()}
    if bias:
        named["b"] = numbers(w[0]).requires_grad_()
    function = F.conv1d if len(w) == 3 else F.conv2d
    y = function(named["x"], named["w"], named.get("b"), stride, padding, dilation, groups)
    options = [*pair(stride), *pair(padding), *pair(dilation), groups]
    return {"options": options} | differentiate(y, named)


def largest(x, kernel, stride=None, padding=0):
    x = numbers(*x).requires_grad_()
    y = F.max_pool2d(x, kernel, stride, padding)
    options = [*pair(kernel), *pair(stride or kernel), *pair(padding)]
    return {"options": options} | differentiate(y, {"x": x})


def average(x, kernel, stride=None, padding=0, count=True):
    x = numbers(*x).requires_grad_()
    y = F.avg_pool2d(x, kernel, stride, padding, count_include_pad=count)
    options = [*pair(kernel), *pair(stride or kernel), *pair(padding), int(count)]
    return {"options": options} | differentiate(y, {"x": x})


reference.write(__file__, [
    ("conv2d_plain", convolution((2, 2, 3, 4), (2, 2, 2, 2), True)),
    ("conv2d_without_bias", convolution((1, 2, 4, 4), (2, 2, 2, 2), False)),
    ("conv2d_one_by_one", convolution((2, 3, 3, 2), (2, 3, 1, 1), True)),
    ("conv2d_one_by_one_strided", convolution((1, 2, 5, 4), (2, 2, 1, 1), True, stride=(2, 3))),
    ("conv2d_padded", convolution((2, 1, 3, 4), (2, 1, 3, 3), True, padding=1)),
    ("conv2d_padded_beyond_the_kernel", convolution((1, 1, 2, 2), (1, 1, 1, 2), True, padding=(2, 3))),
    ("conv2d_strided", convolution((1, 2, 6, 7), (2, 2, 3, 2), True, stride=(2, 3))),
    ("conv2d_remainder", convolution((1, 1, 8, 8), (1, 1, 3, 3), False, stride=3)),
    ("conv2d_dilated", convolution((1, 2, 6, 5), (2, 2, 2, 3), True, dilation=(3, 2))),
    ("conv2d_all", convolution((2, 4, 6, 5), (4, 2, 3, 2), True, (2, 1), (1, 2), (1, 2), 2)),
    ("conv2d_groups", convolution((1, 6, 3, 3), (3, 2, 2, 2), True, groups=3)),
    ("conv2d_depthwise", convolution((2, 3, 4, 4), (3, 1, 3, 3), True, padding=1, groups=3)),
    ("conv2d_depthwise_multiplied", convolution((1, 2, 4, 3), (6, 1, 2, 2), False, groups=2)),
    ("conv2d_even", convolution((1, 1, 5, 5), (2, 1, 4, 2), True, padding=(2, 1))),
    ("conv2d_whole_image", convolution((2, 2, 3, 4), (3, 2, 3, 4), True)),
    ("conv2d_one_sample", convolution((2, 4, 4), (3, 2, 2, 3), True, stride=2, padding=1)),
    ("conv2d_no_sample", convolution((0, 2, 4, 4), (3, 2, 3, 3), True)),
    ("conv2d_wide", convolution((1, 1, 2, 70), (1, 1, 2, 3), False, padding=(0, 1))),
    ("conv1d_plain", convolution((2, 2, 7), (3, 2, 3), True)),
    ("conv1d_all", convolution((2, 4, 9), (2, 2, 3), True, 2, 3, 2, 2)),
    ("conv1d_one_sample", convolution((2, 5), (1, 2, 2), False)),
    ("conv1d_long", convolution((1, 1, 70), (1, 1, 2), True)),
    ("max_pool2d_plain", largest((2, 2, 4, 6), 2)),
    ("max_pool2d_remainder", largest((1, 1, 5, 7), (2, 3))),
    ("max_pool2d_overlapping", largest((1, 2, 5, 5), 3, 1)),
    ("max_pool2d_padded", largest((2, 1, 5, 6), 3, 2, 1)),
    ("max_pool2d_padded_unlike", largest((1, 2, 4, 5), (2, 3), (1, 2), (1, 0))),
    ("max_pool2d_gaps", largest((1, 1, 7, 7), 2, 3)),
    ("max_pool2d_one_sample", largest((2, 4, 4), 2)),
    ("max_pool2d_no_sample", largest((0, 2, 4, 4), 2)),
    ("avg_pool2d_plain", average((2, 2, 4, 6), 2)),
    ("avg_pool2d_overlapping", average((1, 2, 5, 5), 3, 1)),
    ("avg_pool2d_padded", average((2, 1, 5, 6), 3, 2, 1)),
    ("avg_pool2d_padding_not_counted", average((2, 1, 5, 6), 3, 2, 1, count=False)),
    ("avg_pool2d_padded_unlike", average((1, 2, 4, 5), (2, 3), (1, 2), (1, 0), count=False)),
    ("avg_pool2d_whole_image", average((2, 3, 4, 4), 4)),
    ("avg_pool2d_one_sample", average((2, 4, 4), 2)),
    ("avg_pool2d_no_sample", average((0, 2, 4, 4), 2)),
])
