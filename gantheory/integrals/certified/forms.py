"""The divergences as integrands in ball arithmetic, and what bounds them in the tails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb

from gantheory.divergences import Complement, FDivergence, in_catalogue
from gantheory.integrals.certified.balls import exact_ball, softplus

Integrand = Callable[[acb, acb, acb, bool], acb]  # (log p, log q, log p/q, analytic)


@dataclass(frozen=True)
class Form:
    """A divergence as an integral: its integrand and what bounds it where a density vanishes.

    ``at_zero`` and ``at_infinity`` multiply q where p = 0 and p where q = 0 (None: infinite).
    ``tail`` is C with |integrand| ≤ C(p + q), or None where the integrand grows like the
    log-densities: then C is ``factor``, or 1, against (p + q)(log 2 + |log p| + |log q|), and
    ``weights`` tells which of p, q carry mass in it. ``order`` is that of an unbounded power,
    times ``factor``.
    """

    integrand: Integrand
    at_zero: Callable[[], arb] | None
    at_infinity: Callable[[], arb] | None
    tail: Callable[[], arb] | None = None
    weights: tuple[int, int] = (1, 1)
    order: Fraction | None = None
    factor: arb | None = None


def _zero() -> arb:
    return arb(0)


def _one() -> arb:
    return arb(1)


def _half() -> arb:
    return arb(1) / 2


def _log2() -> arb:
    return arb.const_log2()


def _m(lead: acb, w: acb, analytic: bool) -> acb:
    """Return e^lead · log(2/(1 + e^w)): the integrand of KL against the middle."""
    return lead.exp() * (_log2() - softplus(w, analytic))


def _smaller(a: acb, b: acb, u: acb) -> tuple[acb, acb]:
    """Return the larger density and the ratio of the smaller to it, by the ball's midpoint."""
    return (a.exp(), (-u).exp()) if u.real.mid() > 0 else (b.exp(), u.exp())


def _kl_mp(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (a.exp() + b.exp()) / 2 * (softplus(-u, analytic) - _log2())


def _triangular(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _smaller(a, b, u)
    return larger * (1 - ratio) ** 2 / (1 + ratio)


def _jsd(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (_m(a, -u, analytic) + _m(b, u, analytic)) / 2


def _jsd_gap(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return (a.exp() * softplus(-u, analytic) + b.exp() * softplus(u, analytic)) / 2


def _hellinger(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    return ((a / 2).exp() - (b / 2).exp()) ** 2 / 2


def _tv(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _smaller(a, b, u)
    return larger * (1 - ratio).real_abs(analytic=analytic) / 2


def _tv_gap(a: acb, b: acb, u: acb, analytic: bool) -> acb:
    larger, ratio = _smaller(a, b, u)
    return larger * acb(1).real_min(ratio, analytic=analytic)


FORMS = {
    "jsd": Form(_jsd, lambda: _log2() / 2, lambda: _log2() / 2, lambda: _log2() / 2),
    "jsd_gap": Form(_jsd_gap, _zero, _zero, _half),
    "kl_pm": Form(lambda a, b, u, an: _m(a, -u, an), _zero, _log2, _log2),
    "kl_qm": Form(lambda a, b, u, an: _m(b, u, an), _log2, _zero, _log2),
    "hellinger2": Form(_hellinger, _half, _half, _half),
    "bc": Form(lambda a, b, u, an: ((a + b) / 2).exp(), _zero, _zero, _half),
    "tv": Form(_tv, _half, _half, _half),
    "tv_gap": Form(_tv_gap, _zero, _zero, _half),
    "triangular": Form(_triangular, _one, _one, _one),
    "kl_pq": Form(lambda a, b, u, an: a.exp() * u, _zero, None, weights=(1, 0)),
    "kl_qp": Form(lambda a, b, u, an: -b.exp() * u, None, _zero, weights=(0, 1)),
    "kl_mp": Form(_kl_mp, None, lambda: -_log2() / 2),
    "kl_mq": Form(lambda a, b, u, an: _kl_mp(b, a, -u, an), lambda: -_log2() / 2, None),
    "jeffreys": Form(lambda a, b, u, an: (a.exp() - b.exp()) * u, None, None),
}


def form_of(entry: FDivergence | Complement) -> Form | None:
    """Return the form of a divergence of the catalogue, or None where only its formula is known."""
    if not in_catalogue(entry):
        return None
    if isinstance(entry, FDivergence) and entry.power:
        return power_form(*entry.power)
    return FORMS.get(entry.name)


def power_form(alpha: Fraction, factor: int) -> Form:
    """Return c times the power divergence; for α in (0, 1), p^α q^(1−α) ≤ αp + (1−α)q."""
    if not 0 < alpha < 1:
        return _unbounded(alpha, arb(factor))

    def integrand(a: acb, b: acb, u: acb, analytic: bool) -> acb:
        return factor * _curved(exact_ball(alpha), a, b)

    return Form(
        integrand,
        lambda: factor / exact_ball(alpha),
        lambda: factor / exact_ball(1 - alpha),
        lambda: factor / exact_ball(min(alpha, 1 - alpha)),
    )


def _curved(alpha: arb, a: acb, b: acb) -> acb:
    product = (alpha * a + (1 - alpha) * b).exp()
    return (alpha * a.exp() + (1 - alpha) * b.exp() - product) / (alpha * (1 - alpha))


def _unbounded(alpha: Fraction, factor: arb) -> Form:
    """Return the power divergence of an order outside of [0, 1], times a factor."""
    return Form(
        lambda a, b, u, analytic: factor * _curved(exact_ball(alpha), a, b),
        (lambda: factor / exact_ball(alpha)) if alpha > 1 else None,
        None if alpha > 1 else (lambda: factor / exact_ball(1 - alpha)),
        order=alpha,
        factor=factor,
    )
