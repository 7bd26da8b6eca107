"""Audit the losses of public packages, each installed without its dependencies.

``python benchmarks/audits.py --install`` puts the packages below into a scratch folder and writes
the table that the docs include. Findings are statements of fact about one version of a package.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gantheory.audits import audit_target
from gantheory.audits.target import target_of
from gantheory.derivations.wording import combination_title
from gantheory.errors import GantheoryError
from gantheory.theory.records import Curvature

TABLE = Path(__file__).parents[1] / "docs" / "_data" / "audits.txt"
LEAST, HINGE = 'gan_mode="lsgan"', 'gan_mode="hinge"'
TARGETS: tuple[tuple[str, str, str, str | None, str | None], ...] = (
    # package, file, names, --init, --call
    ("torchgan", "torchgan/losses/minimax.py", "MinimaxDiscriminatorLoss", None, None),
    ("torchgan", "torchgan/losses/minimax.py", "MinimaxGeneratorLoss", None, None),
    ("torchgan", "torchgan/losses/minimax.py",
     "MinimaxDiscriminatorLoss,MinimaxGeneratorLoss", "", None),
    ("torchgan", "torchgan/losses/leastsquares.py", "LeastSquaresDiscriminatorLoss", None, None),
    ("torchgan", "torchgan/losses/wasserstein.py", "WassersteinDiscriminatorLoss", None, None),
    ("torchgan", "torchgan/losses/wasserstein.py", "WassersteinGradientPenalty", None, None),
    ("torchgan", "torchgan/losses/draganpenalty.py", "DraganGradientPenalty", None, None),
    ("torchgan", "torchgan/losses/energybased.py", "EnergyBasedDiscriminatorLoss", None, None),
    ("torchgan", "torchgan/losses/functional.py", "minimax_discriminator_loss", None, None),
    ("torchgan", "torchgan/losses/functional.py", "least_squares_discriminator_loss", None, None),
    ("torchgan", "torchgan/losses/functional.py", "wasserstein_discriminator_loss", None, None),
    ("torch-mimicry", "torch_mimicry/modules/losses.py", "minimax_loss_dis", None, None),
    ("torch-mimicry", "torch_mimicry/modules/losses.py", "minimax_loss_dis,ns_loss_gen",
     None, None),
    ("torch-mimicry", "torch_mimicry/modules/losses.py", "wasserstein_loss_dis", None, None),
    ("torch-mimicry", "torch_mimicry/modules/losses.py", "hinge_loss_dis", None, None),
    ("taming-transformers", "taming/modules/losses/vqperceptual.py", "hinge_d_loss", None, None),
    ("taming-transformers", "taming/modules/losses/vqperceptual.py", "vanilla_d_loss", None, None),
    ("monai", "monai/losses/adversarial_loss.py", "PatchAdversarialLoss",
     'criterion="least_squares"', None),
    ("monai", "monai/losses/adversarial_loss.py", "PatchAdversarialLoss", 'criterion="bce"', None),
    ("monai", "monai/losses/adversarial_loss.py", "PatchAdversarialLoss", 'criterion="hinge"',
     None),
    ("audiolm-pytorch", "audiolm_pytorch/soundstream.py", "hinge_discr_loss,hinge_gen_loss",
     None, None),
)  # fmt: skip


def install(folder: Path, package: str) -> None:
    """Put a package into a folder of its own, without its dependencies."""
    where = folder / package
    if not where.is_dir():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*command, str(where), package], check=False, timeout=120)


def row(folder: Path, target: tuple[str, str, str, str | None, str | None]) -> dict[str, Any]:
    """Audit one loss and return its row."""
    package, file, names, init, call = target
    where = folder / package
    given = f"({init})" if init else ""
    found = {"package": package, "version": _version(where), "loss": names + given}
    try:
        asked = target_of(f"{where / file}:{names}", init, call)
        audit = audit_target(asked, seconds=120)
    except GantheoryError as error:
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
        for package in dict.fromkeys(target[0] for target in TARGETS):
            install(given.folder, package)
    rows = [row(given.folder.resolve(), t) for t in TARGETS if (given.folder / t[0]).is_dir()]
    if given.json:
        print(json.dumps(rows, indent=1))
        return
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(rows))


if __name__ == "__main__":
    main()
