"""What several test files use."""

import gc
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from filelock import FileLock

import gantheory as gt

ROOT = Path(__file__).parents[1]
BUILT_FROM = ("gantheory", "simulations", "pyproject.toml", "README.md", "LICENSE")


def pytest_sessionstart():
    """Look for no garbage while tests are collected: there is none, and looking takes seconds."""
    gc.disable()


def pytest_collection_finish():
    """Look for garbage again, but seldom among all that was collected, which stays."""
    gc.set_threshold(*gc.get_threshold()[:2], 100)
    gc.enable()


def pytest_collection_modifyitems(items):
    """Put first what is dear: workers take from each other what stands last.

    Whose tests share a dear fixture stand at the very head, so that one worker keeps them all.
    """
    items.sort(key=lambda item: (not shares_a_dear_fixture(item), not is_slow(item)))


def shares_a_dear_fixture(item):
    return item.path.name == "test_statements.py"


def is_slow(item):
    return item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return the Python of an environment with the wheel, and with what else is here.

    The workers of one run share it: whoever comes first makes it, and the others wait.
    """
    shared = os.environ.get("PYTEST_XDIST_WORKER")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if shared else base) / "installed"
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            _install(folder)
            (folder / "made").touch()
    return str(folder / "env" / "bin" / "python")


def _install(folder):
    """Build the wheel, and make an environment with it."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(folder), str(source)], check=True)
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")


@pytest.fixture(autouse=True)
def _nothing_planted_is_kept(request):
    """Derive anew in a test that may change the engine, and after it."""
    if "monkeypatch" not in request.fixturenames:
        yield
        return
    from gantheory.derivations.kept import nothing_kept

    with nothing_kept():
        yield


@pytest.fixture
def command_line(monkeypatch, capsys):
    """Return the command line, in this process, as a function of its arguments."""
    from gantheory.cli import main

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gantheory", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, stopped.value.code, said.out, said.err)

    return run


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """Return a headless browser that logs what it requests and what it complains of."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM and CHROMEDRIVER):
        if os.environ.get("CI"):
            pytest.fail("CI must have chromium and chromedriver")
        pytest.skip("no chromium and chromedriver here; install both to run the browser tests")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def loaded():
    """Load what reads the catalogues first, so that nothing copied at import goes unnoticed."""
    for name in gt.__all__:
        getattr(gt, name)
    import_module("gantheory.ledger.checks")


@pytest.fixture
def enter(loaded):
    entered = []

    def enter(entry):
        entered.append(gt.register(entry))
        return entered[-1]

    yield enter
    for entry in entered:
        gt.unregister(entry)


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    import catalogues

    yield catalogues
    sys.modules.pop("catalogues", None)
