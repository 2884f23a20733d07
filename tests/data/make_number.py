"""Writes number.txt: what the functions of kernel/number.hpp and their derivatives are, to 55
digits, by mpmath. A line is: name, operands (exact in binary), value, a derivative by each operand.
Derivatives are differences taken with far more digits: no rule is used."""

import pathlib

from mpmath import mp, mpf

mp.dps = 150

SMALL = 2.0**-40
UNARY = {
    "negate": (lambda x: -x, [1.5]),
    "abs": (abs, [-1.25, 3]),
    "floor": (mp.floor, [-1.25, 2.75]),
    "sqrt": (mp.sqrt, [2, 0.125]),
    "exp": (mp.exp, [1, -20.5, SMALL]),
    "expm1": (mp.expm1, [1, -20.5, SMALL]),
    "log": (mp.log, [2, 0.125, 1 + SMALL]),
    "log1p": (mp.log1p, [2, -0.875, SMALL]),
    "log2": (lambda x: mp.log(x, 2), [3, 0.375, 1 + SMALL]),
    "sin": (mp.sin, [0.75, -20.5, SMALL]),
    "cos": (mp.cos, [0.75, -20.5, SMALL]),
    "tan": (mp.tan, [0.75, -20.5, SMALL]),
    "asin": (mp.asin, [0.75, -0.9375, SMALL]),
    "acos": (mp.acos, [0.75, -0.9375, SMALL]),
    "atan": (mp.atan, [0.75, -20.5, SMALL]),
    "sinh": (mp.sinh, [0.75, -20.5, SMALL]),
    "cosh": (mp.cosh, [0.75, -20.5, SMALL]),
    "tanh": (mp.tanh, [0.75, -20.5, SMALL]),
    "erf": (mp.erf, [0.5, -2.5, SMALL]),
    "erfc": (mp.erfc, [0.5, -2.5, 5.25]),
}
PAIRS = [(1.5, 0.375), (-0.75, 2.5), (SMALL, -20.5)]
BINARY = {
    "add": (lambda x, y: x + y, PAIRS),
    "subtract": (lambda x, y: x - y, PAIRS),
    "multiply": (lambda x, y: x * y, PAIRS),
    "divide": (lambda x, y: x / y, PAIRS),
    "pow": (lambda x, y: x**y, [(1.5, 0.375), (0.25, -20.5), (1 + SMALL, 2)]),
    "atan2": (mp.atan2, PAIRS + [(-1.5, -0.25)]),
}


def digits(x):
    """As a whole number of 55 digits and a power of ten."""
    if x == 0:
        return "0e0"
    exponent = int(mp.floor(mp.log10(abs(x)))) - 54
    return f"{int(mp.nint(x * mpf(10) ** -exponent))}e{exponent}"


def slope(f, x):
    """To about 100 digits: a central difference of second order with a step of 1e-50."""
    h = mpf(10) ** -50
    return (f(x + h) - f(x - h)) / (2 * h)


def lines():
    for name, (f, points) in UNARY.items():
        for x in points:
            yield name, [x], f(mpf(x)), [slope(f, mpf(x))]
    for name, (f, points) in BINARY.items():
        for x, y in points:
            x, y = mpf(x), mpf(y)
            by_x, by_y = slope(lambda t: f(t, y), x), slope(lambda t: f(x, t), y)
            yield name, [x, y], f(x, y), [by_x, by_y]


text = ["# Written by make_number.py."]
for name, x, y, slopes in lines():
    operands = [repr(float(operand)) for operand in x]
    text.append(" ".join([name, *operands, digits(y), *map(digits, slopes)]))
pathlib.Path(__file__).with_name("number.txt").write_text("\n".join(text) + "\n")
