"""Writes print.txt beside this file: arrays and the text NumPy 1.24 makes of them.

Each case is a head, a line of numbers, the text with '|' before each line, and an empty line:

    float64 shape 2 3 options 8 1000 3 75       precision, threshold, edge_items, line_width
    bits 3ff0000000000000 ...                   the numbers' bits in hexadecimal, row-major
    |[[1. ...                                   or: formula a b c, the numbers (i * a + b) / c
"""
import pathlib

import numpy as np

rng = np.random.default_rng(1)
defaults = dict(precision=8, threshold=1000, edgeitems=3, linewidth=75)
cases = []


def case(array, formula=None, **changed):
    array = np.asarray(array)
    options = defaults | changed
    if array.dtype == np.float64:
        bits = [format(x, "016x") for x in array.ravel().view(np.uint64)]
    else:
        bits = [format(x, "08x") for x in array.ravel().view(np.uint32)]
    with np.printoptions(**options):
        text = str(array)
    shape = "".join(f" {n}" for n in array.shape)
    numbers = "bits" + "".join(f" {b}" for b in bits)
    if formula:
        numbers = "formula {} {} {}".format(*formula)
    cases.append(
        f"{array.dtype} shape{shape} options {' '.join(str(x) for x in options.values())}\n"
        + numbers + "\n" + "".join(f"|{line}\n" for line in text.split("\n")))


def both(array, **changed):
    with np.errstate(over="ignore", under="ignore"):
        case(np.asarray(array, np.float64), **changed)
        case(np.asarray(array, np.float64).astype(np.float32), **changed)


def by_formula(a, b, c, shape, **changed):
    array = ((np.arange(np.prod(shape)) * a + b) / c).reshape(shape)
    case(array, (a, b, c), **changed)
    case(array.astype(np.float32), (a, b, c), **changed)


def any_shape(most=40):
    while True:
        shape = tuple(int(n) for n in rng.integers(1, 7, rng.integers(1, 5)))
        if np.prod(shape) <= most:
            return shape


inf, nan = np.inf, np.nan

# One number, and the edges of plain digits.
for x in [0.0, -0.0, 0.5, 3, -3, 1 / 3, 1e-4, 9.999e-5, 1e15, 1e16, 123456789012345678, 1e-300, 1e20,
          -1.5e-7, 1e100, nan, inf, -inf, 16777216, 86806944, -2.0**52, 2.0**-44, 8388608.5, 5e-324, 1.7976931348623157e308]:
    both(x)

# Small ones chosen by hand.
for x in [[0], [-0.0], [0, -0.0], [0, 1], [1], [-1], [0.5, 0.25], [0.1, 0.2, 0.30000000000000004], [1, 10, 100], [1, 1000],
          [1, 1001], [1, 1000.0001], [0.001, 1], [1e8], [99999999], [99999992, 1], [1e8, -1], [12345678.9], [1e-4], [9.9e-5],
          [0.000123456789], [1e-5, 0], [1e5, 1e-5], [1e100], [1e100, 1e-100], [1e100, 1e9], [1e-300, 0], [-1e-10, 2],
          [nan], [inf], [-inf], [nan, inf], [nan, -inf], [nan, 1], [inf, 1], [-inf, 1], [nan, 0.123], [-inf, 0.5, -0.25],
          [nan, 1e10], [-inf, 1e-10], [inf, 1e100], [inf, 1234.5], [0.37, 0.370439, 12.5], [9.999999999, 1],
          [0.999999999], [99999.99999999999], [0.123456785, 0.123456775], [1.5, 2.5, 3.5], [2**-27], [5e-324], [1e-45],
          [3.4028235e38], [1.7976931348623157e308], [1 / 3, 2 / 3], [1e16, 1], [123456.789, 1000], [1.00000001, 1],
          [1.000000001, 1], [2.5, nan, -0.0], [[1, 2], [3, 4.5]], [[[1]]], [[[[0.5]]]], [[1], [2], [3]], [[nan], [-1]]]:
    both(x)

# No numbers.
for shape in [(0,), (2, 0), (0, 3), (1, 0, 2), (0, 0, 0, 0)]:
    both(np.zeros(shape))

# Ranks 1 to 4 at many scales, whole numbers, and some that are no numbers.
for i in range(80):
    both(rng.normal(size=any_shape(30)) * 10.0**rng.integers(-6, 10))
for i in range(24):
    shape = any_shape(24)
    both(rng.choice([-1, 1], shape) * 10.0**rng.uniform(*sorted(rng.uniform(-40, 38, 2)), shape))
for i in range(20):
    both(rng.integers(-10**rng.integers(1, 10), 10**rng.integers(1, 10), any_shape(24)))
for i in range(20):
    x = np.round(rng.normal(size=any_shape(30)), rng.integers(0, 6))
    x[rng.random(x.shape) < 0.3] = rng.choice([nan, inf, -inf, -0.0, 0.0])
    both(x * 10.0**rng.integers(-3, 4))
for i in range(20):  # any bits at all
    case(rng.integers(0, 2**64, any_shape(10), dtype=np.uint64).view(np.float64))
    case(rng.integers(0, 2**32, any_shape(10), dtype=np.uint32).view(np.float32))
for i in range(10):  # neighbours of powers of two, where the digits are uneven
    both(np.ldexp(1.0, rng.integers(-126, 127, 6)))
    both(np.ldexp(1.0, int(rng.integers(-13, 26))) + np.zeros(2))

# Wide rows, and large arrays of which the edges are shown.
for columns in [6, 7, 8, 9, 15, 18, 19, 24, 25, 26, 37, 38, 60]:
    by_formula(37, -500, 100, (columns,))
    by_formula(1, 0, 1, (2, columns))
    by_formula(-1, 3, 7, (1, 2, columns))
for shape in [(1000,), (1001,), (7, 200), (200, 7), (2, 3, 400), (40, 30, 20), (2000, 1), (1, 2000), (3, 2, 400, 2), (7, 2, 7, 8),
              (6, 200), (501, 2), (1001, 1, 1, 1), (300, 300)]:
    if shape != (1000,):
        by_formula(37, -5000, 100, shape)
    by_formula(1, 0, 3, shape, threshold=999)
by_formula(37, -5000, 100, (25, 40), threshold=1000)

# Other options.
for precision in [0, 1, 2, 3, 4, 6, 10, 16, 20]:
    for i in range(3):
        both(rng.normal(size=any_shape(12)) * 10.0**rng.integers(-3, 6), precision=precision)
    both([0.5, 1.5, 2.5, 0.25, 0.125, 9.96, 0.006], precision=precision)
    both([0.5, 1.5e9, 2.5e-3, 9.96e4], precision=precision)
for width in [1, 10, 20, 40, 120]:
    by_formula(37, -50, 100, (2, 2, 9), linewidth=width)
for edge in [1, 2, 5]:
    by_formula(37, -50, 100, (5, 6, 7), edgeitems=edge, threshold=20)

folder = pathlib.Path(__file__).parent
(folder / "print.txt").write_text("\n".join(cases))
print(len(cases), "arrays")
