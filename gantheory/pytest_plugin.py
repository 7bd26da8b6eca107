"""A pytest plugin: ``pytest --gantheory-audit losses.py:GANLoss`` turns an audit into tests.

Each kind of finding is one test, and one more says whether the loss was recovered. Nothing of the
toolkit is loaded unless the option, or the fixture, is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names what to audit."""
    group = parser.getgroup("gantheory")
    group.addoption(
        "--gantheory-audit", action="append", default=[], metavar="FILE.py:NAME",
        help="audit this torch loss, one test for each kind of finding; may be repeated",
    )  # fmt: skip


@pytest.fixture
def gantheory_audit() -> Callable[..., Any]:
    """The function `gantheory.audit`."""
    import gantheory

    found: Callable[..., Any] = gantheory.audit
    return found


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the tests of each audit that was asked for."""
    for target in config.getoption("--gantheory-audit"):
        from gantheory.audits import Kind

        shared: dict[str, Any] = {}
        for kind in ("recovered", *(kind.value for kind in Kind)):
            name = f"{target}[{kind}]"
            items.append(AuditItem.from_parent(session, name=name, asked=(target, kind, shared)))


class AuditItem(pytest.Item):
    """One kind of finding, which the audited loss should not have."""

    def __init__(self, *, asked: tuple[str, str, dict[str, Any]], **rest: Any) -> None:
        super().__init__(**rest)
        self.target, self.kind, self.shared = asked

    def runtest(self) -> None:
        """Audit once, and fail for findings of this kind."""
        from gantheory.audits import audit_target
        from gantheory.audits.target import target_of

        if "audit" not in self.shared:
            self.shared["audit"] = audit_target(target_of(self.target))
        found = self.shared["audit"]
        if self.kind == "recovered":
            assert found.recovered or found.not_separable, "; ".join(found.reasons)
        for finding in found.findings:
            if finding.kind.value == self.kind:
                raise AssertionError(
                    f"{finding.message}\nremedy: {finding.remedy}\n{finding.evidence}"
                )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show the finding, not our own lines."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[str, None, str]:
        """Return where the test is from, and its name."""
        return self.target, None, self.name
