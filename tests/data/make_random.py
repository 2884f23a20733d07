"""Writes random.txt beside this file: what NumPy's RandomState draws. Run: /usr/bin/python3 make_random.py

Each line is one long run on a fresh generator: call, seed, arguments joined by commas, count,
checksum over all values, then every STEP-th value."""

import pathlib
import struct

import numpy as np

SEEDS = [0, 1, 42, 4294967295]
COUNT, STEP = 1500, 100  # 1500 doubles take 3000 words: more than four blocks of 624

RANGES = [
    (0, 1),  # no choice: draws nothing
    (0, 2),
    (-5, 5),
    (0, 2**31 + 1),  # about half are rejected
    (-7, 2**32 - 8),  # one less than all words
    (-7, 2**32 - 7),  # every word
    (-7, 2**32 - 6),  # one more: two words for each
    (-1, 2**62 + 1),  # about half are rejected
    (-(2**63), 2**63 - 1),  # wider than a signed number can say
]


def bits(value):
    """The 64 bits of a double or of a signed whole number."""
    return struct.unpack("<Q", struct.pack("<q" if isinstance(value, int) else "<d", value))[0]


def checksum(values):
    total = 0
    for value in values:
        total = (total * 6364136223846793005 + bits(value) + 1) % 2**64
    return total


def mixed(generator):
    """Calls that follow each other: the kept normal outlives other draws."""
    for i in range(COUNT):
        yield float(generator.random_sample())
        yield float(generator.normal(1.0, 0.5))
        yield float(generator.randint(0, 7))
        yield float(generator.randint(3, 4))
        yield float(generator.randint(0, 2**40))
        yield float(generator.uniform(-1.0, 1.0))
        yield float(generator.permutation(5)[0])
        if i % 3 == 0:
            yield float(generator.normal())


def runs(seed):
    def fresh():
        return np.random.RandomState(seed)

    yield "random", (), fresh().random_sample(COUNT)
    for lo, hi in [(0.0, 1.0), (-2.5, 7.1), (-1e300, 1e300)]:
        yield "uniform", (lo, hi), fresh().uniform(lo, hi, COUNT)
    for mean, deviation in [(0.0, 1.0), (3.3, 0.1), (-1.0, 0.0)]:
        yield "normal", (mean, deviation), fresh().normal(mean, deviation, COUNT)
    for lo, hi in RANGES:
        yield "randint", (lo, hi), fresh().randint(lo, hi, COUNT)
    for n in [0, 1, 2, 10, COUNT]:
        yield "permutation", (n,), fresh().permutation(n)
    letters = np.array([ord(c) for c in "shuffled"])
    fresh().shuffle(letters)
    yield "shuffle", (), letters
    yield "mixed", (), np.array(list(mixed(fresh())))


with open(pathlib.Path(__file__).with_name("random.txt"), "w") as file:
    print(f"# Made by make_random.py with NumPy {np.__version__}, which says what a line is.", file=file)
    for seed in SEEDS:
        for call, arguments, values in runs(seed):
            values = values.tolist()
            step = STEP if len(values) >= COUNT else 1
            print(call, seed, ",".join(map(repr, arguments)) or "-", len(values), checksum(values),
                  *map(repr, values[::step]), file=file)
