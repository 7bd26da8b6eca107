"""Random losses in which every function of the language takes its turn, held against a search.

The search is that of the compositions: the formulas as typed in numpy, on a grid and refined. Each
loss has two functions in D's payoffs and one in G's, under hills that mostly hold an optimum.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.campaigns.compositions import counted, main
from benchmarks.figures import Figure

COUNT, QUICK, SEED = 120, 4, 9000
ATOMS = {
    "log": "log(1 + ({u})**2)", "exp": "exp(-({u})**2)", "sqrt": "sqrt(1 + ({u})**2)",
    "abs": "abs({u})", "max": "max({u}, 1/2)", "min": "min({u}, 3/2)", "relu": "relu({u})",
    "softplus": "softplus({u})", "sigmoid": "sigmoid({u})", "tanh": "tanh({u})",
    "atan": "atan({u})",
    "sin": "sin({u})", "cos": "cos({u})", "erf": "erf({u})", "log1p": "log1p(exp({u})/3)",
    "expm1": "expm1(({u})/3)", "sign": "sign({u})", "logsumexp": "logsumexp({u}, -t/2)",
    "clamp": "clamp({u}, -1, 2)", "leaky_relu": "leaky_relu({u}, 1/3)",
    "huber": "huber({u}, 3/4)", "where": "where({u} > 0, t, t/2)",
    "": "abs({u})**1.3",  # a real power
    "fermi_dirac": "fermi_dirac(1, {u})", "logistic_normal": "logistic_normal(0, {u}, 1/2)",
    "logistic_exponential": "logistic_exponential(0, {u}, 1, 2)",
    "logistic_logistic": "logistic_logistic(0, {u}, 1, 2)",
}  # fmt: skip
HILLS = ("-({u})**2", "-({u})**4/8", "-softplus({u}) - ({u})**2/9", "-sqrt(1 + ({u})**4)")
DOMAINS = ("(-oo, oo)", "[-2, 2]", "(-1, 3)", "[-4, 5]")
PERIODIC = {"sin", "cos"}  # what oscillates for ever has no limits to find


def composed(seed: int) -> dict[str, str]:
    """Return the formulas of a random loss; in each part the functions take turns."""
    draw = np.random.default_rng(seed)
    rounds = seed // len(ATOMS)  # in each all have their turn, whatever their number
    turns = [seed, seed + 2 + 3 * rounds, seed + 4 + 7 * rounds]
    names = [list(ATOMS)[turn % len(ATOMS)] for turn in turns]

    def argument() -> str:
        scale = draw.choice(["t", "2*t", "t/2", "-t"])
        return f"{scale}{draw.choice(['', ' - 1', ' + 1/2', ' - 0.7'])}"

    def payoff(name: str) -> str:
        hill = str(draw.choice(HILLS)).format(u=argument())
        atom = ATOMS[name].format(u=argument())
        return f"{hill} {draw.choice(['+', '-'])} {atom}/{draw.choice([2, 3])}"

    domain = str(draw.choice(DOMAINS))
    if PERIODIC & {*names} and "oo" in domain:
        domain = "[-4, 5]"
    sign = draw.choice(["", "-"])
    parts = {"real": payoff(names[0]), "fake": payoff(names[1])}
    return {**parts, "generator": sign + ATOMS[names[2]].format(u=argument()), "domain": domain}


def figures(quick: bool) -> Iterator[Figure]:
    """Yield the counts."""
    yield from counted(range(SEED, SEED + (QUICK if quick else COUNT)), composed)


if __name__ == "__main__":
    main(composed)
