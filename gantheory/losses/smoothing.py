"""The original discriminator with smoothed labels, unequal class priors, or a guarded logarithm."""

from gantheory.losses.loss import Claim, Loss, Reference

SALIMANS_2016 = Reference(
    "T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen",
    2016,
    "Improved Techniques for Training GANs",
    arxiv="1606.03498",
)
HUSZAR_2015 = Reference(
    "F. Huszár",
    2015,
    "How (not) to Train your Generative Model: Scheduled Sampling, Likelihood, Adversary?",
    arxiv="1511.05101",
)
KANG_2022 = Reference(
    "M. Kang, J. Shin, J. Park",
    2022,
    "StudioGAN: A Taxonomy and Benchmark of GANs for Image Synthesis",
    arxiv="2206.09479",
)

ONE_SIDED = (Claim("Salimans et al. (2016), Section 3.4", optimal_discriminator="a*r/(1 + r)"),)
TWO_SIDED = (
    Claim("Salimans et al. (2016), Section 3.4", optimal_discriminator="(a*r + b)/(1 + r)"),
)

SMOOTHING = (
    Loss(
        name="one-sided-smoothing",
        title="Minimax GAN, real labels smoothed to a",
        real="a*log(D) + (1 - a)*log(1 - D)",
        fake="log(1 - D)",
        generator="log(1 - D)",
        parameters={"a": "(0, 1)"},
        typical={"a": "0.9"},
        reference=SALIMANS_2016,
        claims=ONE_SIDED,
    ),
    Loss(
        name="one-sided-smoothing-non-saturating",
        title="Non-saturating GAN, real labels smoothed to a",
        real="a*log(D) + (1 - a)*log(1 - D)",
        fake="log(1 - D)",
        generator="-log(D)",
        parameters={"a": "(0, 1)"},
        typical={"a": "0.9"},
        reference=SALIMANS_2016,
        claims=ONE_SIDED,
    ),
    Loss(
        name="two-sided-smoothing",
        title="Minimax GAN, labels smoothed to a and b",
        real="a*log(D) + (1 - a)*log(1 - D)",
        fake="b*log(D) + (1 - b)*log(1 - D)",
        generator="b*log(D) + (1 - b)*log(1 - D)",
        parameters={"a": "(0, 1)", "b": "(0, a)"},
        typical={"a": "0.9", "b": "0.1"},
        reference=SALIMANS_2016,
        claims=TWO_SIDED,
    ),
    Loss(
        name="two-sided-smoothing-non-saturating",
        title="Non-saturating GAN, labels smoothed to a and b",
        real="a*log(D) + (1 - a)*log(1 - D)",
        fake="b*log(D) + (1 - b)*log(1 - D)",
        generator="-log(D)",
        parameters={"a": "(0, 1)", "b": "(0, a)"},
        typical={"a": "0.9", "b": "0.1"},
        reference=SALIMANS_2016,
        claims=TWO_SIDED,
    ),
    Loss(
        name="class-priors",
        title="Minimax GAN, a share π of the batch real",
        real="prior*log(D)",
        fake="(1 - prior)*log(1 - D)",
        generator="(1 - prior)*log(1 - D)",
        parameters={"prior": "(0, 1)"},
        typical={"prior": "0.3"},
        reference=HUSZAR_2015,
        claims=(
            Claim(
                "Huszár (2015), Section 3",
                optimal_discriminator="prior*r/(prior*r + 1 - prior)",
            ),
        ),
    ),
    Loss(
        name="non-saturating-epsilon",
        title="Non-saturating GAN, −log(D + ε)",
        real="log(D)",
        fake="log(1 - D)",
        generator="-log(D + eps)",
        typical={"eps": "0.01"},
        reference=KANG_2022,
    ),
)
