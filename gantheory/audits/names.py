"""What the names in somebody's code say: which player, which side, which loss."""

from __future__ import annotations

import re

DISCRIMINATOR = frozenset(
    ["d", "dis", "disc", "discr", "discrim", "discriminator", "discriminators", "critic", "crit",
     "netd", "adversary"]
)  # fmt: skip
GENERATOR = frozenset(["g", "gen", "generator", "generators", "netg"])
REAL = frozenset(
    ["real", "reals", "true", "pos", "positive", "dx", "fx", "dr", "r", "realpred", "expert",
     "demo", "demonstration", "source", "src", "gt", "exp"]
)  # fmt: skip
FAKE = frozenset(
    [
        "fake",
        "fakes",
        "false",
        "policy",
        "pi",
        "agent",
        "learner",
        "tgt",
        "generated",
        "gen",
        "synth",
        "synthetic",
        "synthesized",
        "neg",
        "negative",
        "dgz",
        "fgz",
        "gz",
        "dg",
        "gg",
        "g",
        "f",
        "hat",
    ]
)
SCORE = frozenset(
    [
        "pred",
        "preds",
        "prediction",
        "predictions",
        "input",
        "inputs",
        "output",
        "outputs",
        "logit",
        "logits",
        "score",
        "scores",
        "x",
        "out",
        "outs",
        "disc",
        "d",
        "critic",
        "value",
        "values",
        "validity",
    ]
)
FLAGS = frozenset(
    ["target_is_real", "is_real", "target_real", "is_target_real", "real_target", "real_flag"]
)
TARGETS = frozenset(
    ["target", "targets", "label", "labels", "y", "y_true", "gt", "ground_truth", "truth"]
)
FOR_DISCRIMINATOR = frozenset(
    [
        "for_discriminator",
        "is_disc",
        "is_discriminator",
        "is_dis",
        "dis_update",
        "for_disc",
        "for_d",
        "train_d",
        "discriminator_turn",
    ]
)
FOR_GENERATOR = frozenset(
    ["for_generator", "is_gen", "is_generator", "gen_update", "for_gen", "for_g"]
)
NETWORK = frozenset(
    [
        "D",
        "netD",
        "net_d",
        "discriminator",
        "critic",
        "disc",
        "model",
        "net",
        "d_net",
        "dis",
        "discriminator_model",
        "netd",
    ]
)

CLAIMS: tuple[tuple[str, str], ...] = (  # a pattern in a name, and the claim that it makes
    (r"rel(ativistic)?|r[ap]?_?(ls|s|hinge|hinge)?gan|ragan", "relativistic"),
    (r"hinge", "hinge"),
    (r"ls_?gan|least_?squares?|\blse\b", "least-squares"),
    (r"non_?saturating|\bns_?gan\b|\bns\b", "non-saturating"),
    (r"wasserstein|wgan", "wasserstein"),
    (r"mini_?max|zero_?sum|(?<!non)(?<!non_)saturating", "minimax"),
    (r"energy(_based)?|boundary_equilibrium|be_?gan|eb_?gan", "energy-based"),
    (r"vanilla|\bdc_?gan\b", "vanilla"),
)


def words(name: str) -> list[str]:
    """Return the lower-case words of an identifier.

    >>> words("LeastSquaresGeneratorLoss"), words("d_loss_fn")
    (['least', 'squares', 'generator', 'loss'], ['d', 'loss', 'fn'])
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_-]|\d+", " ", name)
    return spaced.lower().split()


def player_of(name: str) -> str | None:
    """Return whose loss a name says that it is.

    >>> player_of("hinge_loss_dis"), player_of("MSEGLoss"), player_of("GANLoss")
    ('discriminator', 'generator', None)
    """
    said = set(words(re.sub(r"([DG])(?=Loss)", r"_\1_", name)))
    if said & DISCRIMINATOR:
        return None if said & (GENERATOR - {"g"}) else "discriminator"
    return "generator" if said & GENERATOR else None


def partners(name: str) -> list[str]:
    """Return what the other player's loss may be called, where ``name`` is one player's.

    >>> partners("hinge_loss_gen")[0]
    'hinge_loss_dis'
    """
    swaps = [
        ("generator", "discriminator"), ("Generator", "Discriminator"), ("gen", "dis"),
        ("gen", "disc"), ("Gen", "Dis"), ("Gen", "Disc"), ("generator", "critic"),
        ("Generator", "Critic"), ("gen", "critic"), ("gen", "discr"), ("gen", "discrim"),
        ("gen", "crit"), ("Gen", "Discr"), ("GLoss", "DLoss"),
    ]  # fmt: skip
    found = [name.replace(a, b, 1) for a, b in swaps if a in name]
    found += [name.replace(b, a, 1) for a, b in swaps if b in name]
    for a, b in (("g", "d"), ("G", "D")):
        for one, other in ((a, b), (b, a)):
            found.append(re.sub(rf"(^|_){one}(?=_|$|[A-Z])", rf"\g<1>{other}", name))
            found.append(re.sub(rf"(?<=[a-z]){one}(?=$|[A-Z_])", other, name))
    return [other for other in dict.fromkeys(found) if other != name]


def side_of(parameter: str) -> str | None:
    """Return which samples a parameter's name speaks of: ``"real"``, ``"fake"`` or None.

    >>> side_of("output_fake"), side_of("disc_real_outputs"), side_of("pred")
    ('fake', 'real', None)
    """
    said = set(words(parameter))
    if said & (REAL - {"r"}):
        return "real"
    if said & (FAKE - {"g", "f", "gen", "hat"}):
        return "fake"
    if said & {"r"}:
        return "real"
    return "fake" if said & {"g", "f", "gen", "hat"} else None


def is_model(parameter: str) -> bool:
    """Return whether a constructor's parameter is a network, of either player.

    >>> is_model("Generator"), is_model("net_g"), is_model("gan_mode")
    (True, True, False)
    """
    said = words(parameter)
    other = {"generator", "encoder", "decoder", "netg"} & set(said) or said == ["net", "g"]
    return is_network(parameter) or parameter == "G" or bool(other)


def is_network(parameter: str) -> bool:
    """Return whether a parameter's name is that of a discriminator.

    >>> is_network("domain_discriminator"), is_network("logits")
    (True, False)
    """
    return parameter in NETWORK or bool({"discriminator", "critic"} & set(words(parameter)))


def claim_in(name: str) -> str | None:
    """Return the loss that a name claims to be.

    >>> claim_in("HingeGANLoss"), claim_in("GANLoss"), claim_in("RelativisticHinge")
    ('hinge', None, 'relativistic')
    """
    said = "_".join(words(name))
    for pattern, claim in CLAIMS:
        if re.search(rf"(?:^|_|\b){pattern}(?:$|_|\b)", said.replace("_", " ")) or re.search(
            rf"(?:^|_){pattern}(?:$|_)", said
        ):
            return claim
    return None
