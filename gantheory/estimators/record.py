"""An estimator of a divergence: one formula in the ratio, as it stands in a training loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import names_in
from gantheory.losses.loss import Claim, Reference
from gantheory.shown import Overview, Shown, constructor

# r is p/q at a sample of q, u its logarithm: reference model over the trained one.
RATIO = Grammar(
    "estimator", ELEMENTARY, frozenset({"r", "u"}), parameters=True, example="r - 1 - log(r)"
)


@dataclass(frozen=True, repr=False)
class Estimator(Shown):
    """The mean of k(r) over samples of q, with r = p/q: p is the reference, q is trained.

    Attributes:
        name: identifier, as typed on the command line.
        formula: k in ``r``, or in ``u`` = log r; other names are parameters.
        title: what people call it.
        parameters: the legal interval of each parameter; positive unless declared.
        reference: where it was published.
        claims: what is said of it, to be checked.
        aliases: what else it is called.

    >>> Estimator("mine", "r - 1 - u").parameters
    {}
    """

    name: str
    formula: str
    title: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    claims: tuple[Claim, ...] = ()
    aliases: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return constructor(self)

    def overview(self) -> Overview:
        """Return the formula and where it was published."""
        rows = (("k(r)", self.formula), ("published", str(self.reference or "")))
        return Overview(self.title, rows)

    def __post_init__(self) -> None:
        used = names_in(parse(self.formula, RATIO))
        if not used & {"r", "u"}:
            raise GantheoryError(
                f"estimator {self.formula[:60]!r} does not depend on the ratio; write it in "
                "r = p/q or u = log(r)"
            )
        if unused := sorted(set(self.parameters) - used):
            raise GantheoryError(
                f"parameter {unused[0]!r} of estimator {self.name!r} does not occur in "
                f"{self.formula!r}"
            )
        free = {name: self.parameters.get(name, "(0, oo)") for name in sorted(used - {"r", "u"})}
        object.__setattr__(self, "parameters", free)
        object.__setattr__(self, "title", self.title or self.name)

    def as_dict(self) -> dict[str, object]:
        """Return the definition, for printing and JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "loss": self.formula,
            "frozen": "samples",
            "parameters": dict(self.parameters),
        }


SCHULMAN = Reference("J. Schulman", 2020, "Approximating KL Divergence", url="joschu.net/blog")
READING = "the common reading of the estimator in a loss"

ESTIMATORS = {
    entry.name: entry
    for entry in (
        Estimator(
            "k1", "-log(r)", "k1, the log ratio", reference=SCHULMAN,
            claims=(Claim("Schulman (2020)", value="kl_qp"), Claim(READING, followed="kl_qp")),
            aliases=("log-ratio",),
        ),
        Estimator(
            "k2", "log(r)**2/2", "k2, half of the squared log ratio", reference=SCHULMAN,
            claims=(Claim("what k2 estimates to second order", value="kl_qp"),
                    Claim(READING, followed="kl_qp")),
            aliases=("squared-log-ratio",),
        ),
        Estimator(
            "k3", "r - 1 - log(r)", "k3, the log ratio with its control variate",
            reference=SCHULMAN,
            claims=(Claim("Schulman (2020)", value="kl_qp"), Claim(READING, followed="kl_qp")),
            aliases=("low-variance-kl", "grpo-kl"),
        ),
        Estimator(
            "reverse-k3", "r*log(r) - r + 1", "k3 of the other direction", reference=SCHULMAN,
            claims=(Claim("Schulman (2020)", value="kl_pq"), Claim(READING, followed="kl_pq")),
        ),
        Estimator("chi2", "(r - 1)**2", "the squared relative error of the ratio"),
    )
}  # fmt: skip
