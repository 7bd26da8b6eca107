"""The losses of an outside project: a criterion for both players, and R1."""

import torch
import torch.nn.functional as F
from torch import nn


class GANLoss(nn.Module):
    """The logistic loss, with labels in buffers; the generator's is non-saturating."""

    def __init__(self):
        super().__init__()
        self.register_buffer("real_label", torch.tensor(1.0))
        self.register_buffer("fake_label", torch.tensor(0.0))

    def forward(self, prediction, target_is_real):
        label = self.real_label if target_is_real else self.fake_label
        return F.binary_cross_entropy_with_logits(prediction, label.expand_as(prediction))


def d_loss(real, fake):
    criterion = GANLoss()
    return criterion(real, True) + criterion(fake, False)


def g_loss(fake):
    return GANLoss()(fake, True)


def r1_penalty(discriminator, real_images):
    images = real_images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return 5.0 * slope.pow(2).flatten(1).sum(1).mean()
