"""The page and the terminal table say what the verdicts say, whatever the verdicts hold."""

import io
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from reports import HOSTILE, OUTCOMES, WRONG, outcome
from rich.console import Console

from gantheory import derive as derive_any
from gantheory.derivations import derive
from gantheory.records import How, Verdict
from gantheory.report import html, tables, view
from gantheory.report.losses import view_loss
from gantheory.report.maths import combination, mathml, split_beside
from gantheory.report.numbers import show_error, show_number
from gantheory.report.svg import Picture, inline_svg

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Outline(HTMLParser):
    """Collects elements and checks that they are balanced."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


def outline(page):
    parser = Outline()
    parser.feed(page)
    assert not parser.open
    return parser


@pytest.fixture(scope="module")
def page():
    return html.render([*OUTCOMES, WRONG], seed=7, environment={"Python": HOSTILE})


def drawn():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#0072B2", label="<p & q>")
    axes.fill_between([0, 1], [1, 0], color="#D55E00", clip_on=True)
    axes.legend()
    return figure


def test_every_outcome_has_exactly_one_row(page):
    rows = [a["data-check"] for _, a in outline(page).elements if "data-check" in a]
    assert sorted(rows) == sorted(o.check.id for o in [*OUTCOMES, WRONG])


@pytest.mark.parametrize("missing", [None, "value", "loss", "followed"])
def test_a_part_that_is_not_known_is_said_to_be_so_and_the_others_stay(missing):
    whole = derive("non-saturating")
    part = replace(whole, **{missing: None}, undecided={missing: "too hard"}) if missing else whole
    shown = {answer.question: answer for answer in view_loss(part).answers}
    assert ("Its curvature in r = p/q" in shown) == (missing != "followed")
    assert sum("too hard" in answer.words for answer in shown.values()) == (missing is not None)
    assert (not missing) == any(step.title == "Loss against gradient" for step in part.steps)


def test_every_outcome_is_in_exactly_one_group():
    ids = [o.check.id for section in view.group(OUTCOMES) for o in section.outcomes]
    assert sorted(ids) == sorted(o.check.id for o in OUTCOMES)


def test_hostile_text_stays_text(page):
    found = outline(page)
    tags = [tag for tag, _ in found.elements]
    assert not {*tags} & {"img", "iframe", "object"}
    assert tags.count("script") == 1
    script = page.split("<script>")[1].split("</script>")[0]
    assert b64encode(sha256(script.encode()).digest()).decode() in page.split("<title>")[0]
    assert "alert(" not in script
    assert "".join(found.text).count("alert('p & q')") >= 5


def test_the_page_refers_to_nothing_outside_itself(page):
    for _, attributes in outline(page).elements:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            assert re.match(r"#|data:,|$", attributes.get(name, "")), attributes
    style = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style


def test_identifiers_are_unique_and_links_resolve(page):
    found = outline(html.render(OUTCOMES, figures=[Picture("a", drawn()), Picture("b", drawn())]))
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in found.elements:
        for name in ("href", "xlink:href"):
            if attributes.get(name, "").startswith("#"):
                assert attributes[name][1:] in ids
        for reference in re.findall(r"url\(#([^)]+)\)", " ".join(map(str, attributes.values()))):
            assert reference in ids


def test_headings_do_not_skip_a_level(page):
    levels = [int(tag[1]) for tag, _ in outline(page).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_table_has_a_caption_and_the_page_a_language(page):
    tags = [tag for tag, _ in outline(page).elements]
    assert tags.count("table") == tags.count("caption") > 0
    assert ("html", {"lang": "en"}) in outline(page).elements


@pytest.mark.parametrize(
    ("outcomes", "planned", "right"),
    [
        (OUTCOMES, len(OUTCOMES), True),
        (OUTCOMES, len(OUTCOMES) + 1, False),
        ([*OUTCOMES, WRONG], None, False),
        ([], 0, False),
    ],
)
def test_the_headline_is_green_only_where_everything_is_right(outcomes, planned, right):
    page = html.render(outcomes, planned=planned)
    assert ('class="headline"' in page) is right
    assert ('class="headline wrong"' in page) is not right


def test_a_wrong_verdict_is_named_first(page):
    assert "1 of 9 verdicts is not as it should be" in page
    assert page.index('href="#check-wrong"') < page.index('<section id="proved">')
    assert "should be proved" in page


def test_a_run_without_training_says_so():
    trained = [o for o in OUTCOMES if o.check.trains]
    untrained = [o for o in OUTCOMES if not o.check.trains]
    assert "No network was trained" in html.render(untrained)
    assert "No network was trained" not in html.render(trained)


def test_the_page_is_a_function_of_its_arguments():
    pages = {html.render(OUTCOMES, figures=[Picture("a", drawn())]) for _ in range(2)}
    assert len(pages) == 1


def test_figures_follow_the_theme_and_are_named():
    svg = inline_svg(Picture("A <b>", drawn(), "what & why"), "f1")
    assert "A &lt;b&gt;" in svg
    assert "what &amp; why" in svg
    assert not re.search(r"#0072b2|#d55e00|#000000|#ffffff", svg, re.IGNORECASE)
    assert {"var(--blue)", "var(--vermilion)", "var(--ink)"} <= set(re.findall(r"var\(.*?\)", svg))
    assert "<style" not in svg


def test_every_colour_variable_is_set_for_light_dark_and_print():
    from gantheory.report.svg import INK, PALETTE

    css = html._read("page.css")
    for variable in {*INK.values(), *PALETTE.values()}:
        assert len(re.findall(rf"{variable}:", css)) == 3


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.33683123, 1e-5, "0.336831"),
        (-0.7127, 3e-3, "−0.7127"),
        (12345.678, 0.5, "12345.68"),
        (1e-300, None, "1e−300"),
        (6.02e23, 1e21, "6.02e23"),
        (0.0, 1e-9, "0"),
        (float("inf"), 0.0, "∞"),
        (float("nan"), None, "undetermined"),
        ("r/(1+r)", None, "r/(1+r)"),
    ],
)
def test_numbers_are_shown_with_the_digits_that_their_error_supports(value, error, text):
    assert show_number(value, error) == text


def test_a_number_is_shown_within_its_error():
    for value in (3.14159265, 2.5e-7, 123456.789, 9.9999e8):
        for error in (1e-3, 1e-6, value * 1e-3):
            shown = float(show_number(value, error).replace("−", "-"))
            assert abs(shown - value) <= max(error / 5, 1e-14 * value)
    assert show_error(float("inf")) == "± ∞"


@pytest.mark.parametrize("latex", [r"\href{javascript:alert(1)}{x}", r"\text{<b>}", r"\frac{"])
def test_unsafe_or_broken_formulas_are_shown_as_their_source(latex):
    assert mathml(latex).startswith("<code>")
    outline(mathml(latex))


def test_kl_is_one_word_and_log_has_its_space():
    shown = mathml(r"2\log 2\,\mathrm{KL}(Q\|P)")
    assert "<mi>KL</mi>" in shown
    assert '<mi>log</mi><mspace width="0.167em" /><mn>2</mn>' in shown


def test_long_arrows_have_room_on_either_side():
    for arrow in (r"\iff", r"\Longrightarrow", r"\longmapsto"):
        assert re.search(r'<mo lspace="0.278em" rspace="0.278em">.</mo>', mathml(rf"a {arrow} b"))


@pytest.mark.parametrize("name", ["hinge", "least-squares-01", "wasserstein", "f-gan-power"])
def test_formulas_beside_each_other_come_apart_between_brackets_alone(name):
    for step in derive_any(name).steps:
        parts = split_beside(step.latex)
        assert [one for one in parts if one.count("{") != one.count("}")] == []
        assert [one for one in parts if one.count(r"\left") != one.count(r"\right")] == []
        assert not [one for one in parts if mathml(one).startswith("<code")]
        together = re.sub(r",\s*\\q?quad\s*", "", step.latex)
        assert re.sub(r",\s*\\q?quad\s*", "", "".join(parts)) == together


def test_the_page_writes_infinity_in_one_way():
    verdict = Verdict("a = b", How.ASSUMED, assumptions=("f'(oo) is finite",))
    shown = html.render([outcome("an.id", verdict, How.ASSUMED)], [])
    assert "f&#39;(∞) is finite" in shown
    assert "(oo)" not in html.render(OUTCOMES, [derive("minimax")])


def test_brackets_stretch_around_what_is_tall_alone():
    flat, tall = mathml(r"\log{\left(2 \right)}"), mathml(r"\left(\frac{1}{r}\right)^{2}")
    assert (flat.count('stretchy="false"'), flat.count('stretchy="true"')) == (2, 0)
    assert (tall.count('stretchy="false"'), tall.count('stretchy="true"')) == (0, 2)


def test_combinations_keep_their_signs():
    import sympy

    a = sympy.Symbol("a", positive=True)
    shown = combination(
        {
            "kl_qp": sympy.Integer(1),
            "jsd": sympy.Integer(-2),
            "tv": 1 + a,
            "power_0.5": sympy.Rational(1, 2),
        }
    )
    assert shown == (
        r"\mathrm{KL}(Q\|P) - 2\,\mathrm{JSD}(P,Q) + \left(a + 1\right)\,\mathrm{TV}(P,Q)"
        r" + \frac{1}{2}\,D_{1/2}(P\|Q)"
    )


@pytest.mark.parametrize(
    ("left", "right", "error", "position"),
    [(1.0, 1.0, 0.1, 0.0), (1.05, 1.0, 0.1, 0.5), (1.0, 1.05, 0.1, -0.5), (9.0, 1.0, 0.1, 1.4)],
)
def test_the_gauge_shows_the_difference_in_units_of_the_error(left, right, error, position):
    found = view.gauge(Verdict("", How.MEASURED, left=left, right=right, error=error))
    assert found.position == pytest.approx(position)


@pytest.mark.parametrize("sides", [("a", 1.0), (1.0, None), (float("inf"), 1.0)])
def test_there_is_no_gauge_without_two_finite_numbers(sides):
    assert view.gauge(Verdict("", How.MEASURED, left=sides[0], right=sides[1], error=1.0)) is None


def test_the_terminal_table_shows_every_outcome_and_the_headline():
    target = io.StringIO()
    tables.print_outcomes([*OUTCOMES, WRONG], Console(file=target, width=120))
    text = target.getvalue()
    assert all(str(how) in text for how in {outcome.verdict.how for outcome in OUTCOMES})
    assert WRONG.check.id in text
    assert WRONG.verdict.counterexample in text
    assert "1 of 9 verdicts is not as it should be" in text
    assert "should be proved" in text
    assert "∞" in text


def test_formulas_have_their_full_size(page):
    formulas = re.findall("<math [^>]*>", page)
    assert formulas
    assert [tag for tag in formulas if 'displaystyle="true"' not in tag] == []


def test_the_letters_of_a_derivation_have_a_meaning_on_the_page():
    derivation = derive("minimax")
    page = unescape(html.render([], [derivation]))
    assert all(one.meaning in page for one in derivation.notation)


def test_the_report_says_first_in_plain_words_what_was_checked(page):
    every = [*OUTCOMES, WRONG]
    words = view.in_plain_words(every)
    assert words in page
    assert page.index(words) < page.index("</header>")
    for section in view.group(every):
        count = len(section.outcomes)
        assert f"{count} {view.COUNTED[section.id][count != 1]}" in words


def test_false_twins_are_counted_as_planted_errors_that_are_caught_or_not():
    twins = [o for o in OUTCOMES if o.check.expected is How.REFUTED and o.as_expected]
    (section,) = view.group(twins)
    assert view.counted(section).endswith("all caught")
    missed = outcome("missed", Verdict("1 = 2", How.PROVED), How.REFUTED)
    (section,) = view.group([*twins, missed])
    assert view.counted(section).endswith("1 not caught")


@pytest.mark.parametrize("count", [0, 1, len(OUTCOMES)])
def test_an_interrupted_run_is_headed_by_how_much_of_it_ran(count):
    planned = len(OUTCOMES) + 3
    page = html.render(OUTCOMES[:count], planned=planned)
    heading = re.search(r"<h1>(.*?)</h1>", page)[1]
    assert re.match(rf"Interrupted after {count} of {planned} checks\b", heading)
    assert re.search(rf"<title>{re.escape(heading)}", page)
    assert f"{planned - count} checks were not run" in page
    target = io.StringIO()
    tables.print_outcomes(OUTCOMES[:count], Console(file=target, width=120), planned=planned)
    assert target.getvalue().rstrip().endswith(heading)


def test_an_interrupted_check_says_so_and_leaves_with_an_error(tmp_path, monkeypatch):
    import json

    from click.testing import CliRunner

    from gantheory.cli import cli
    from gantheory.ledger import checks

    def run(chosen):
        yield OUTCOMES[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "run", run)
    ids = ("minimax.value", "minimax.loss")
    done = CliRunner().invoke(cli, ["check", *ids, "--out", str(tmp_path), "--json"])
    assert done.exit_code != 0
    said = json.loads(done.stdout.partition("\n}")[0] + "}")
    assert (said["as_expected"], said["planned"], len(said["checks"])) == (False, 2, 1)
    assert "<h1>Interrupted after 1 of 2 checks" in (tmp_path / "index.html").read_text("utf-8")


@pytest.mark.parametrize(("value", "far"), [(-2.0, True), (-0.7005, False)])
def test_a_bound_that_is_kept_is_shown_as_a_bound_and_not_as_a_disagreement(value, far):
    from gantheory.records import Estimate
    from gantheory.verify import at_least, at_most

    for decide, sign, word in ((at_most, 1, "at most"), (at_least, -1, "at least")):
        verdict = decide("a bound", Estimate(sign * value, 1e-3), Estimate(-sign * 0.7, 1e-3))
        assert verdict.holds
        assert (view.gauge(verdict) is None) is far
        assert dict(view.sides(verdict))[word] == f"{-sign * 0.7:g}".replace("-", "−")


def test_what_else_a_verdict_holds_is_labelled_and_has_neither_brackets_nor_none():
    from gantheory.inequalities.inequality import prove

    refuted = prove("jsd <= log(2)/3 * triangular")
    told = dict(view.details(refuted))
    assert {"boxes enclosed", "seconds taken", "masses of P", "masses of Q"} <= told.keys()
    assert not re.search(r"None|[\[\]']", "".join(told.values()))
    assert len(re.sub(r"\D", "", told["seconds taken"]).lstrip("0")) <= 3
    masses = told["masses of P"].split(", ")
    assert masses == list(refuted.p)


def test_the_refuted_are_counted_by_their_kind_and_add_up():
    stated = outcome("s", Verdict("1 = 2", How.REFUTED), How.REFUTED, document="A book")
    every = [*OUTCOMES, stated]
    numbers = map(int, re.findall(r"\d+", view.refutations(every)))
    assert sum(numbers) == sum(o.verdict.how is How.REFUTED for o in every)
    page = html.render([o for o in every if o.as_expected])
    assert view.refutations(every) in page
    assert page.count(view.DOCUMENT) == 1
    assert page.index('id="documents"') < page.index('data-check="s"')
