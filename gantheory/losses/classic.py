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

CLASSIC = (
    Loss(
        name="minimax",
        title="Minimax (saturating) GAN",
        aliases=("gan", "vanilla", "saturating", "mm-gan"),
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
            ),
        ),
    ),
    Loss(
        name="non-saturating",
        title="Non-saturating GAN",
        aliases=("ns-gan", "nsgan", "dcgan"),
        real="log(D)",
        fake="log(1 - D)",
        generator="-log(D)",
        reference=GOODFELLOW_2014,
        claims=(
            Claim(
                "Arjovsky and Bottou (2017), Theorem 2.5",
                value="2*jsd - 2*log(2)",
                followed="kl_qp - 2*jsd",
            ),
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
            ),
        ),
    ),
)
