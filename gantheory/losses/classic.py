"""The three losses of the original discriminator."""

from gantheory.losses.loss import Claim, Loss, Reference

GOODFELLOW_2014 = Reference(
    "I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, "
    "A. Courville, Y. Bengio",
    2014,
    "Generative Adversarial Networks",
    arxiv="1406.2661",
)
SONDERBY_2016 = Reference(
    "C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár",
    2016,
    "Amortised MAP Inference for Image Super-resolution",
    arxiv="1610.04490",
)

GOODFELLOW = "Goodfellow et al. (2014), Proposition 1"
LEVANS = "Levans' workshop, Some thoughts on the objective functions of GANs"
VANISHING = "Arjovsky and Bottou (2017), Theorem 2.4"
FOLLOWED = "the frozen-discriminator identity g''(r) = −h'(r)/r with h(r) = c(t*(r))"

STANDARD = ("sgan", "standard-gan")  # which papers say of both generators

CLASSIC = (
    Loss(
        name="minimax",
        title="Minimax (saturating) GAN",
        aliases=("gan", "vanilla", "saturating", "mm-gan", *STANDARD),
        real="log(D)",
        fake="log(1 - D)",
        generator="log(1 - D)",
        reference=GOODFELLOW_2014,
        claims=(
            Claim(
                "Goodfellow et al. (2014), Proposition 1 and Theorem 1",
                optimal_discriminator="r/(1 + r)",
                value="2*jsd - 2*log(2)",
                followed="2*jsd",
                equilibrium="1/2",
                discriminator_loss="2*log(2)",
                generator_loss="-log(2)",
                laws=("second-order",),
            ),
            Claim(LEVANS, loss="kl_qm - log(2)"),
            Claim(
                f"{LEVANS}, read as what training minimises",
                followed="kl_qm",
                corrected={"followed": "2*jsd"},
            ),
            Claim(VANISHING, disjoint="2*log(2)", laws=("vanishing",)),
            Claim(FOLLOWED, laws=("is-divergence", "equality")),
        ),
    ),
    Loss(
        name="non-saturating",
        title="Non-saturating GAN",
        aliases=("ns-gan", "nsgan", "dcgan", "stylegan", "stylegan2", *STANDARD),
        real="log(D)",
        fake="log(1 - D)",
        generator="-log(D)",
        reference=GOODFELLOW_2014,
        claims=(
            Claim(
                "Arjovsky and Bottou (2017), Theorem 2.5",
                value="2*jsd - 2*log(2)",
                followed="kl_qp - 2*jsd",
                laws=("not-vanishing",),
            ),
            Claim(
                GOODFELLOW,
                optimal_discriminator="r/(1 + r)",
                equilibrium="1/2",
                discriminator_loss="2*log(2)",
                generator_loss="log(2)",
                laws=("second-order",),
            ),
            Claim(LEVANS, loss="kl_qp - kl_qm + log(2)"),
            Claim(
                "folklore: 'a GAN minimises JSD'",
                followed="2*jsd",
                corrected={"followed": "2*kl_mp"},
            ),
            Claim(FOLLOWED, laws=("is-divergence", "equality")),
        ),
    ),
    Loss(
        name="reverse-kl",
        title="Log-odds generator, −log(D/(1−D))",
        aliases=("log-odds", "log-d-trick"),
        real="log(D)",
        fake="log(1 - D)",
        generator="-log(D/(1 - D))",
        reference=SONDERBY_2016,
        claims=(
            Claim(
                "Sønderby et al. (2016), Section 3.2",
                value="2*jsd - 2*log(2)",
                loss="kl_qp",
                followed="kl_qp",
                laws=("not-vanishing",),
            ),
            Claim(
                GOODFELLOW,
                optimal_discriminator="r/(1 + r)",
                equilibrium="1/2",
                discriminator_loss="2*log(2)",
                generator_loss="0",
                laws=("second-order",),
            ),
            Claim(FOLLOWED, laws=("is-divergence", "equality")),
        ),
    ),
)
