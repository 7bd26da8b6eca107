"""The f-GAN family: T maximises E_p[T] - E_q[f*(T)], in a score t that makes both elementary.

Each row comes twice: zero-sum, and with the alternative generator that maximises E_q[T]. The
claims are those of the published table as printed: its Pearson and Neyman integrals are swapped
against their f, its Jensen-Shannon row is half of what its f gives, and the f of its GAN row is
not 0 at r = 1.
"""

from dataclasses import replace

from gantheory.losses.loss import Claim, Loss, Reference

NOWOZIN_2016 = Reference(
    "S. Nowozin, B. Cseke, R. Tomioka",
    2016,
    "f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization",
    arxiv="1606.00709",
)
TABLE = "Nowozin et al. (2016), Tables 1 and 5"


# Row -> what its alternative generator follows: f''/r, of power divergences the order below.
SHIFTED = {
    "f-gan-kl": "kl_qp",
    "f-gan-reverse-kl": "neyman_chi2/2",
    "f-gan-pearson": "2*kl_pq",
    "f-gan-jsd": "2*kl_mp",
    "f-gan-gan": "2*kl_mp",
    "f-gan-tv": "tv",
}


def _alternative(row: Loss) -> Loss:
    """Return the game whose generator maximises E_q[T], T being the real payoff."""
    printed = tuple(replace(claim, f=None) for claim in row.claims)
    followed = SHIFTED.get(row.name)
    shifted = Claim("the frozen-discriminator identity g'' = f''/r", followed=followed)
    return replace(
        row,
        name=f"{row.name}-alternative",
        title=f"{row.title}, alternative generator",
        generator=f"-({row.real})",
        claims=(*printed, shifted) if followed else printed,
    )


ROWS = (
    Loss(
        name="f-gan-kl",
        title="f-GAN: KL(P‖Q)",
        real="t",
        fake="-exp(t - 1)",
        generator="-exp(t - 1)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="kl_pq",
                optimal_discriminator="1 + log(r)",
                f="r*log(r)",
            ),
        ),
    ),
    Loss(
        name="f-gan-reverse-kl",
        title="f-GAN: KL(Q‖P)",
        real="t",
        fake="1 + log(-t)",
        generator="1 + log(-t)",
        domain="(-oo, 0)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="kl_qp",
                optimal_discriminator="-1/r",
                f="-log(r)",
            ),
        ),
    ),
    Loss(
        name="f-gan-pearson",
        title="f-GAN: Pearson χ²",
        real="t",
        fake="-(t**2/4 + t)",
        generator="-(t**2/4 + t)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="neyman_chi2",
                optimal_discriminator="2*(r - 1)",
                f="(r - 1)**2",
                corrected={"value": "pearson_chi2"},
            ),
        ),
    ),
    Loss(
        name="f-gan-neyman",
        title="f-GAN: Neyman χ²",
        real="t",
        fake="2*sqrt(1 - t) - 2",
        generator="2*sqrt(1 - t) - 2",
        domain="(-oo, 1)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="pearson_chi2",
                optimal_discriminator="1 - 1/r**2",
                f="(1 - r)**2/r",
                corrected={"value": "neyman_chi2"},
            ),
        ),
    ),
    Loss(
        name="f-gan-hellinger",
        title="f-GAN: squared Hellinger",
        real="t",
        fake="-t/(1 - t)",
        generator="-t/(1 - t)",
        domain="(-oo, 1)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="2*hellinger2",
                optimal_discriminator="1 - 1/sqrt(r)",
                f="(sqrt(r) - 1)**2",
            ),
        ),
    ),
    Loss(
        name="f-gan-jeffreys",
        title="f-GAN: Jeffreys",
        real="1 + t - exp(-t)",
        fake="1 - t - exp(t)",
        generator="1 - t - exp(t)",
        link="1 + t - exp(-t)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="jeffreys",
                optimal_discriminator="1 + log(r) - 1/r",
                f="(r - 1)*log(r)",
            ),
        ),
    ),
    Loss(
        name="f-gan-jsd",
        title="f-GAN: Jensen-Shannon",
        real="log(2*D)",
        fake="log(2*(1 - D))",
        generator="log(2*(1 - D))",
        link="log(2*D)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="jsd",
                optimal_discriminator="log(2*r/(1 + r))",
                f="r*log(r) - (r + 1)*log((r + 1)/2)",
                corrected={"value": "2*jsd"},
            ),
        ),
    ),
    Loss(
        name="f-gan-gan",
        title="f-GAN: GAN",
        real="log(D)",
        fake="log(1 - D)",
        generator="log(1 - D)",
        link="log(D)",
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="2*jsd - 2*log(2)",
                optimal_discriminator="log(r/(1 + r))",
                f="r*log(r) - (r + 1)*log(r + 1)",
                corrected={"normalised": "-2*log(2)"},
            ),
        ),
    ),
    Loss(
        name="f-gan-power",
        title="f-GAN: power divergence of order α",
        real="(exp((alpha - 1)*t) - 1)/(alpha - 1)",
        fake="-(exp(alpha*t) - 1)/alpha",
        generator="-(exp(alpha*t) - 1)/alpha",
        link="(exp((alpha - 1)*t) - 1)/(alpha - 1)",
        parameters={"alpha": "(-oo, oo)"},
        typical={"alpha": "0.5"},
        reference=NOWOZIN_2016,
        claims=(
            Claim(
                TABLE,
                value="power_alpha",
                optimal_discriminator="(r**(alpha - 1) - 1)/(alpha - 1)",
                f="(r**alpha - 1 - alpha*(r - 1))/(alpha*(alpha - 1))",
            ),
        ),
    ),
    Loss(
        name="f-gan-tv",
        title="f-GAN: total variation",
        real="t",
        fake="-t",
        generator="-t",
        domain="[-1/2, 1/2]",
        reference=NOWOZIN_2016,
        claims=(Claim(TABLE, value="tv"),),
    ),
)

FGAN = tuple(loss for row in ROWS for loss in (row, _alternative(row)))
