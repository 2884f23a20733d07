"""Writes shapes.txt beside this file: ops that change shape or pick elements, and einsum.
Run: /usr/bin/python3 make_shapes.py

Values by NumPy, derivatives by PyTorch, which must agree on the values. All numbers are small whole
ones, so nothing is rounded. A case has operands x0, x1, ..., the result y, weights w of its shape,
u0, u1, ... of the operands' shapes, first derivatives g0, g1, ... of sum(w y^2) and second ones
h0, h1, ... of sum(u0 g0) + sum(u1 g1) + ..."""

import numpy as np
import torch

import reference

random = np.random.RandomState(7)


def whole(shape):
    return random.randint(-2, 3, shape).astype(np.float64)


def derived(name, by_numpy, by_torch, *operands):
    operands = [whole(x) if isinstance(x, tuple) else x for x in operands]
    y = by_numpy(*operands)
    arrays = {f"x{i}": x for i, x in enumerate(operands)} | {"y": y, "w": whole(np.shape(y))}
    x = [torch.tensor(operand, requires_grad=True) for operand in operands]
    z = by_torch(*x)
    assert z.shape == np.shape(y) and np.array_equal(z.detach().numpy(), y), name
    g = torch.autograd.grad((torch.tensor(arrays["w"]) * z * z).sum(), x, create_graph=True)
    u = [whole(operand.shape) for operand in operands]
    s = sum((torch.tensor(v) * share).sum() for v, share in zip(u, g))
    s = s + sum(0 * operand.sum() for operand in x)  # where nothing is left to depend on
    h = torch.autograd.grad(s, x)
    for i in range(len(x)):
        arrays |= {f"u{i}": u[i], f"g{i}": g[i].detach().numpy(), f"h{i}": h[i].numpy()}
    return name, arrays


def einsum(equation, *shapes):
    return derived(equation, lambda *x: np.einsum(equation, *x),
                   lambda *x: torch.einsum(equation, *x), *shapes)


def padded_by_torch(widths):
    pairs = [n for pair in reversed(widths) for n in pair]  # the last axis first

    def pad(x, value):
        ring = torch.nn.functional.pad(torch.zeros_like(x), pairs, value=1.0)
        return torch.nn.functional.pad(x, pairs) + value * ring
    return pad


def pad(name, shape, widths):
    return derived(name, lambda x, value: np.pad(x, widths, constant_values=value),
                   padded_by_torch(widths), shape, np.float64(3))


pick = [2, 0, 0, 1]
table = np.array([[1, 0, 3], [1, 1, 0]])

cases = [
    derived("flatten", np.ravel, lambda x: torch.flatten(x), (2, 3, 2)),
    derived("flatten_middle", lambda x: x.reshape(2, 6, 2), lambda x: torch.flatten(x, 1, -2),
            (2, 3, 2, 2)),
    derived("flatten_number", np.ravel, lambda x: torch.flatten(x), ()),
    derived("squeeze", np.squeeze, torch.squeeze, (1, 2, 1, 3)),
    derived("squeeze_last", lambda x: np.squeeze(x, -2), lambda x: torch.squeeze(x, -2), (1, 2, 1, 3)),
    derived("squeeze_two", lambda x: np.squeeze(x, (0, 2)), lambda x: x[0, :, 0], (1, 2, 1, 3)),
    derived("unsqueeze", lambda x: np.expand_dims(x, 1), lambda x: torch.unsqueeze(x, 1), (2, 3)),
    derived("unsqueeze_last", lambda x: np.expand_dims(x, -1), lambda x: torch.unsqueeze(x, -1), (2, 3)),
    derived("tile", lambda x: np.tile(x, (2, 3)), lambda x: torch.tile(x, (2, 3)), (2, 2)),
    derived("tile_last", lambda x: np.tile(x, 2), lambda x: torch.tile(x, (2,)), (2, 1, 3)),
    derived("tile_more_axes", lambda x: np.tile(x, (2, 1, 2)), lambda x: torch.tile(x, (2, 1, 2)), (3,)),
    derived("tile_none", lambda x: np.tile(x, (0, 2)), lambda x: torch.tile(x, (0, 2)), (2, 2)),
    derived("tile_number", lambda x: np.tile(x, (2, 2)), lambda x: torch.tile(x, (2, 2)), ()),
    derived("slice_back", lambda x: x[:, ::-1], lambda x: torch.flip(x, (1,)), (2, 4)),
    derived("slice_back_2", lambda x: x[4:0:-2], lambda x: x[[4, 2]], (5, 2)),
    derived("slice_back_from_end", lambda x: x[-2:-9:-1], lambda x: x[[3, 2, 1, 0]], (5,)),
    derived("slice_back_nothing", lambda x: x[1:3:-1], lambda x: x[:0], (5,)),
    derived("slice_back_from_beyond", lambda x: x[9:2:-3], lambda x: x[[4]], (5,)),
    derived("flip", np.flip, lambda x: torch.flip(x, (0, 1, 2)), (2, 3, 2)),
    derived("flip_two", lambda x: np.flip(x, (0, -1)), lambda x: torch.flip(x, (0, -1)), (2, 3, 2)),
    derived("select", lambda x: x[:, 1], lambda x: torch.select(x, 1, 1), (2, 3, 2)),
    derived("select_last", lambda x: x[..., -2], lambda x: torch.select(x, -1, -2), (2, 3)),
    derived("index_select", lambda x: np.take(x, pick, 1),
            lambda x: torch.index_select(x, 1, torch.tensor(pick)), (2, 3, 2)),
    derived("index_select_last", lambda x: np.take(x, pick, -1),
            lambda x: torch.index_select(x, -1, torch.tensor(pick)), (2, 3)),
    derived("index_select_table", lambda x: np.take(x, table, 1), lambda x: x[:, torch.tensor(table)],
            (2, 4)),
    derived("embedding", lambda x: x[table],
            lambda x: torch.nn.functional.embedding(torch.tensor(table), x), (4, 2)),
    derived("tril", np.tril, torch.tril, (2, 3, 3)),
    derived("tril_up", lambda x: np.tril(x, 1), lambda x: torch.tril(x, 1), (3, 4)),
    derived("triu", np.triu, torch.triu, (4, 3)),
    derived("triu_down", lambda x: np.triu(x, -1), lambda x: torch.triu(x, -1), (2, 4, 3)),
    pad("pad", (2, 3), [(1, 0), (2, 1)]),
    pad("pad_one_axis", (2, 2, 2), [(0, 0), (1, 2), (0, 0)]),
    pad("pad_empty", (0, 2), [(1, 1), (0, 1)]),
    derived("dot", np.dot, torch.dot, (4,), (4,)),
    derived("outer", np.outer, torch.outer, (3,), (2,)),
    # one operand: order, sums, diagonals
    einsum("i->i", (3,)),
    einsum("ij->ji", (2, 3)),
    einsum("ba", (2, 3)),
    einsum("Ba", (2, 3)),
    einsum("ij->", (2, 3)),
    einsum("ij->j", (2, 3)),
    einsum("ii", (3, 3)),
    einsum("ii->i", (3, 3)),
    einsum("iji->ij", (2, 3, 2)),
    einsum("iii->i", (2, 2, 2)),
    einsum("ijij->ji", (2, 3, 2, 3)),
    einsum("...ii->...i", (2, 3, 3)),
    einsum("...ij->...ji", (2, 3, 2)),
    einsum("i...->...", (2, 3, 2)),
    einsum("->", ()),
    # two operands: products of numbers, vectors, matrices, batches
    einsum(",", (), ()),
    einsum(",i->i", (), (3,)),
    einsum("i,i", (4,), (4,)),
    einsum("i,j->ij", (2,), (3,)),
    einsum("i,j->ji", (2,), (3,)),
    einsum("ij,jk->ik", (2, 3), (3, 2)),
    einsum("ij,jk->ki", (2, 3), (3, 4)),
    einsum("ji,jk->ik", (3, 2), (3, 4)),
    einsum("ij,kj->ik", (2, 3), (4, 3)),
    einsum("ji,kj->ki", (3, 2), (4, 3)),
    einsum("ij,j->i", (2, 3), (3,)),
    einsum("j,jk->k", (3,), (3, 2)),
    einsum("ij,ij->", (2, 3), (2, 3)),
    einsum("ij,ji->", (2, 3), (3, 2)),
    einsum("ij,ij->ij", (2, 3), (2, 3)),
    einsum("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    einsum("ibj,jkb->kbi", (2, 3, 2), (2, 3, 3)),
    einsum("bi,bi->b", (2, 3), (2, 3)),
    einsum("bhid,bhjd->bhij", (2, 2, 2, 3), (2, 2, 3, 3)),
    einsum("ijk,jkl->il", (2, 3, 2), (3, 2, 2)),
    einsum("ijk,kjl->il", (2, 3, 2), (2, 3, 2)),
    einsum("ij,k->j", (2, 3), (2,)),
    einsum("ii,ij->j", (2, 2), (2, 3)),
    einsum("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)),
    einsum("...i,...i", (2, 3), (4, 1, 3)),
    einsum("...,...->...", (2, 3), (3,)),
    einsum("a...,...b->ab...", (2, 3), (3, 2)),
    einsum("ij,jk->ik", (2, 1), (3, 2)),  # an extent of 1 stretches
    einsum("ij,ij->ij", (1, 3), (2, 1)),
    einsum("ij,jk->ik", (2, 0), (0, 3)),
    einsum("ij,jk->ik", (0, 2), (2, 3)),
    # three operands and more
    einsum("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    einsum("i,j,ij->", (2,), (3,), (2, 3)),
    einsum("i,ij,j", (2,), (2, 3), (3,)),
    einsum("bi,bj,bij->b", (2, 2), (2, 3), (2, 2, 3)),
    einsum("a,b,c->cab", (2,), (3,), (2,)),
    einsum("ij,j,k->ki", (2, 3), (1,), (2,)),
    einsum("...i,ij,...j->...", (2, 2), (2, 3), (2, 3)),
    einsum("i,i,i,i->", (3,), (3,), (3,), (3,)),
]

reference.write(__file__, cases)
