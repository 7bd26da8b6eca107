"""What is published of the catalogue's losses, as printed; and errors planted in the print."""

from collections import Counter
from dataclasses import replace

import mpmath
import pytest
import sympy as sp

import gantheory as gt
from gantheory.errors import GantheoryError
from gantheory.functions import r, t, to_sympy
from gantheory.ledger import training
from gantheory.ledger.catalogue import critic_checks, loss_checks, theory_of
from gantheory.ledger.checks import CHECKS
from gantheory.ledger.published import check_claim, check_part, claimed_parts
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.losses.fgan import ROWS
from gantheory.losses.loss import Claim, Loss
from gantheory.records import How

TABLE = [loss for loss in ROWS if loss.claims[0].f is not None]


def as_printed(loss):
    """Return part -> verdict, of what the f-GAN table prints of a row."""
    claim = loss.claims[0]
    parts = [part for part, _ in claimed_parts(claim)]
    return dict(zip(parts, check_claim(loss, claim, theory_of(loss.name)), strict=True))


def test_the_four_known_defects_of_the_table_are_found_and_no_others():
    wrong = {
        (loss.name, part)
        for loss in TABLE
        for part, verdict in as_printed(loss).items()
        if verdict.how is not How.PROVED
    }
    assert wrong == {
        ("f-gan-pearson", "value"), ("f-gan-neyman", "value"), ("f-gan-jsd", "value"),
        ("f-gan-gan", "normalised"),
    }  # fmt: skip


def test_what_corrects_a_false_print_is_what_the_engine_names():
    for loss in TABLE:
        value = loss.claims[0].corrected.get("value")
        assert value is None or value == theory_of(loss.name).value.divergence


@pytest.mark.parametrize("name", ["f-gan-kl", "f-gan-jsd", "f-gan-neyman", "f-gan-power"])
def test_a_planted_error_in_each_printed_entry_is_refuted(name):
    loss = CATALOGUE[name]
    claim, theory = loss.claims[0], theory_of(name)
    for part, text in claimed_parts(claim):
        planted = f"({text}) + 1/1000"
        assert check_part(loss, part, planted, theory, f=claim.f).how is How.REFUTED, part
    for part in ("slope", "normalised"):
        text = dict(claimed_parts(claim))[part]
        planted = f"({claim.f}) + r/1000"
        assert check_part(loss, part, text, theory, f=planted).how is How.REFUTED, part


@pytest.mark.parametrize("loss", TABLE, ids=lambda loss: loss.name)
def test_the_printed_f_is_the_supremum_by_numerical_search(loss):
    """f(r) = sup_t r·a(t) + b(t), over a grid of scores that the derivation is not used to find."""
    at = {"alpha": sp.Rational(3, 2)} if loss.parameters else {}
    f = to_sympy(loss.claims[0].f, at, ratio=True)
    payoff = sp.lambdify(
        (r, t),
        r * to_sympy(loss.real, at) + to_sympy(loss.fake, at),
        ["mpmath", {"softplus": lambda x: mpmath.log1p(mpmath.exp(x))}],
    )
    low = -9
    high = {"(-oo, 0)": -0.01, "(-oo, 1)": 0.99}.get(loss.domain, 6)
    scores = [mpmath.mpf(low) + (mpmath.mpf(high) - low) * k / 3000 for k in range(3001)]
    for place in (mpmath.mpf("0.37"), mpmath.mpf("1.9")):
        exact = mpmath.mpf(str(sp.N(f.subs(r, sp.Float(str(place))), 20)))
        best = max(payoff(place, score) for score in scores)
        assert -(mpmath.mpf(10) ** -12) <= exact - best < 1e-4


def test_every_part_of_every_claim_of_the_catalogue_is_in_the_ledger():
    for loss in CATALOGUE.values():
        for claim in loss.claims:
            for part, text in claimed_parts(claim):
                kept = [check for check in loss_checks(loss)
                        if check.id.startswith(f"{loss.name}.{part.replace('_', '-')}")
                        and check.statement.endswith(f" is {text}")]  # fmt: skip
                expected = How.REFUTED if part in claim.corrected else How.PROVED
                assert expected in {check.expected for check in kept}, (loss.name, part)
            assert all(f"{loss.name}.{law}" in CHECKS for law in claim.laws)


def test_a_loss_of_the_user_brings_its_claims_and_their_twins():
    mine = Loss(
        "mine", real="log(D)", fake="log(1 - D)", generator="-log(D)",
        claims=(Claim("me", followed="jsd", corrected={"followed": "2*kl_mp"}),
                Claim("you", followed="2*kl_mp"), Claim("you", followed="kl_qp - 2*jsd")),
    )  # fmt: skip
    checks = {check.id: check for check in loss_checks(mine)}
    assert list(checks) == [
        "mine.followed", "mine.followed-twin", "mine.followed-printed", "mine.followed.2",
        "mine.followed.2-twin",
    ]  # fmt: skip
    assert checks["mine.followed-printed"].twin_of == "mine.followed"


def test_what_is_published_of_a_constrained_critic_is_in_the_ledger():
    for critic in CRITICS.values():
        if critic.claims:
            check = CHECKS[f"{critic.name}.value"]
            assert check.expected is check.run().how
            assert any(check.twin_of == f"{critic.name}.value" for check in critic_checks(critic))


def test_ids_are_unique():
    assert Counter(iter(CHECKS)).most_common(1)[0][1] == 1
    assert len(CHECKS) == len(dict(CHECKS))


def test_a_registered_loss_is_in_the_ledger_and_derived_anew_after_it_is_changed():
    """Its claims are decided by their ids, as those of the catalogue are."""

    def mine(generator, followed):
        return Loss("my-own", real="log(D)", fake="log(1 - D)", generator=generator,
                    claims=(Claim("me", followed=followed, laws=("is-divergence",)),))  # fmt: skip

    for generator, followed in (("-log(D)", "2*kl_mp"), ("log(1 - D)", "2*jsd")):
        entry = gt.register(mine(generator, followed))
        try:
            ids = [id for id in CHECKS if id.startswith("my-own.")]
            assert ids == ["my-own.followed", "my-own.followed-twin", "my-own.is-divergence",
                           "my-own.is-divergence-twin"]  # fmt: skip
            assert all(outcome.as_expected for outcome in gt.check(ids)), generator
        finally:
            gt.unregister(entry)
        assert "my-own.followed" not in CHECKS
    with pytest.raises(GantheoryError, match="my-own"):
        gt.check("my-own.followed")


def test_a_registered_divergence_is_in_the_ledger():
    entry = gt.register(gt.FDivergence("my_square", "(r - 1)**2/2", title="mine"))
    try:
        ids = [f"divergence.my_square.{name}" for name in ("normalised", "convex-twin")]
        assert [str(found.verdict.how) for found in gt.check(ids)] == ["proved", "refuted"]
    finally:
        gt.unregister(entry)


@pytest.mark.parametrize("claim", [{"followed": "jds"}, {"laws": ("vanish",)}, {"value": "jsd**2"}])
def test_a_claim_that_says_nothing_is_refused_when_its_loss_is_registered(claim):
    wrong = Loss("my-own", real="log(D)", fake="log(1 - D)", generator="-log(D)",
                 claims=(Claim("me", **claim),))  # fmt: skip
    with pytest.raises(GantheoryError):
        gt.register(wrong)
    assert "my-own" not in CATALOGUE


def test_a_mistyped_measurement_is_an_error_with_near_names(monkeypatch):
    law = "frozen-gradient.minimax.shifted.q.loc.optimal"
    monkeypatch.setattr(training, "_measured", lambda experiment: {law: None})
    with pytest.raises(GantheoryError, match=r"did you mean 'frozen-gradient\.minimax\.shifted"):
        training._decide(law.replace("loc", "lok"), "mistyped")
    assert training._decide(f"{law}.twin", "withheld").how is How.UNDECIDED


def test_a_false_claim_needs_no_divergence_to_be_corrected():
    loss = replace(CATALOGUE["least-squares-pearson"])
    found = [check_part(loss, "followed", "no divergence", theory_of(name)).how
             for name in ("least-squares-pearson", "least-squares-01")]  # fmt: skip
    assert found == [How.PROVED, How.REFUTED]
