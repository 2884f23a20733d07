"""Writes losses.txt beside this file: losses of PyTorch 1.13 with their first and second derivatives.

A case is named FUNCTION/REDUCTION/WHAT. Its arrays are operands (prediction, target, ...), `loss`,
`seed` of the loss's shape, `gradient` of <seed, loss> by the prediction, `direction`, and `second`,
the gradient of <direction, gradient> by it again.
"""
import numpy as np
import torch
import torch.nn.functional as F
from reference import write

rng = np.random.RandomState(7)
cases = []


def case(name, loss, prediction, *others, second=True):
    x = torch.tensor(np.asarray(prediction), dtype=torch.float64, requires_grad=True)
    names = ["target", "other", "more"]
    rest = [torch.tensor(np.asarray(o), dtype=torch.float64) for o in others]
    y = loss(x, *rest)
    seed = torch.tensor(rng.uniform(0.5, 1.5, y.shape), dtype=torch.float64)
    arrays = {"prediction": x.detach(), "loss": y.detach(), "seed": seed}
    arrays |= dict(zip(names, rest))
    (g,) = torch.autograd.grad((y * seed).sum(), x, create_graph=second)
    arrays["gradient"] = g.detach()
    if second:
        direction = torch.tensor(rng.uniform(-1, 1, x.shape), dtype=torch.float64)
        (h,) = torch.autograd.grad((g * direction).sum() + 0 * x.sum(), x)
        arrays |= {"direction": direction, "second": h}
    cases.append((name, {k: np.asarray(v) for k, v in arrays.items()}))


def each_reduction(name, loss, *operands, what="plain", batch=False):
    for reduction in ["none", "mean", "sum"] + ["batchmean"] * batch:
        case(f"{name}/{reduction}/{what}", lambda *t: loss(*t, reduction=reduction), *operands)


def normal(*shape):
    return rng.normal(size=shape)


def distribution(*shape):
    e = np.exp(rng.normal(size=shape))
    return e / e.sum(axis=1, keepdims=True)


each_reduction("mse_loss", F.mse_loss, normal(2, 3), normal(2, 3))
each_reduction("l1_loss", F.l1_loss, normal(2, 3), normal(2, 3))
delta = 0.7
each_reduction("huber_loss", lambda x, t, d, reduction: F.huber_loss(x, t, reduction, float(d)),
               2 * normal(2, 5), normal(2, 5), delta)
p, t = rng.uniform(0.05, 0.95, (2, 3)), rng.uniform(0, 1, (2, 3))
each_reduction("binary_cross_entropy", F.binary_cross_entropy, p, t)
each_reduction("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits,
               3 * normal(2, 3), t)
each_reduction("kl_div", F.kl_div, np.log(distribution(3, 4)), distribution(3, 4), batch=True)
each_reduction("kl_div", F.kl_div, np.log(distribution(2, 3)), [[0, 1, 0], [0.5, 0, 0.5]],
               what="zeros")

labels = np.array([2, 0, 1, 2])


def with_labels(loss):
    return lambda x, t, *more, reduction: loss(x, t.long(), *more, reduction=reduction)


each_reduction("cross_entropy", with_labels(F.cross_entropy), 2 * normal(4, 3), labels)
each_reduction("cross_entropy", with_labels(F.cross_entropy), normal(2, 3, 2), [[2, 1], [0, 0]],
               what="places")
each_reduction("cross_entropy", F.cross_entropy, normal(4, 3), distribution(4, 3),
               what="probabilities")
each_reduction("cross_entropy", with_labels(lambda x, t, reduction: F.cross_entropy(
    x, t, ignore_index=1, reduction=reduction)), normal(4, 3), labels, what="ignoring_1")
each_reduction("cross_entropy", with_labels(lambda x, t, reduction: F.cross_entropy(
    x, t, label_smoothing=0.1, reduction=reduction)), normal(4, 3), labels, what="smoothing_0.1")
each_reduction("cross_entropy", lambda x, t, reduction: F.cross_entropy(
    x, t, label_smoothing=0.1, reduction=reduction), normal(4, 3), distribution(4, 3),
    what="smoothing_0.1_probabilities")
each_reduction("nll_loss", with_labels(F.nll_loss), normal(4, 3), labels)
each_reduction("nll_loss", with_labels(F.nll_loss), normal(2, 3, 2), [[2, 1], [0, 0]],
               what="places")
each_reduction("cosine_embedding_loss", lambda x, t, y, m, reduction: F.cosine_embedding_loss(
    x, y, t, float(m), reduction=reduction), normal(4, 3), [1, -1, -1, 1], normal(4, 3), 0.1)
for axis in (0, 1):
    case(f"cosine_similarity/none/axis_{axis}", lambda x, y: F.cosine_similarity(x, y, axis),
         normal(3, 4), normal(3, 4))

far = [-1000, -100, -20, 0, 20, 100, 1000]
for target in (0, 1):
    case("binary_cross_entropy_with_logits/none/extreme", lambda x, t:
         F.binary_cross_entropy_with_logits(x, t, reduction="none"), far, [target] * 7)
case("binary_cross_entropy/none/extreme", lambda x, t:
     F.binary_cross_entropy(x, t, reduction="none"), [0, 1, 0, 1, 0.5, 1e-30],
     [1, 0, 0, 1, 0.5, 1], second=False)
case("cross_entropy/none/extreme", lambda x, t: F.cross_entropy(x, t.long(), reduction="none"),
     [[1000, 0], [1000, 0], [-1000, 0], [0, 0]], [1, 0, 0, 1])

write(__file__, cases)
