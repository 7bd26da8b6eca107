"""Derivations as JSON and back."""

import json
import subprocess
import sys

import pytest

import gantheory as gt
from gantheory.archive import from_json, to_json
from gantheory.errors import GantheoryError
from gantheory.losses import CATALOGUE, CRITICS

DRAWN = [
    gt.Loss("corner", real="-relu(1 - t)", fake="-relu(1 + t)", generator="-t + abs(t - 1/2)"),
    gt.Loss("tied", real="t**2", fake="-t", generator="-t", domain="[0, 1]"),
    gt.Loss("none", real="t", fake="-t", generator="t"),
    gt.Loss("margin", real="-relu(m - t)", fake="-relu(m + t)", generator="-t",
            parameters={"m": "(0, oo)"}),
]  # fmt: skip


@pytest.mark.parametrize("loss", [*list(CATALOGUE)[1::4], *list(CRITICS)[::2], *DRAWN], ids=str)
def test_a_derivation_comes_back_from_json_with_its_steps(loss):
    found = gt.derive(loss)
    again = from_json(to_json(found))
    assert again == found
    assert again.as_dict() == found.as_dict()
    assert str(again) == str(found)
    assert to_json(again) == to_json(found)


def test_another_process_reads_it(tmp_path):
    found = gt.derive("least-squares")
    (tmp_path / "kept.json").write_text(to_json(found))
    code = "import sys, gantheory as gt; print(gt.from_json(open(sys.argv[1]).read()))"
    call = [sys.executable, "-c", code, str(tmp_path / "kept.json")]
    assert subprocess.run(call, capture_output=True, text=True).stdout.strip() == str(found).strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"format": 2, "theory": null}',
        '{"format": 1, "theory": 3}',
        '{"format": 1, "theory": {"record": "pathlib.Path", "fields": {}}}',
        '{"format": 1, "theory": {"record": "gantheory.archive.sys", "fields": {}}}',
        '{"format": 1, "theory": {"record": "gantheory.losses.loss.Claim", "fields": {"f": 2}}}',
        '{"format": 1, "theory": {"formula": ["system", "ls"]}}',
        '{"format": 1, "theory": {"formula": ["Function", "f", "os"]}}',
        '{"format": 1, "theory": {"tuple": [1], "list": [2]}}',
    ],
)
def test_what_is_no_derivation_is_refused_in_one_line(text):
    with pytest.raises(GantheoryError) as caught:
        from_json(text)
    assert "\n" not in str(caught.value)


def test_a_formula_that_was_tampered_with_is_another_derivation():
    found = gt.derive("minimax")
    document = json.loads(to_json(found))
    curvature = document["theory"]["fields"]["followed"]["fields"]["curvature"]
    curvature["formula"] = ["Symbol", "r", {"positive": True}]
    assert from_json(json.dumps(document)) != found
