"""The kit's checks name the first difference in words, and the plugin turns an audit into tests."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gantheory.testing import check_divergence, check_gradient_penalty, check_losses

pytest_plugins = ["pytester"]


def d_loss(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def g_loss(fake):
    return F.softplus(-fake).mean()


def test_a_right_pair_of_losses_passes():
    assert check_losses(d_loss, g_loss, "non-saturating").recovered


@pytest.mark.parametrize(
    ("d", "g", "said"),
    [
        (lambda real, fake: 0.5 * d_loss(real, fake), g_loss, "0.5 times"),
        (lambda real, fake: d_loss(fake, real), g_loss, "exchanged"),
        (lambda real, fake: -d_loss(real, fake), g_loss, "wrong sign"),
        (d_loss, lambda fake: F.softplus(fake).mean(), "label is exchanged"),
        (d_loss, lambda fake: -torch.log(torch.sigmoid(fake) + 1e-8).mean(), "epsilon"),
        (lambda real, fake: d_loss(real, fake), lambda fake: F.softplus(-fake).sum(), "reduc"),
        (
            lambda real, fake: (
                F.binary_cross_entropy_with_logits(real, torch.full_like(real, 0.9))
                + F.softplus(fake).mean()
            ),
            g_loss,
            "its labels differ",
        ),
        (
            lambda real, fake: d_loss(real, fake),
            lambda fake: -torch.log(torch.sigmoid(fake)).mean(),
            "score -100 has the value inf",
        ),
        (d_loss, lambda fake: -F.softplus(-fake).mean(), "wrong sign"),
        (d_loss, lambda fake: 0.5 * F.softplus(-fake).mean(), "0.5 times"),
    ],
)
def test_a_difference_of_losses_is_named(d, g, said):
    with pytest.raises(AssertionError, match=said):
        check_losses(d, g, "non-saturating")


def r1(D, real_images):
    x = real_images.requires_grad_()
    (found,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return 5.0 * found.pow(2).flatten(1).sum(1).mean()


def test_a_penalty_is_checked_for_target_and_weight():
    check_gradient_penalty(r1, target=0.0, weight=10.0)
    with pytest.raises(AssertionError, match=r"weight is 10.0, not 20.0: a factor 0\.5"):
        check_gradient_penalty(r1, weight=20.0)
    check_gradient_penalty(r1, at="real")
    with pytest.raises(AssertionError, match="taken real, not fake: its arguments are exchanged"):
        check_gradient_penalty(r1, at="fake")
    with pytest.raises(AssertionError, match="wrong-sign: the penalty is negative"):
        check_gradient_penalty(lambda D, real_images: -r1(D, real_images))
    with pytest.raises(AssertionError, match=r"reduction: the penalty is summed|batch-penalty"):
        check_gradient_penalty(lambda D, real_images: len(real_images) * r1(D, real_images))
    with pytest.raises(AssertionError, match=r"no weight\*\(slope - target\)\^2 is the penalty"):
        check_gradient_penalty(lambda D, real_images: (r1(D, real_images) + 0.1).sqrt(), target=0.0)


def kl(p, q):
    inside = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[inside] * np.log(p[inside] / q[inside])))


def jsd(p, q):
    return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2


def test_a_right_divergence_passes():
    check_divergence(kl, "kl_pq", tolerance=1e-6)
    check_divergence(jsd, "jsd", tolerance=1e-2)


@pytest.mark.parametrize(
    ("function", "name", "said"),
    [
        (lambda p, q: kl(q, p), "kl_pq", "arguments are exchanged"),
        (lambda p, q: 2 * jsd(p, q), "jsd", "2 times"),
        (lambda p, q: kl(p, q) / np.log(2), "kl_pq", "base being 2"),
        (lambda p, q: kl(p, q) + 0.1, "kl_pq", "of equal laws"),
        (lambda p, q: kl(p + 1e-3, q + 1e-3), "kl_pq", "as with an epsilon inside"),
        (lambda p, q: -kl(p, q), "kl_pq", "a sign"),
        (lambda p, q: kl(p, q) / len(p), "kl_pq", "the mean over outcomes"),
        (lambda p, q: jsd(p, q) ** 0.5, "jsd", "its square root"),
        (lambda p, q: jsd(p, q) if abs(p - q).max() > 1e-6 else 0.0, "jsd", "digits are lost"),
    ],
)
def test_a_wrong_divergence_is_named(function, name, said):
    with pytest.raises(AssertionError, match=said):
        check_divergence(function, name, tolerance=1e-8)


def test_an_audit_becomes_tests(pytester):
    pytester.makepyfile(
        losses="""
        import torch.nn.functional as F
        def hinge_d_loss(real, fake): return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        def hinge_g_loss(fake): return fake.mean()
        """
    )
    done = pytester.runpytest_subprocess("--gantheory-audit", "losses.py:hinge_d_loss")
    outcome = done.parseoutcomes()
    assert outcome["failed"] == 1
    assert outcome["passed"] >= 20
    done.stdout.fnmatch_lines(["*wrong sign*"])
