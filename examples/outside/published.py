"""Two faults as they stand in public code."""

import torch
import torch.nn.functional as F


def gradient_penalty(discriminator, real_data, fake_data):
    """WGAN-GP, but the norm is that of each pixel's channels, not that of the sample."""
    shape = (real_data.size(0), *[1] * (real_data.dim() - 1))
    share = torch.rand(shape, dtype=real_data.dtype)
    between = (share * real_data + (1 - share) * fake_data).detach().requires_grad_()
    scores = discriminator(between)
    (slope,) = torch.autograd.grad(
        scores, between, torch.ones_like(scores), create_graph=True, retain_graph=True
    )
    return 10.0 * ((slope.norm(2, dim=1) - 1) ** 2).mean()


def g_loss(fake):
    """The non-saturating loss, but with the label of fakes."""
    return F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
