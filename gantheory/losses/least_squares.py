"""Least squares: label a for fake, b for real, and the generator's target c."""

from gantheory.losses.loss import Claim, Loss, Reference

MAO_2017 = Reference(
    "X. Mao, Q. Li, H. Xie, R. Y. K. Lau, Z. Wang, S. P. Smolley",
    2017,
    "Least Squares Generative Adversarial Networks",
    arxiv="1611.04076",
)

LEAST_SQUARES = (
    Loss(
        name="least-squares",
        title="Least squares GAN with labels a < b and target c",
        real="-(t - b)**2/2",
        fake="-(t - a)**2/2",
        generator="(t - c)**2/2",
        parameters={"a": "(-oo, oo)", "b": "(a, oo)", "c": "(-oo, oo)"},
        typical={"a": "0", "b": "1", "c": "1"},
        reference=MAO_2017,
        claims=(Claim("Mao et al. (2017), Equation 5", optimal_discriminator="(a + b*r)/(1 + r)"),),
    ),
    Loss(
        name="least-squares-01",
        title="Least squares GAN, 0-1 coding",
        aliases=("lsgan", "ls-gan", "cyclegan"),
        real="-(t - 1)**2/2",
        fake="-t**2/2",
        generator="(t - 1)**2/2",
        reference=MAO_2017,
        claims=(Claim("Mao et al. (2017), Equation 5", optimal_discriminator="r/(1 + r)"),),
    ),
    Loss(
        name="least-squares-pearson",
        title="Least squares GAN, (−1, 1, 0) coding",
        real="-(t - 1)**2/2",
        fake="-(t + 1)**2/2",
        generator="t**2/2",
        reference=MAO_2017,
        claims=(
            Claim(
                "Mao et al. (2017), Equation 8: Pearson χ² between p + q and 2q",
                optimal_discriminator="(r - 1)/(1 + r)",
                followed="triangular/2",
                corrected={"followed": "no divergence"},
            ),
            Claim(
                "Mao et al. (2017), Equation 8, of what D* reports",
                value="triangular/2 - 1",
            ),
        ),
    ),
)
