"""Losses with margins, with a bounded score, and the exponential loss."""

from gantheory.losses.loss import Claim, Loss, Reference

LIM_YE_2017 = Reference("J. H. Lim, J. C. Ye", 2017, "Geometric GAN", arxiv="1705.02894")
ZHAO_2016 = Reference(
    "J. Zhao, M. Mathieu, Y. LeCun",
    2016,
    "Energy-based Generative Adversarial Network",
    arxiv="1609.03126",
)
ARJOVSKY_2017 = Reference(
    "M. Arjovsky, S. Chintala, L. Bottou", 2017, "Wasserstein GAN", arxiv="1701.07875"
)
NGUYEN_2009 = Reference(
    "X. Nguyen, M. J. Wainwright, M. I. Jordan",
    2009,
    "On Surrogate Loss Functions and f-Divergences",
    arxiv="math/0510521",
)

MARGIN = (
    Loss(
        name="hinge",
        title="Hinge GAN",
        aliases=("sngan", "sn-gan", "sagan", "biggan", "geometric"),
        real="-relu(1 - t)",
        fake="-relu(1 + t)",
        generator="-t",
        reference=LIM_YE_2017,
        claims=(Claim("Lim and Ye (2017), Theorem 1", value="2*tv - 2", followed="2*tv"),),
    ),
    Loss(
        name="energy-based",
        title="Energy-based GAN with margin m; t is the energy",
        aliases=("ebgan",),
        real="-t",
        fake="-relu(m - t)",
        generator="t",
        domain="[0, oo)",
        typical={"m": "1"},
        reference=ZHAO_2016,
        claims=(Claim("Arjovsky et al. (2017), Appendix", value="m*tv - m", followed="m*tv"),),
    ),
    Loss(
        name="linear",
        title="Linear GAN with D in [0, 1]",
        real="t",
        fake="-t",
        generator="-t",
        domain="[0, 1]",
        reference=ARJOVSKY_2017,
        claims=(Claim("Arjovsky et al. (2017), Appendix", value="tv", followed="tv"),),
    ),
    Loss(
        name="exponential",
        title="Exponential loss",
        real="-exp(-t)",
        fake="-exp(t)",
        generator="-exp(t)",
        reference=NGUYEN_2009,
        claims=(
            Claim(
                "Nguyen et al. (2009), Section 3",
                value="2*hellinger2 - 2",
                followed="2*hellinger2",
            ),
        ),
    ),
)
