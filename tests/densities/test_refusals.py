"""Wrong inputs are refused in one short line about the thing at hand; arrays are never dumped."""

import numpy as np
import pytest

import gantheory as gt

LONG = np.arange(500.0)
SQUARE = np.random.default_rng(0).normal(size=(60, 60))
PART = np.array([0.5, 0.5])
HIDDEN = np.ma.array(PART, mask=[False, True])

WRONG = {
    "a covariance that is not symmetric": (
        lambda: gt.density("normal_nd", loc=np.zeros(60), cov=SQUARE), "symmetric, 60 by 60"),
    "a covariance of another size": (
        lambda: gt.density("normal_nd", loc=LONG, cov=np.eye(3)), "symmetric, 500 by 500"),
    "a ragged covariance": (
        lambda: gt.density("normal_nd", loc=(0, 0), cov=((1, 0), (0,))), "symmetric, 2 by 2"),
    "too many coordinates": (lambda: gt.density("normal_2d_iso", loc=LONG), "must be 2 numbers"),
    "modes that are not there": (lambda: gt.density("ring_mixture_2d", keep=LONG), "indices"),
    "a matrix of masses": (lambda: gt.density("discrete", masses=SQUARE), "list of numbers"),
    "a word as long as a book": (lambda: gt.density("normal", loc="x" * 999), "is not a number"),
    "a table": (lambda: gt.density("normal", loc={"a": LONG}), "is not a number"),
    "complex numbers": (lambda: gt.density("normal", loc=LONG + 1j), "real, not complex"),
    "complex masses": (lambda: gt.density("discrete", masses=PART + 0j), "real, not complex"),
    "a complex covariance": (
        lambda: gt.density("normal_nd", loc=(0, 0), cov=np.eye(2) + 0j), "real, not complex"),
    "masked masses": (lambda: gt.density("discrete", masses=HIDDEN), "masses is masked"),
    "masked places": (lambda: gt.density("normal", loc=HIDDEN, scale=1), "loc is masked"),
    "a masked density": (lambda: gt.density(([0.0, 2.0], HIDDEN)), "pdf is masked"),
    "an image of numbers": (
        lambda: gt.density("affine", base=LONG, loc=0, scale=1), "no density on the line"),
    "a parameter that is an array": (
        lambda: gt.divergence("jsd", "normal(0, 1)", "normal(0, 1)", wrt=LONG), "wrt=<array of"),
    "a method that is an array": (
        lambda: gt.divergence("jsd", "normal(0, 1)", "normal(0, 1)", method=LONG), "method"),
    "a unit that is an array": (
        lambda: gt.divergence("jsd", "normal(0, 1)", "normal(0, 1)", unit=LONG), "unit"),
    "a name that is an array": (lambda: gt.divergence(LONG, LONG, LONG), "is no divergence"),
    "other dimensions": (lambda: gt.divergence("w1", SQUARE, LONG), "differ in dimension"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_input_is_one_short_line_about_itself(what):
    call, said = WRONG[what]
    with pytest.raises(gt.GantheoryError, match=said) as caught:
        call()
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("normal(0, -1)", "scale=-1 must be positive"), ("normal(0, 0)", "must be positive"),
     ("normal(0, 1e200)", "must be less than 1e+150"), ("beta(0, 1)", "a=0 must be positive"),
     ("normal(inf, 1)", "must be finite"), ("weibull(-2, 1)", "shape=-2 must be positive"),
     ("geometric(2)", "p=2 must be less than 1"), ("zipf(1)", "must be greater than 1.001"),
     ("binomial(2.5, 0.5)", "must be a whole number"), ("poisson(-3)", "rate=-3 must be positive"),
     ("binomial(-2, 0.5)", "must be a positive whole number")],
)  # fmt: skip
def test_a_number_out_of_range_is_told_what_it_must_be_in_plain_words(text, wanted):
    with pytest.raises(gt.GantheoryError) as refused:
        gt.divergence("jsd", text, "normal(0, 1)")
    assert wanted in str(refused.value)
    assert "1e-150" not in str(refused.value)
