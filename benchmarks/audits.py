"""Audit the losses of public packages, each installed without its dependencies.

``python benchmarks/audits.py --install`` puts the packages below into a scratch folder and writes
the table that the docs include. Findings are statements of fact about one version of a package.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gantheory.audits import Audit
from gantheory.audits.judge import judge
from gantheory.audits.loading import recover_target
from gantheory.audits.target import AuditTarget, target_of
from gantheory.derivations.wording import combination_title
from gantheory.theory.records import Curvature

TABLE = Path(__file__).parents[1] / "docs" / "_data" / "audits.txt"
BESIDE = ("einops",)  # what losses of several packages use
GAN, CODEC = "torchgan/losses", "TTS/vocoder/layers/losses.py"
MIMICRY, TAMING = "torch_mimicry/modules/losses.py", "taming/modules/losses/vqperceptual.py"
MONAI, MMEDIT = "monai/losses/adversarial_loss.py", "mmedit/models/losses/gan_loss.py"
MUSE, STYLE = "muse_maskgit_pytorch/vqgan_vae.py", "stylegan2_pytorch/stylegan2_pytorch.py"
GIGA, SOUND = "gigagan_pytorch/gigagan_pytorch.py", "audiolm_pytorch/soundstream.py"
CRAFT = "audiocraft/adversarial/losses.py"
STABLE, INVERSE = "stable_audio_tools/models", "deepinv/loss/adversarial/consistency.py"
TARGETS: tuple[tuple[str, str, str, str | None], ...] = (  # package, file, names, --init
    ("torchgan", f"{GAN}/minimax.py", "MinimaxDiscriminatorLoss", None),
    ("torchgan", f"{GAN}/minimax.py", "MinimaxDiscriminatorLoss,MinimaxGeneratorLoss", ""),
    ("torchgan", f"{GAN}/leastsquares.py", "LeastSquaresDiscriminatorLoss", None),
    ("torchgan", f"{GAN}/wasserstein.py", "WassersteinDiscriminatorLoss", None),
    ("torchgan", f"{GAN}/wasserstein.py", "WassersteinGradientPenalty", None),
    ("torchgan", f"{GAN}/draganpenalty.py", "DraganGradientPenalty", None),
    ("torchgan", f"{GAN}/energybased.py", "EnergyBasedDiscriminatorLoss", None),
    ("torchgan", f"{GAN}/boundaryequilibrium.py", "BoundaryEquilibriumDiscriminatorLoss", None),
    ("torchgan", f"{GAN}/functional.py", "least_squares_discriminator_loss", None),
    ("torch-mimicry", MIMICRY, "minimax_loss_dis", None),
    ("torch-mimicry", MIMICRY, "minimax_loss_dis,ns_loss_gen", None),
    ("torch-mimicry", MIMICRY, "wasserstein_loss_dis", None),
    ("torch-mimicry", MIMICRY, "hinge_loss_dis", None),
    ("hypergan", "hypergan/losses/standard_loss.py", "StandardLoss.forward", None),
    ("vegans", "vegans/utils/losses.py", "WassersteinLoss", None),
    ("labml-nn", "labml_nn/gan/original/__init__.py", "DiscriminatorLogitsLoss", "smoothing=0.0"),
    ("labml-nn", "labml_nn/gan/wasserstein/__init__.py", "DiscriminatorLoss", None),
    ("labml-nn", "labml_nn/gan/wasserstein/gradient_penalty/__init__.py", "GradientPenalty", None),
    ("stylegan2-pytorch", STYLE, "hinge_loss,gen_hinge_loss", None),
    ("stylegan2-pytorch", STYLE, "dual_contrastive_loss", None),
    ("stylegan2-pytorch", STYLE, "gradient_penalty", None),
    ("lightweight-gan", "lightweight_gan/lightweight_gan.py", "hinge_loss,gen_hinge_loss", None),
    ("gigagan-pytorch", GIGA, "discriminator_hinge_loss", None),
    ("gigagan-pytorch", GIGA, "gradient_penalty", None),
    ("taming-transformers", TAMING, "hinge_d_loss", None),
    ("taming-transformers", TAMING, "vanilla_d_loss", None),
    ("muse-maskgit-pytorch", MUSE, "hinge_discr_loss", None),
    ("muse-maskgit-pytorch", MUSE, "bce_discr_loss", None),
    ("muse-maskgit-pytorch", MUSE, "gradient_penalty", None),
    ("phenaki-pytorch", "phenaki_pytorch/cvivit.py", "hinge_discr_loss", None),
    ("phenaki-pytorch", "phenaki_pytorch/cvivit.py", "bce_discr_loss", None),
    ("monai", MONAI, "PatchAdversarialLoss", 'criterion="least_squares"'),
    ("monai", MONAI, "PatchAdversarialLoss", 'criterion="bce"'),
    ("monai", MONAI, "PatchAdversarialLoss", 'criterion="hinge"'),
    ("mmedit", MMEDIT, "GANLoss", '"vanilla"'),
    ("mmedit", MMEDIT, "GANLoss", '"lsgan"'),
    ("mmedit", MMEDIT, "GANLoss", '"hinge"'),
    ("mmedit", MMEDIT, "gradient_penalty_loss", None),
    ("deepinv", INVERSE, "SupAdversarialDiscriminatorLoss", None),
    ("deepinv", INVERSE, "UnsupAdversarialDiscriminatorLoss", None),
    ("vocos", "vocos/loss.py", "DiscriminatorLoss", None),
    ("bigvgan", "bigvgan/loss.py", "discriminator_loss", None),
    ("styletts2", "styletts2/losses.py", "discriminator_loss", None),
    ("styletts2", "styletts2/losses.py", "discriminator_TPRLS_loss", None),
    ("so-vits-svc-fork", "so_vits_svc_fork/modules/losses.py", "discriminator_loss", None),
    ("coqui-tts", CODEC, "MSEDLoss", None),
    ("coqui-tts", CODEC, "HingeDLoss", None),
    ("audiocraft", CRAFT, "mse_real_loss+mse_fake_loss,mse_loss", None),
    ("audiocraft", CRAFT, "hinge_real_loss+hinge_fake_loss,hinge_loss",
     None),
    ("acids-rave", "rave/core.py", "hinge_gan", None),
    ("acids-rave", "rave/core.py", "ls_gan", None),
    ("stable-audio-tools", f"{STABLE}/discriminators.py", "get_hinge_losses", None),
    ("stable-audio-tools", f"{STABLE}/arc.py", "get_relativistic_losses", None),
    ("audiolm-pytorch", SOUND, "hinge_discr_loss", None),
    ("audiolm-pytorch", SOUND, "gradient_penalty", None),
    ("amp-rsl-rl", "amp_rsl_rl/networks/discriminator.py",
     "Discriminator.expert_loss+Discriminator.policy_loss",
     "input_dim=8, hidden_layer_sizes=[8], reward_scale=1.0"),
)  # fmt: skip


def install(folder: Path, package: str) -> None:
    """Put a package into a folder of its own, without its dependencies."""
    where = folder / package
    if not where.is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*command, str(where), package], check=False, timeout=120)


def row(folder: Path, target: tuple[str, str, str, str | None]) -> dict[str, Any]:
    """Audit one loss and return its row."""
    package, file, names, init = target
    where = folder / package
    given = f"({init})" if init else ""
    found = {"package": package, "version": _version(where), "loss": names + given}
    try:
        asked = target_of(f"{where / file}:{names}", init)
        audit = apart(asked)
    except (Exception, TimeoutError) as error:
        said = str(error).replace(str(where), package)
        return found | {"is": f"not audited: {said}", "follows": "", "findings": []}
    followed = audit.derivation.followed if audit.derivation else None
    penalty = audit.penalty and ", ".join(f"{k} {v}" for k, v in audit.penalty.items())
    equals = audit.equals and audit.equals.loss + (
        f" (up to {', '.join(audit.equals.up_to)})" if audit.equals.up_to else "")  # fmt: skip
    what = equals or penalty or audit.not_separable or _formulas(audit.loss)
    return found | {
        "loss": audit.name + given,
        "is": what or "; ".join(audit.reasons).replace(str(where), package),
        "follows": "" if followed is None else _named(followed),
        "findings": [(f.kind.value, " ".join(f.message.split())) for f in audit.findings],
    }


def apart(asked: AuditTarget, seconds: float = 120.0) -> Audit:
    """Audit in a process of its own, forked from this one, in which torch is loaded already."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return judge(pool.apply_async(recover_target, (asked,)).get(seconds))


def _named(found: Curvature) -> str:
    return combination_title(found.terms) if found.terms else found.divergence


def _formulas(loss: dict[str, str | None] | None) -> str:
    parts = ("real", "fake", "generator")
    return ", ".join(f"{p}: {loss[p]}" for p in parts if loss[p]) if loss else ""


def _version(where: Path) -> str:
    return next((d.version for d in distributions(path=[str(where)])), "")


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table for the docs, and below it what each finding says."""
    heads = ("package", "loss", "is", "follows", "findings")
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for one in rows:
        kinds = ", ".join(f"`{kind}`" for kind, _ in one["findings"])
        package = f"{one['package']} {one['version']}"
        cells = (package, f"`{one['loss']}`", one["is"], one["follows"], kinds)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    told = [
        f"- {one['package']}, `{one['loss']}`, `{kind}`: {message}"
        for one in rows
        for kind, message in one["findings"]
    ]
    return "\n".join([*lines, "", *told]) + "\n"


def main() -> None:
    """Audit everything that is installed and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("scratch-packages"))
    parser.add_argument("--install", action="store_true", help="fetch what is not there yet")
    parser.add_argument("--json", action="store_true", help="print rows, write nothing")
    given = parser.parse_args()
    if given.install:
        for package in (*BESIDE, *dict.fromkeys(target[0] for target in TARGETS)):
            install(given.folder, package)
    beside = [str(given.folder.resolve() / name) for name in BESIDE]
    sys.path += beside
    rows = [row(given.folder.resolve(), t) for t in TARGETS if (given.folder / t[0]).is_dir()]
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(rows))


if __name__ == "__main__":
    main()
