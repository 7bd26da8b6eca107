"""The report in a real browser: nothing loaded, nothing complained of, everything shown."""

import base64
import json

import pytest
from reports import OUTCOMES, WRONG, outcome

from gantheory.records import How, Verdict
from gantheory.report import html
from gantheory.report.svg import Picture

pytestmark = pytest.mark.browser
WIDE = outcome(
    "wide",
    Verdict("a = b", How.PROVED),
    How.PROVED,
    latex=" + ".join(f"x_{{{k}}}" for k in range(99)),
)
SHOWN = [*OUTCOMES, WRONG, WIDE]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    from matplotlib.figure import Figure

    from gantheory import derive

    figure = Figure(figsize=(6, 3))
    figure.subplots().plot([0, 1, 2], [0, 1, 0], color="#0072B2")
    path = tmp_path_factory.mktemp("report") / "index.html"
    derivations = [derive("minimax"), derive("non-saturating")]
    pictures = [Picture("A line", figure, "It rises and falls.")]
    path.write_text(html.render(SHOWN, derivations, pictures), encoding="utf-8")
    return path


def open_page(chromium, path, scheme="light", width=1200):
    chromium.get_log("performance")
    chromium.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    chromium.get(path.as_uri())


def luminance(colour):
    """Return the relative luminance of a CSS ``rgb(...)`` text, by the WCAG 2 definition."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_opening_the_page_requests_nothing_else_and_logs_nothing(chromium, page):
    open_page(chromium, page)
    messages = [
        json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")
    ]
    requests = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    # chrome:// is the browser's own first tab, which may still be loading
    mine = {url for url in requests if not url.startswith(("data:", "chrome://"))}
    assert mine == {page.as_uri()}
    assert chromium.get_log("browser") == []


def open_all(chromium):
    chromium.execute_script("document.querySelectorAll('details').forEach(e => { e.open = true; })")


def test_every_verdict_row_is_visible_once_its_group_is_opened_and_a_wrong_one_at_once(
    chromium, page
):
    open_page(chromium, page)
    wrong = chromium.find_element("css selector", f'tr[data-check="{WRONG.check.id}"]')
    assert wrong.is_displayed()
    open_all(chromium)
    rows = chromium.find_elements("css selector", "tr[data-check]")
    assert {row.get_attribute("data-check") for row in rows} == {found.check.id for found in SHOWN}
    assert all(row.is_displayed() and row.size["height"] > 20 for row in rows)


def test_mathml_is_laid_out_as_mathematics(chromium, page):
    open_page(chromium, page)
    open_all(chromium)
    heights = chromium.execute_script(
        "return [...document.querySelectorAll('main math mfrac')].filter(e => e.checkVisibility())"
        ".map(e => e.children[1].getBoundingClientRect().top"
        " - e.children[0].getBoundingClientRect().top)"
    )
    assert len(heights) >= 4
    assert all(height > 4 for height in heights)  # the denominator stands below


@pytest.mark.parametrize("width", [320, 390, 768, 1200])
def test_the_page_never_scrolls_sideways(chromium, page, width):
    open_page(chromium, page, width=width)
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width
    open_all(chromium)
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_phone_shows_formulas_below_each_other_and_scrolls_what_is_wider(chromium, page):
    open_page(chromium, page, width=390)
    found = chromium.execute_script(
        "return [...document.querySelectorAll('.loss dd .formula')].map(e => "
        "[e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right, e.tabIndex,"
        " getComputedStyle(e).overflowX, e.closest('dd').previousElementSibling.textContent])"
    )
    assert len(found) > 15
    assert all(right <= 390 for _, right, *_ in found)
    assert all((tab, over) == (0, "auto") for *_, tab, over, _ in found)
    equal = [beyond for beyond, *_, label in found if label.startswith("Where p = q")]
    assert len(equal) == 6  # of two losses D and what either player's loss reads, each whole
    assert max(equal) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_contrasts_with_its_background(chromium, page, scheme):
    open_page(chromium, page, scheme)
    open_all(chromium)
    found = chromium.execute_script(
        """
        const behind = e => { for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!c.endsWith(', 0)')) return c; } return 'rgb(255, 255, 255)'; };
        return [...document.querySelectorAll('body *')]
            .filter(e => e.checkVisibility() && !e.closest('svg')
                && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
            .map(e => [getComputedStyle(e).color, behind(e), e.className, e.textContent.trim()])"""
    )
    assert len(found) > 100
    for text, background, name, words in found:
        assert contrast(text, background) >= 4.5, (name, words[:40])  # WCAG 2 AA


def test_a_link_to_a_check_opens_the_group_that_it_is_in(chromium, page):
    open_page(chromium, page)
    row = chromium.find_element("css selector", 'tr[data-check="far.below"]')
    assert not row.is_displayed()
    chromium.execute_script("location.hash = 'check-far.below'")
    assert row.is_displayed()


def test_figures_are_drawn_in_the_colours_of_the_theme(chromium, page):
    colours = {}
    for scheme in ("light", "dark"):
        open_page(chromium, page, scheme)
        colours[scheme] = chromium.execute_script(
            "return [...document.querySelectorAll('.plot svg path')]"
            ".map(e => getComputedStyle(e).stroke)"
        )
    assert "rgb(0, 114, 178)" in colours["light"]
    assert "rgb(0, 114, 178)" not in colours["dark"]


def test_light_and_dark_screenshots_differ_and_a_pdf_can_be_printed(chromium, page, tmp_path):
    shots = {}
    for scheme in ("light", "dark"):
        open_page(chromium, page, scheme)
        shots[scheme] = chromium.get_screenshot_as_png()
        (tmp_path / f"{scheme}.png").write_bytes(shots[scheme])
    assert shots["light"] != shots["dark"]
    printed = chromium.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")


def test_closed_details_are_open_in_print(chromium, page):
    from selenium.webdriver.support.ui import WebDriverWait

    open_page(chromium, page)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    all_shown = (
        "const all = [...document.querySelectorAll('details li, details p')];"
        "return all.length && all.every(e => e.checkVisibility())"
    )
    WebDriverWait(chromium, 10).until(lambda driver: driver.execute_script(all_shown))
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen"})
    assert not chromium.execute_script(all_shown)  # on the screen they wait to be opened


def test_verdicts_are_found_by_words_and_by_how_they_are_known_without_a_network(chromium, page):
    open_page(chromium, page)
    box = chromium.find_element("id", "find")
    box.send_keys("AGREES routes")
    shown = [row.get_attribute("data-check") for row in rows_in_sight(chromium)]
    assert shown == ["agrees", "agrees.twin"]
    assert chromium.find_element("id", "found").text == "2 found"
    box.clear()
    box.send_keys(" ")
    assert rows_in_sight(chromium) != shown
    chromium.find_element("css selector", "#how option:nth-child(2)").click()
    kinds = {row.get_attribute("data-how") for row in rows_in_sight(chromium)}
    assert len(kinds) == 1
    assert chromium.get_log("browser") == []


def rows_in_sight(chromium):
    rows = chromium.find_elements("css selector", "tr[data-check]")
    return [row for row in rows if row.is_displayed()]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_contents_stay_in_sight(chromium, page, width):
    open_page(chromium, page, width=width)
    chromium.execute_script("document.getElementById('reproduce').scrollIntoView()")
    box = chromium.find_element("css selector", ".contents").rect
    top = chromium.execute_script("return scrollY")
    assert 0 <= box["y"] - top < 10
    assert box["height"] < 200
