"""Beyond an unrestricted pointwise discriminator: constrained critics, pairs, discrete laws."""

from gantheory.critics.constrained import derive_critic
from gantheory.critics.record import CriticDerivation

__all__ = ["CriticDerivation", "derive_critic"]
