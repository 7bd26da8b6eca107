"""Games whose dynamics are known: bilinear, Dirac-GAN, linear-quadratic, Gaussian."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import Any

import sympy as sp

from gantheory.dynamics.noise import Noise
from gantheory.dynamics.record import Game
from gantheory.errors import GantheoryError
from gantheory.formulas import interval
from gantheory.functions import relu, sigmoid, t, to_sympy
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss


def bilinear(matrix: sp.Matrix | None = None) -> Game:
    """Return ``min_x max_y x'Ay``; one variable each and A = 1 unless a matrix is given."""
    matrix = sp.eye(1) if matrix is None else matrix
    single = matrix.shape == (1, 1)
    x = sp.symbols("x,", real=True) if single else sp.symbols(f"x1:{matrix.rows + 1}", real=True)
    y = sp.symbols("y,", real=True) if single else sp.symbols(f"y1:{matrix.cols + 1}", real=True)
    value = sp.expand((sp.Matrix(x).T * matrix * sp.Matrix(y))[0, 0])
    return Game("bilinear", (value, -value), (x, y), title="min over x, max over y of xy")


def dirac(
    game: Loss | str,
    *,
    r1: Any = 0,
    r2: Any = 0,
    gradient_penalty: Any = 0,
    target: Any = 1,
    noise: Any = 0,
) -> Game:
    r"""Return the Dirac-GAN of a loss: data at 0, fakes at theta, scores of slope psi.

    The score is :math:`t(x) = t_0 + \psi x` with :math:`t_0` the optimal score where real and
    fake agree, so the generator minimises :math:`c(t(\theta))` and the discriminator
    :math:`-a(t(0)) - b(t(\theta))` and its regulariser. Mescheder et al. (2018),
    arXiv:1801.04406, write the same with the opposite sign of psi.

    Args:
        game: a loss, or its name in the catalogue.
        r1: weight of half the squared slope of the score at the data.
        r2: weight of half the squared slope of the score at the fakes.
        gradient_penalty: weight of the squared distance between the slope's length and
            ``target``.
        target: see ``gradient_penalty``.
        noise: standard deviation of normal noise added to real and fake alike.

    >>> dirac("minimax", r1=sp.Symbol("gamma", positive=True)).jacobian_at(
    ...     dirac("minimax").candidates[0])
    Matrix([
    [   0,    1/2],
    [-1/2, -gamma]])
    """
    game = get_loss(game)
    theta, psi = sp.symbols("theta psi", real=True)
    place = sp.Symbol("place", real=True)
    real, fake, generator, start = _payoffs(game)
    score = start + psi * place
    slope = sp.diff(score, place)
    shift, laws = sp.symbols("epsilon1:3", real=True), {}
    if noise != 0:
        laws = {symbol: Noise("normal", sp.sympify(noise)) for symbol in shift}
    at_real = score.subs(place, shift[0] if laws else 0)
    at_fake = score.subs(place, theta + shift[1] if laws else theta)
    regulariser = (
        sp.sympify(r1) / 2 * (slope**2).subs(place, 0)
        + sp.sympify(r2) / 2 * (slope**2).subs(place, theta)
        + sp.sympify(gradient_penalty) * (sp.Abs(slope) - target) ** 2
    )
    second = -real.subs(t, at_real) - fake.subs(t, at_fake) + regulariser
    return Game(
        f"dirac-{game.name}",
        (generator.subs(t, at_fake), second),
        ((theta,), (psi,)),
        domains={theta: sp.Reals, psi: sp.Reals},
        noise=laws,
        candidates=({theta: sp.S.Zero, psi: sp.S.Zero},),
        title=f"Dirac-GAN of {game.title}",
    )


def linear_quadratic(game: Loss | str = "minimax") -> Game:
    """Return the 1-D game of data uniform on ±1, fakes ``a z`` and scores ``w x^2``.

    Nagarajan and Kolter (2017), arXiv:1706.04156; its equilibrium is a = ±1, w = 0.
    """
    game = get_loss(game)
    a, w = sp.symbols("a w", real=True)
    data, latent = sp.symbols("X Z", real=True)
    real, fake, generator, start = _payoffs(game)
    at_real, at_fake = start + w * data**2, start + w * (a * latent) ** 2
    return Game(
        f"linear-quadratic-{game.name}",
        (generator.subs(t, at_fake), -real.subs(t, at_real) - fake.subs(t, at_fake)),
        ((a,), (w,)),
        domains={a: sp.Reals, w: sp.Reals},
        noise={data: Noise("uniform", sp.S.One), latent: Noise("uniform", sp.S.One)},
        candidates=({a: sp.S.One, w: sp.S.Zero}, {a: -sp.S.One, w: sp.S.Zero}),
        title=f"1-D linear-quadratic game of {game.title}",
    )


def gaussian(game: Loss | str = "minimax") -> Game:
    """Return the game of standard normal data, fakes ``mu + s z``, scores ``w1 x + w2 x^2``."""
    game = get_loss(game)
    mu, s, w1, w2 = sp.symbols("mu s w1 w2", real=True)
    data, latent = sp.symbols("X Z", real=True)
    real, fake, generator, start = _payoffs(game)
    made = mu + s * latent
    at_real, at_fake = (start + w1 * x + w2 * x**2 for x in (data, made))
    players = ((mu, s), (w1, w2))
    return Game(
        f"gaussian-{game.name}",
        (generator.subs(t, at_fake), -real.subs(t, at_real) - fake.subs(t, at_fake)),
        players,
        domains=dict.fromkeys((mu, s, w1, w2), sp.Reals),
        noise={data: Noise("normal", sp.S.One), latent: Noise("normal", sp.S.One)},
        candidates=tuple(
            {mu: sp.S.Zero, s: sp.Integer(sign), w1: sp.S.Zero, w2: sp.S.Zero} for sign in (1, -1)
        ),
        title=f"Gaussian location and scale game of {game.title}",
    )


def _payoffs(game: Loss) -> tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr]:
    """The payoffs a, b, c in t, and the score at which the discriminator rests."""
    real, fake, generator = (to_sympy(text) for text in (game.real, game.fake, game.generator))
    return real, fake, generator, resting_score(game, real + fake)


def resting_score(game: Loss, total: sp.Expr) -> sp.Expr:
    """Return the interior score at which ``a + b``, the payoff at equal densities, is maximal.

    Where a whole interval is optimal (hinge, Wasserstein) it is 0 if that is inside, else the
    middle; the payoffs must be smooth there.
    """
    ends = interval(game.domain)
    lower, upper = _end(ends.lower), _end(ends.upper)
    kinks = {
        solution
        for part in total.atoms(relu)
        for solution in sp.solve(part.args[0], t)
        if _inside(solution, lower, upper)
    }
    marks = sorted({lower, upper, *kinks} - {sp.oo, -sp.oo}, key=_rough_value)
    middles = [(left + right) / 2 for left, right in pairwise(marks)]
    for score in [sp.S.Zero, *middles, *_stationary(total)]:
        inside = _inside(score, lower, upper) and score not in kinks
        if inside and _vanishes(sp.diff(total, t).subs(t, score)):
            return score
    raise GantheoryError(
        f"game {game.name!r} has no optimal score inside {game.domain} where real and fake agree, "
        "so its small games have no equilibrium to study"
    )


def _stationary(total: sp.Expr) -> list[sp.Expr]:
    """Where the slope vanishes, solved in ``exp(t)`` where the payoff has sigmoids."""
    slope = sp.diff(total, t)
    if slope == 0 or slope.has(sp.Heaviside):
        return []
    logistic = slope.has(sigmoid, sp.exp)
    odds = sp.Symbol("odds", positive=True)
    if logistic:
        plain = slope.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))
        slope = sp.simplify(plain.subs(t, sp.log(odds)))
    try:
        roots = sp.solve(slope, odds if logistic else t)
    except NotImplementedError:
        return []
    return [sp.log(root) if logistic else root for root in roots if root.is_real is not False]


def _end(node: ast.expr) -> sp.Expr:
    if isinstance(node, ast.UnaryOp):
        return -_end(node.operand)
    if isinstance(node, ast.Name) and node.id in {"oo", "inf"}:
        return sp.oo
    return to_sympy(node)


def _rough_value(mark: sp.Expr) -> float:
    return float(mark.subs({symbol: 1 for symbol in mark.free_symbols}))


def _inside(score: sp.Expr, lower: sp.Expr, upper: sp.Expr) -> bool:
    gaps = [score - lower] * (lower != -sp.oo) + [upper - score] * (upper != sp.oo)
    return all(sp.simplify(gap).is_positive for gap in gaps)


def _vanishes(expression: sp.Expr) -> bool:
    plain = expression.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u)))
    return bool(sp.simplify(plain) == 0)
