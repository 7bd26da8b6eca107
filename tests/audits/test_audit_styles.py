"""A sample of the catalogue in ten styles; run ``audit_styles.py`` beside it to audit it all."""

import pytest
from audit_styles import TEMPLATES, allowed, expected, numbered, styles

import gantheory as gt
from gantheory.losses import CATALOGUE

NAMES = ("class-priors", "least-squares", "f-gan-jsd", "energy-based", "exponential")
SAMPLE = dict(zip(NAMES, list(TEMPLATES)[1::3], strict=True))


@pytest.mark.parametrize("name", SAMPLE)
def test_a_loss_is_recognised_in_any_style_without_a_false_finding(name):
    loss = numbered(CATALOGUE[name])
    found = gt.audit(*dict(styles(loss))[SAMPLE[name]])
    assert found.recovered, found.reasons
    assert found.equals is not None
    assert found.equals.loss == expected(loss)
    assert not allowed(loss, found.kinds)
