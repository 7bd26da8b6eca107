"""What usual tools return, without a warning or with one, on twelve hard pairs, beside ours.

Writes docs/_data/competitors.json, and beside it the table that the docs include. The PyPI package
`divergence` is installed into a virtual environment of its own, for this script only.
"""

import json
import math
import subprocess
import sys
import tempfile
import venv
import warnings
from pathlib import Path

import numpy as np
import scipy
from scipy import integrate, special, stats
from scipy.spatial.distance import jensenshannon

DATA = Path(__file__).parents[1] / "docs" / "_data" / "competitors.json"
PACKAGE = "divergence==1.1.0"
EPS = 1e-10  # what people add to both densities


def spikes(x):
    wide, narrow = stats.norm(0, 1).pdf(x), stats.norm(0.3, 1e-3).pdf(x)
    return 0.9 * wide + 0.1 * narrow


def two_spikes(x):
    return 0.5 * (stats.norm(-5, 1e-3).pdf(x) + stats.norm(5, 1e-3).pdf(x))


N = "normal(0, 1)"
SPIKE = "mixture(0.9*normal(0, 1) + 0.1*normal(0.3, 0.001))"
SPIKES = "mixture(0.5*normal(-5, 0.001) + 0.5*normal(5, 0.001))"
NORMAL = stats.norm(0, 1).pdf
# divergence, P, Q as text, the same as functions, and the window a careful person would choose
CASES = [
    ("kl_pq", N, "normal(1, 1)", NORMAL, stats.norm(1, 1).pdf, (-9, 10)),
    ("kl_pq", N, "normal(2, 1)", NORMAL, stats.norm(2, 1).pdf, (-8, 10)),
    ("kl_pq", N, "normal(10, 1)", NORMAL, stats.norm(10, 1).pdf, (-8, 18)),
    ("kl_pq", N, "normal(40, 1)", NORMAL, stats.norm(40, 1).pdf, (-8, 48)),
    ("jsd", N, "normal(60, 1)", NORMAL, stats.norm(60, 1).pdf, (-8, 68)),
    ("jsd", N, "normal(1e-06, 1)", NORMAL, stats.norm(1e-6, 1).pdf, (-9, 10)),
    ("jsd", SPIKE, N, spikes, NORMAL, (-8, 8)),
    ("jsd", SPIKES, "normal(0, 5)", two_spikes, stats.norm(0, 5).pdf, (-40, 40)),
    ("kl_pq", "student_t(df=1)", N, stats.cauchy.pdf, NORMAL, (-10, 10)),
    ("kl_pq", "student_t(df=2.5)", N, stats.t(2.5).pdf, NORMAL, (-10, 10)),
    ("kl_pq", N, "uniform(-1, 1)", NORMAL, stats.uniform(-1, 2).pdf, (-8, 8)),
    ("jsd", "student_t(df=1)", "student_t(df=1, loc=100)", stats.cauchy.pdf,
     stats.cauchy(100).pdf, (-100, 200)),
]  # fmt: skip


def smoothed(name, p, q, eps):
    def kl(x):
        return (p(x) + eps) * np.log((p(x) + eps) / (q(x) + eps))

    def jsd(x):
        a, b = p(x) + eps, q(x) + eps
        m = 0.5 * (a + b)
        return 0.5 * (a * np.log(a / m) + b * np.log(b / m))

    return {"kl_pq": kl, "jsd": jsd}[name]


def measured(call):
    """Return what a call gives: its number, and whether anything warned its user."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            value = float(call())
        except Exception as error:
            return {"value": None, "warned": True, "note": type(error).__name__}
    told = any(issubclass(w.category, integrate.IntegrationWarning) for w in caught)
    return {"value": value, "warned": told or math.isnan(value)}


def by_quad(name, p, q, _):
    def kl(x):
        return special.rel_entr(p(x), q(x))  # 0·log 0 = 0, as SciPy has it

    def jsd(x):
        m = 0.5 * (p(x) + q(x))
        return 0.5 * (special.rel_entr(p(x), m) + special.rel_entr(q(x), m))

    return integrate.quad({"kl_pq": kl, "jsd": jsd}[name], -np.inf, np.inf)[0]


def by_patch(name, p, q, _):
    return integrate.quad(smoothed(name, p, q, EPS), -50, 50, limit=200)[0]


def by_grid(name, p, q, _):
    x = np.linspace(-10, 10, 10_001)
    if name == "jsd":
        return jensenshannon(p(x), q(x)) ** 2
    return stats.entropy(p(x), q(x))


def by_package(name, p, q, window):
    from divergence import continuous

    function = {
        "kl_pq": continuous.relative_entropy_from_densities_with_support,
        "jsd": continuous.jensen_shannon_divergence_from_densities_with_support,
    }[name]
    return function(p, q, *window)


def package_case(k):
    name, _, _, p, q, window = CASES[k]
    print(json.dumps(measured(lambda: by_package(name, p, q, window))))


def run_package(python, k):
    try:
        done = subprocess.run([python, __file__, str(k)], capture_output=True, text=True,
                              timeout=120)  # fmt: skip
        return json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"value": None, "warned": True, "note": "no answer in two minutes"}
    except (IndexError, json.JSONDecodeError):
        return {"value": None, "warned": True, "note": "crashed"}


def environment(folder):
    venv.create(folder, with_pip=True)
    python = str(Path(folder) / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", PACKAGE], check=True)
    return python


def ours(name, p, q):
    import gantheory

    found = gantheory.divergence(name, p, q)
    return {
        "value": found.value if math.isfinite(found.value) else str(found.value),
        "error": found.error,
        "status": found.status.value,
        "reason": found.reason,
    }


def table(python):
    rows = []
    for k, (name, p, q, f, g, window) in enumerate(CASES):
        row = {"divergence": name, "p": p, "q": q, "ours": ours(name, p, q)}
        truth = float(row["ours"]["value"])
        for column, method in (("quad", by_quad), ("patched", by_patch), ("grid", by_grid)):
            row[column] = measured(lambda m=method, c=(name, f, g, window): m(*c))
        row["package"] = run_package(python, k)
        for column in HEADS:
            row[column]["wrong"] = is_wrong(row[column]["value"], truth)
            row[column]["value"] = jsonable(row[column]["value"])
        rows.append(row)
    return rows


HEADS = {
    "quad": "`quad` of `rel_entr`, (−∞, ∞)",
    "patched": "`quad` with +1e-10 in both",
    "grid": "10 001 points on [−10, 10]",
    "package": PACKAGE.replace("==", " "),
}


def as_markdown(rows):
    """Return the table in Markdown: wrong numbers in bold, those that came with a warning in ()."""
    lines = [
        "| divergence | P | Q | gantheory | " + " | ".join(HEADS.values()) + " |",
        "|---|---|---|---|" + "---|" * len(HEADS),
    ]
    for row in rows:
        cells = [f"`{row['divergence']}`", f"`{row['p']}`", f"`{row['q']}`", own_cell(row["ours"])]
        cells += [cell(row[column]) for column in HEADS]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def own_cell(found):
    if found["value"] == "inf":
        return "inf: " + found["reason"]
    return f"{found['value']:.15g} ± {found['error']:.0e}"


def cell(found):
    value = found["value"]
    if value is None:
        return f"({found['note']})"
    text = value if isinstance(value, str) else f"{value:.4g}"
    text = f"**{text}**" if found["wrong"] else text
    return f"({text})" if found["warned"] else text


def is_wrong(value, truth):
    """Whether a number is off by more than one in a thousand of the truth."""
    if value is None or not math.isfinite(truth):
        return value != truth
    return not abs(value - truth) <= 1e-3 * abs(truth)


def jsonable(value):
    return value if value is None or math.isfinite(value) else str(value)


def figures(quick):
    """Write the table, and yield how many pairs each tool gets wrong without a word."""
    from benchmarks.figures import Figure  # not there where the package is tried

    with tempfile.TemporaryDirectory() as folder:
        rows = table(environment(folder))
    record = {"scipy": scipy.__version__, "package": PACKAGE, "eps": EPS, "rows": rows}
    DATA.parent.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    DATA.with_suffix(".txt").write_text(as_markdown(rows))
    for column, tool in HEADS.items():
        silent = sum(row[column]["wrong"] and not row[column]["warned"] for row in rows)
        yield Figure(f"{tool}: silently wrong", silent, f"of {len(rows)} pairs")


if __name__ == "__main__":  # one pair by the package, in the environment that has it
    package_case(int(sys.argv[1]))
