"""The tunable α-losses and the continuous boundary-seeking loss."""

from gantheory.losses.loss import Claim, Loss, Reference

KURRI_2021 = Reference(
    "G. R. Kurri, T. Sypherd, L. Sankar",
    2021,
    "Realizing GANs via a Tunable Loss Function",
    arxiv="2106.05232",
)
WELFERT_2023 = Reference(
    "M. Welfert, K. Otstot, G. R. Kurri, L. Sankar",
    2023,
    "(α_D, α_G)-GANs: Addressing GAN Training Instabilities via Dual Objectives",
    arxiv="2302.14320",
)
HJELM_2017 = Reference(
    "R. D. Hjelm, A. P. Jacob, T. Che, A. Trischler, K. Cho, Y. Bengio",
    2017,
    "Boundary-Seeking Generative Adversarial Networks",
    arxiv="1702.08431",
)

ALPHA = (
    Loss(
        name="alpha-gan",
        title="α-GAN",
        real="alpha/(alpha - 1)*(D**((alpha - 1)/alpha) - 1)",
        fake="alpha/(alpha - 1)*((1 - D)**((alpha - 1)/alpha) - 1)",
        generator="alpha/(alpha - 1)*((1 - D)**((alpha - 1)/alpha) - 1)",
        typical={"alpha": "2"},
        reference=KURRI_2021,
        claims=(
            Claim(
                "Kurri et al. (2021), Theorem 1", optimal_discriminator="r**alpha/(1 + r**alpha)"
            ),
        ),
    ),
    Loss(
        name="dual-alpha",
        title="(α_D, α_G)-GAN",
        real="alpha_D/(alpha_D - 1)*(D**((alpha_D - 1)/alpha_D) - 1)",
        fake="alpha_D/(alpha_D - 1)*((1 - D)**((alpha_D - 1)/alpha_D) - 1)",
        generator="alpha_G/(alpha_G - 1)*((1 - D)**((alpha_G - 1)/alpha_G) - 1)",
        typical={"alpha_D": "0.5", "alpha_G": "2"},
        reference=WELFERT_2023,
        claims=(
            Claim(
                "Welfert et al. (2023), Theorem 1",
                optimal_discriminator="r**alpha_D/(1 + r**alpha_D)",
            ),
        ),
    ),
    Loss(
        name="dual-alpha-non-saturating",
        title="Non-saturating (α_D, α_G)-GAN",
        real="alpha_D/(alpha_D - 1)*(D**((alpha_D - 1)/alpha_D) - 1)",
        fake="alpha_D/(alpha_D - 1)*((1 - D)**((alpha_D - 1)/alpha_D) - 1)",
        generator="-alpha_G/(alpha_G - 1)*(D**((alpha_G - 1)/alpha_G) - 1)",
        typical={"alpha_D": "0.5", "alpha_G": "2"},
        reference=WELFERT_2023,
        claims=(
            Claim(
                "Welfert et al. (2023), Theorem 1",
                optimal_discriminator="r**alpha_D/(1 + r**alpha_D)",
            ),
        ),
    ),
    Loss(
        name="boundary-seeking",
        title="Continuous boundary-seeking GAN",
        aliases=("bgan", "bs-gan"),
        real="log(D)",
        fake="log(1 - D)",
        generator="(log(D) - log(1 - D))**2/2",
        reference=HJELM_2017,
        claims=(
            Claim(
                "Hjelm et al. (2017), Section 3.3",
                value="2*jsd - 2*log(2)",
                optimal_discriminator="r/(1 + r)",
            ),
        ),
    ),
)
