"""Reference data for the tests: named cases of named arrays, as text that tests/reference.hpp reads.

A line is `case NAME`, or `NAME SHAPE VALUES...`: SHAPE is `-` for one number, else like 2x3;
values are row-major, with as many digits as a double needs."""

import pathlib

import numpy as np


def text_of(array):
    array = np.asarray(array, dtype=np.float64)
    shape = "x".join(str(extent) for extent in array.shape) or "-"
    return " ".join([shape] + [repr(float(value)) for value in array.ravel()])


def write(script, cases):
    """Writes NAME.txt for make_NAME.py (pass __file__). cases: pairs of a name and a dictionary of arrays."""
    script = pathlib.Path(script)
    target = script.with_name(script.stem.removeprefix("make_") + ".txt")
    lines = [f"# Written by {script.name}."]
    for name, arrays in cases:
        lines.append(f"case {name}")
        lines += [f"{key} {text_of(value)}" for key, value in arrays.items()]
    target.write_text("\n".join(lines) + "\n")
