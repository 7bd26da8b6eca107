"""Critics under a constraint and payoffs on pairs: games whose optimum is not pointwise in r."""

from __future__ import annotations

from dataclasses import dataclass

from gantheory.losses.loss import Claim, Reference


@dataclass(frozen=True)
class Critic:
    """A game that a payoff on the raw score alone does not define.

    Attributes:
        name: identifier, as typed on the command line.
        title: the loss's usual name.
        objective: what the discriminator f maximises.
        constraint: the class that f is from, or the penalty.
        generator: what the generator minimises.
        reference: where it was published.
        claims: what publications say of it, to be checked.
        aliases: what else people call it.
    """

    name: str
    title: str
    objective: str
    constraint: str
    generator: str
    reference: Reference
    claims: tuple[Claim, ...] = ()
    aliases: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the definition, for printing and JSON."""
        shown = ("name", "title", "objective", "constraint", "generator")
        return {field: getattr(self, field) for field in shown}


MEANS = "E_p[f(x)] - E_q[f(x)]"
MINUS = "-E_q[f(x)]"

CONSTRAINED = (
    Critic(
        "wasserstein",
        "Wasserstein GAN",
        MEANS,
        "f is 1-Lipschitz",
        MINUS,
        Reference(
            "M. Arjovsky, S. Chintala, L. Bottou", 2017, "Wasserstein GAN", arxiv="1701.07875"
        ),
        (Claim("Arjovsky, Chintala and Bottou (2017)", value="w1"),),
        aliases=("wgan",),
    ),
    Critic(
        "wgan-gp",
        "Wasserstein GAN with gradient penalty, on two points at distance d",
        f"{MEANS} - lambda*E[(|f'| - 1)^2]",
        "any differentiable f; the penalty is averaged over the segment between x and y",
        MINUS,
        Reference(
            "I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville",
            2017,
            "Improved Training of Wasserstein GANs",
            arxiv="1704.00028",
        ),
        (Claim("the common reading of the penalised critic's value as W1", value="w1"),),
        aliases=("wgangp", "gradient-penalty"),
    ),
    Critic(
        "mmd",
        "MMD GAN with a Gaussian kernel",
        MEANS,
        "f is in the unit ball of the kernel's Hilbert space",
        MINUS,
        Reference(
            "C.-L. Li, W.-C. Chang, Y. Cheng, Y. Yang, B. Póczos",
            2017,
            "MMD GAN: Towards Deeper Understanding of Moment Matching Network",
            arxiv="1705.08584",
        ),
        aliases=("mmd-gan",),
    ),
    Critic(
        "cramer",
        "Cramér GAN (energy distance)",
        MEANS,
        "f is in the unit ball of the energy kernel's Hilbert space",
        MINUS,
        Reference(
            "M. G. Bellemare, I. Danihelka, W. Dabney, S. Mohamed, B. Lakshminarayanan, "
            "S. Hoyer, R. Munos",
            2017,
            "The Cramer Distance as a Solution to Biased Wasserstein Gradients",
            arxiv="1705.10743",
        ),
        (
            Claim(
                "Bellemare et al. (2017), the energy distance as the value's square",
                value="sqrt(integral(2*(F_p - F_q)**2))",
            ),
        ),
        aliases=("cramer-gan", "energy-distance"),
    ),
    Critic(
        "fisher",
        "Fisher GAN",
        MEANS,
        "E_m[f(x)^2] <= 1 under m = (p + q)/2",
        MINUS,
        Reference("Y. Mroueh, T. Sercu", 2017, "Fisher GAN", arxiv="1705.09675"),
        (Claim("Mroueh and Sercu (2017)", value="sqrt(2*triangular)"),),
        aliases=("fisher-gan",),
    ),
    Critic(
        "sobolev",
        "Sobolev GAN in one dimension",
        MEANS,
        "E_mu[f'(x)^2] <= 1 for a density mu that is positive between the supports",
        MINUS,
        Reference(
            "Y. Mroueh, C.-L. Li, T. Sercu, A. Raj, Y. Cheng",
            2017,
            "Sobolev GAN",
            arxiv="1711.04894",
        ),
        (Claim("Mroueh et al. (2017)", value="sqrt(integral((F_p - F_q)**2/mu))"),),
        aliases=("sobolev-gan",),
    ),
    Critic(
        "relativistic",
        "Relativistic paired GAN",
        "E_{x~p, y~q}[log sigmoid(C(x) - C(y))]",
        "C is any function of one sample",
        "-E_{x~p, y~q}[log sigmoid(C(y) - C(x))]",
        Reference(
            "A. Jolicoeur-Martineau",
            2018,
            "The relativistic discriminator: a key element missing from standard GAN",
            arxiv="1807.00734",
        ),
        aliases=("rgan", "rpgan", "rsgan"),
    ),
    Critic(
        "relativistic-average",
        "Relativistic average GAN",
        "E_p[log sigmoid(C(x) - E_q C)] + E_q[log(1 - sigmoid(C(y) - E_p C))]",
        "C is any function of one sample",
        "-E_p[log(1 - sigmoid(C(x) - E_q C))] - E_q[log sigmoid(C(y) - E_p C)]",
        Reference(
            "A. Jolicoeur-Martineau",
            2018,
            "The relativistic discriminator: a key element missing from standard GAN",
            arxiv="1807.00734",
        ),
        aliases=("ragan", "rasgan"),
    ),
    Critic(
        "conditional",
        "Conditional GAN",
        "E_{p(x, y)}[log D(x, y)] + E_{q(x, y)}[log(1 - D(x, y))]",
        "D is any function of the pair of sample x and label y",
        "E_{q(x, y)}[log(1 - D(x, y))]",
        Reference(
            "M. Mirza, S. Osindero", 2014, "Conditional Generative Adversarial Nets",
            arxiv="1411.1784",
        ),
        (Claim("Goodfellow et al. (2014), theorem 1, read on pairs", value="2*jsd - 2*log(2)"),),
        aliases=("cgan",),
    ),
)  # fmt: skip
