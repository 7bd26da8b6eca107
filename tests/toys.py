"""A small pair of networks with layers that keep something from call to call."""

import torch
from torch import nn


def networks(seed=0, dim=2):
    torch.manual_seed(seed)
    maker = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, dim))
    critic = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Linear(dim, 8)), nn.Dropout(0.2), nn.Tanh(),
        nn.Linear(8, 1),
    )  # fmt: skip
    return maker, critic
