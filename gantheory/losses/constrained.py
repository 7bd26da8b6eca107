"""The catalogue of critics under a constraint, and of payoffs that compare samples."""

from __future__ import annotations

from gantheory.losses.critic import Averages, Critic, Expectations, Functional, Pairs
from gantheory.losses.function_classes import (
    AnyFunction,
    GradientMoment,
    GradientPenalty,
    KernelBall,
    SecondMoment,
    Slope,
)
from gantheory.losses.loss import Claim, Reference

MEANS = Expectations("t", "-t")
MINUS = "-t"

CONSTRAINED = (
    Critic(
        "wasserstein",
        "Wasserstein GAN",
        MEANS,
        Slope("1"),
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
        MEANS,
        GradientPenalty("lambda", target="1"),
        MINUS,
        Reference(
            "I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville",
            2017,
            "Improved Training of Wasserstein GANs",
            arxiv="1704.00028",
        ),
        (
            Claim(
                "the common reading of the penalised critic's value as W1",
                value="w1",
                corrected={"value": "d**2/(4*lambda) + d"},
            ),
        ),
        aliases=("wgangp", "gradient-penalty"),
    ),
    Critic(
        "mmd",
        "MMD GAN with a Gaussian kernel",
        MEANS,
        KernelBall("exp(-(x - y)**2/(2*ell**2))"),
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
        KernelBall("-abs(x - y)"),
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
        SecondMoment("(p + q)/2"),
        MINUS,
        Reference("Y. Mroueh, T. Sercu", 2017, "Fisher GAN", arxiv="1705.09675"),
        (Claim("Mroueh and Sercu (2017)", value="sqrt(2*triangular)"),),
        aliases=("fisher-gan",),
    ),
    Critic(
        "sobolev",
        "Sobolev GAN in one dimension",
        MEANS,
        GradientMoment("mu"),
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
        Pairs("log(sigmoid(t))"),
        AnyFunction("x"),
        "-log(sigmoid(-t))",
        Reference(
            "A. Jolicoeur-Martineau",
            2018,
            "The relativistic discriminator: a key element missing from standard GAN",
            arxiv="1807.00734",
        ),
        aliases=("rgan", "rpgan", "rsgan", "r3gan"),
    ),
    Critic(
        "relativistic-average",
        "Relativistic average GAN",
        Averages("log(sigmoid(t))", "log(1 - sigmoid(t))"),
        AnyFunction("x"),
        "-log(sigmoid(t))",
        Reference(
            "A. Jolicoeur-Martineau",
            2018,
            "The relativistic discriminator: a key element missing from standard GAN",
            arxiv="1807.00734",
        ),
        aliases=("ragan", "rasgan"),
        generator_on_real="-log(1 - sigmoid(t))",
    ),
    Critic(
        "conditional",
        "Conditional GAN",
        Expectations("log(D)", "log(1 - D)"),
        AnyFunction("x, y"),
        "log(1 - D)",
        Reference(
            "M. Mirza, S. Osindero", 2014, "Conditional Generative Adversarial Nets",
            arxiv="1411.1784",
        ),
        (Claim("Goodfellow et al. (2014), theorem 1, read on pairs", value="2*jsd - 2*log(2)"),),
        aliases=("cgan",),
    ),
    Critic(
        "donsker-varadhan",
        "Donsker-Varadhan bound, as a game",
        Functional("E_p(t) - log(E_q(exp(t)))"),
        AnyFunction("x"),
        "E_p(t) - log(E_q(exp(t)))",
        Reference(
            "M. I. Belghazi, A. Baratin, S. Rajeswar, S. Ozair, Y. Bengio, A. Courville, "
            "R. D. Hjelm",
            2018,
            "Mutual Information Neural Estimation",
            arxiv="1801.04062",
        ),
        (Claim("Donsker and Varadhan (1983)", value="kl_pq"),),
        aliases=("dv", "mutual-information-neural-estimation"),
    ),
    Critic(
        "softmax",
        "Softmax GAN",
        Functional("E_p(t) - log(E_p(exp(t)) + E_q(exp(t)))"),
        AnyFunction("x"),
        "log(E_p(exp(t)) + E_q(exp(t))) - (E_p(t) + E_q(t))/2",
        Reference("M. Lin", 2017, "Softmax GAN", arxiv="1704.06191"),
        aliases=("softmax-gan",),
    ),
)  # fmt: skip
