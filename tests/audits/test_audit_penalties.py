"""Gradient penalties are read by critics of known slope, and their faults are named."""

import contextlib
import io

import pytest
import torch
import torch.nn.functional as F

import gantheory as gt


def gradient(D, x, **how):
    (found,) = torch.autograd.grad(D(x).sum(), x, create_graph=how.get("create_graph", True))
    return found


def between(real, fake):
    weight = torch.rand(len(real), *[1] * (real.dim() - 1))
    return (weight * real + (1 - weight) * fake).requires_grad_(True)


def gradient_penalty(D, real, fake, lambda_gp=10.0):
    slopes = gradient(D, between(real, fake)).flatten(1).norm(2, dim=1)
    return lambda_gp * ((slopes - 1) ** 2).mean()


def gradient_penalty_dim1(D, real, fake):
    return ((gradient(D, between(real, fake)).norm(2, dim=1) - 1) ** 2).mean()


def gradient_penalty_batch(D, real, fake):
    return (gradient(D, between(real, fake)).norm() - 1) ** 2


def gradient_penalty_detached(D, real, fake):
    slopes = gradient(D, between(real, fake), create_graph=False).flatten(1).norm(2, dim=1)
    return ((slopes - 1) ** 2).mean()


def gradient_penalty_sum(D, real, fake):
    slopes = gradient(D, between(real, fake)).flatten(1).norm(2, dim=1)
    return ((slopes - 1) ** 2).sum()


def gradient_penalty_one_sided(D, real, fake):
    slopes = gradient(D, between(real, fake)).flatten(1).norm(2, dim=1)
    return (F.relu(slopes - 1) ** 2).mean()


def d_r1_loss(real_pred, real_img):
    (found,) = torch.autograd.grad(real_pred.sum(), real_img, create_graph=True)
    return found.pow(2).flatten(1).sum(1).mean()


def r1_of_the_loss(D, real_img):
    x = real_img.requires_grad_()
    (found,) = torch.autograd.grad(F.softplus(-D(x)).sum(), x, create_graph=True)
    return found.pow(2).flatten(1).sum(1).mean()


def r2_penalty(D, fake):
    return 2.5 * gradient(D, fake.requires_grad_()).pow(2).flatten(1).sum(1).mean()


def penalty_of_balanced_labels(D, z, labels):
    x = z.requires_grad_()
    (found,) = torch.autograd.grad(torch.softmax(D(x), 1)[:, labels].sum(), x, create_graph=True)
    return found.flatten(1).norm(2, dim=1).mean()


def penalty_of_own_labels(D, z, labels):
    x = z.requires_grad_()
    own = torch.softmax(D(x), 1)[torch.arange(len(labels)), labels].sum()
    (found,) = torch.autograd.grad(own, x, create_graph=True)
    return found.flatten(1).norm(2, dim=1).mean()


@pytest.mark.parametrize(
    ("penalty", "target", "weight", "kinds"),
    [
        (gradient_penalty, 1.0, 10.0, ()),
        (gradient_penalty_one_sided, 1.0, 1.0, ()),
        (gradient_penalty_sum, 1.0, 1.0, ("reduction",)),
        (d_r1_loss, 0.0, 2.0, ()),
        (r2_penalty, 0.0, 5.0, ()),
        (gradient_penalty_dim1, None, None, ("penalty-norm",)),
        (gradient_penalty_batch, 1.0, 1.0, ("batch-penalty",)),
        (gradient_penalty_detached, 1.0, 1.0, ("detached-penalty",)),
        (r1_of_the_loss, None, None, ("penalty-through-loss",)),
        (penalty_of_balanced_labels, None, 0.0, ("constant-penalty",)),
        (penalty_of_own_labels, None, None, ()),
    ],
)
def test_a_penalty_is_read_and_its_fault_named(penalty, target, weight, kinds):
    found = gt.audit(penalty)
    assert found.kinds == kinds
    assert found.penalty["target"] == target
    assert found.penalty["weight"] == (None if weight is None else pytest.approx(weight, rel=1e-6))
    said = io.StringIO()
    for finding in found.findings:
        with contextlib.redirect_stdout(said):
            exec(compile(finding.evidence, "evidence", "exec"), {penalty.__name__: penalty})
    assert bool(said.getvalue()) == bool(kinds)


def test_a_penalty_says_where_it_is_taken():
    places = {gradient_penalty: "between", d_r1_loss: "real", r2_penalty: "fake"}
    for penalty, place in places.items():
        assert place in gt.audit(penalty).details["penalty"]["at"]
