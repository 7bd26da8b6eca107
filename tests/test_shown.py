"""How results show themselves: a line in a REPL, a table in a notebook, and nothing left raw."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import gantheory as gt
from gantheory.dynamics.methods import make_method
from gantheory.ledger.statements.deciding import all_entries
from gantheory.ledger.statements.entry import Row
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.shown import Shown, html_table
from gantheory.verify import Check, Outcome

PAIR = ("normal(0, 1)", "normal(1, 1)")
VERDICT = gt.Verdict("a < b & c", gt.How.REFUTED, 0.25, 0.5, 1e-9, counterexample="at x = 1")
RESULTS = {
    "a loss": lambda: CATALOGUE["hinge"],
    "a critic": lambda: CRITICS["wasserstein"],
    "a derivation": lambda: gt.derive("minimax"),
    "a critic's derivation": lambda: gt.derive("wasserstein"),
    "a curvature": lambda: gt.derive("minimax").followed,
    "an estimator": lambda: gt.derive_estimator("k3"),
    "a bound": lambda: gt.derive_bound("nwj"),
    "an estimate": lambda: gt.divergence("jsd", *PAIR),
    "an infinite estimate": lambda: gt.Estimate.infinite("q = 0 where p > 0"),
    "an estimate by samples": lambda: gt.divergence("w1", [1.0, 2.0, 4.0], [2.0, 3.0, 3.5]),
    "a bound by samples": lambda: gt.divergence(
        "kl_pq", *np.random.default_rng(0).normal(size=(2, 99))
    ),
    "a proof": lambda: gt.prove("jsd <= kl_pq/2"),
    "a counterexample": lambda: gt.prove("jsd <= kl_pq/4"),
    "many estimates": lambda: gt.divergence("kl_pq", "normal([0, 1], 1)", PAIR[0]),
    "a verdict": lambda: VERDICT,
    "an outcome": lambda: Outcome(
        Check("an.id", "a < b", lambda: VERDICT, gt.How.REFUTED), VERDICT
    ),
    "a statement's row": lambda: Row(all_entries()[0], "proved", (VERDICT,), (), 0.1),
    "an explanation": lambda: gt.explain("hinge"),
    "a game": lambda: gt.get_game("bilinear"),
    "an analysis": lambda: gt.analyse(gt.get_game("bilinear"), make_method("simultaneous"), "0.1"),
    "a divergence": lambda: gt.divergences.named("jsd"),
    "samples": lambda: gt.samples(np.arange(4.0)),
    "an optimum": lambda: gt.derive("hinge").optimum,
    "a saturation": lambda: gt.derive("hinge").saturation,
    "an equilibrium": lambda: gt.derive("hinge").equilibrium,
    "disjoint supports": lambda: gt.derive("minimax").disjoint,
    "an enclosure": lambda: gt.certify("tv", *PAIR),
    "an infinite enclosure": lambda: gt.certify("kl_pq", "normal(0, 1)", "uniform(0, 1)"),
    "a method": lambda: make_method("alternating", inner=5),
    "a rule": lambda: make_method("optimistic").rule,
    "a claim": lambda: gt.find("minimax").claims[0],
    "a reference": lambda: gt.find("minimax").reference,
    "a check": lambda: Check("an.id", "a < b", lambda: VERDICT, gt.How.REFUTED),
    "a regularised optimum": lambda: gt.derive_regularised("minimax", "r1"),
}
LAWS = ["normal(0, 1)", "mixture(0.5*normal(0, 1) + 0.5*normal(1, 1))", "poisson(2)",
        "normal([0, 1], 1)", "gamma(2, 1)"]  # fmt: skip


@pytest.mark.parametrize("text", LAWS)
def test_a_law_in_a_notebook_is_its_text_and_the_names_of_its_parameters(text):
    law = gt.density(text)
    reader = Reader()
    reader.feed(law._repr_html_())
    assert not reader.open
    assert str(law) in reader.text
    assert all(name in reader.text for name in law.parameters)


def test_an_optimum_says_its_pieces_in_words_and_what_is_unknown_is_undecided():
    found = gt.derive("hinge")
    assert repr(found.optimum) == "OptimalDiscriminator(D* = -1 where r < 1, else 1)"
    assert "every score from -1 to 1 is optimal" in found.optimum._repr_html_()
    assert "vanishes in log r, does not vanish in the raw score" in repr(found.saturation)
    open_at_end = replace(found.saturation, limit_at_0=None)
    assert "is undecided in log r" in repr(open_at_end)
    assert "undecided as r → 0" in open_at_end._repr_html_()
    assert "Piecewise" not in gt.derive("energy-based").value._repr_html_()


class Reader(HTMLParser):
    """Sees that elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_a_result_is_one_short_line_in_a_repl_and_a_table_in_a_notebook(result):
    found = result()
    line = repr(found)
    assert isinstance(found, Shown)
    assert "\n" not in line
    assert len(line) < 330
    assert not re.search(r"<[\w.]+ object at|Symbol\(|None|\bnan\b", line)
    reader = Reader()
    reader.feed(found._repr_html_())
    assert not reader.open
    assert "table" in reader.tags
    assert not re.search(r"\bNone\b|\bnan\b|object at 0x", reader.text)


def test_markup_in_a_result_is_text_in_its_table():
    reader = Reader()
    reader.feed(html_table("<b>", [("a & b", "<script>alert(1)</script>"), ("empty", "")]))
    assert "script" not in reader.tags
    assert "<script>alert(1)</script>" in reader.text
    assert "empty" not in reader.text


def test_a_theory_in_a_notebook_states_the_loss_and_then_the_answer():
    text = gt.derive("non-saturating")._repr_html_()
    places = [text.index(part) for part in ("E_p[log(D)]", "-log(D)", "G follows", "Step by step")]
    assert places == sorted(places)


def test_a_loss_is_the_call_that_makes_it():
    mine = gt.Loss("mine", "-relu(1 - t)", "-relu(a + t)", "-t", parameters={"a": "(0, 2)"})
    assert repr(mine) == (
        "Loss('mine', real='-relu(1 - t)', fake='-relu(a + t)', generator='-t', "
        "parameters={'a': '(0, 2)'})"
    )
    assert eval(repr(mine), {"Loss": gt.Loss}) == mine


def test_a_number_is_shown_with_its_error_and_its_method():
    found = gt.divergence("kl_pq", *PAIR)
    assert repr(found) == f"Estimate({found}, closed form)"
    assert "$" in gt.derive("minimax").value._repr_latex_()
