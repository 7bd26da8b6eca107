"""The workbench in a real browser, by keyboard and mouse: needs chromium, selenium and nicegui."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.browser
PATIENCE = 60  # seconds: a loaded machine must not decide


@pytest.fixture(scope="module")
def address():
    pytest.importorskip("nicegui", reason="the extra workbench is not installed")
    command = [sys.executable, "-m", "gantheory", "workbench", "--no-browser"]
    own = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}  # nicegui reads it
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own) as process:
        line = process.stdout.readline()
        try:
            assert line.startswith("workbench: http://127.0.0.1:"), line
            yield urlsplit(line.split()[1])
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(address, chromium):
    chromium.get(address.geturl())
    return chromium


def until(what):
    """Wait until ``what()`` is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def shown(browser, selector="body"):
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join('\\n')",
        selector,
    )


def go(browser, address, view):
    browser.get(f"http://{address.netloc}/{view}")


def field(browser, label):
    return until(lambda: browser.find_elements("css selector", f'input[aria-label="{label}"]'))[0]


def button(browser, text):
    found = browser.find_elements("css selector", "button")
    return next(b for b in found if b.text.strip() == text)


def ask(address, headers=None, path="/loss"):
    with closing(http.client.HTTPConnection(address.hostname, address.port, timeout=20)) as asked:
        asked.request("GET", path, headers=headers or {})
        return asked.getresponse()


def test_who_has_no_token_or_another_host_name_is_refused(address):
    assert ask(address).status == 403
    assert ask(address, path="/loss?token=wrong").status == 403
    right = f"{address.path}?{address.query}"
    assert ask(address, {"Host": f"evil.example:{address.port}"}, right).status == 403
    assert ask(address, path="/_nicegui_ws/socket.io/?EIO=4&transport=polling").status == 403
    answered = ask(address, path=right)
    assert answered.status == 303
    assert "token" not in answered.headers["location"]
    assert "HttpOnly" in answered.headers["set-cookie"]


def test_a_loss_is_derived_as_one_types_and_a_hostile_formula_refused_at_its_field(
    browser, address
):
    from selenium.webdriver.common.keys import Keys

    go(browser, address, "loss")
    until(lambda: "2·KL(M‖P)" in shown(browser, "table"))
    generator = field(browser, "c: loss of the generator")
    generator.send_keys(Keys.CONTROL, "a")
    generator.send_keys("__import__('os')")
    until(lambda: shown(browser, ".q-field--error"))
    assert "unknown" in shown(browser, ".q-field--error").lower() or "__" in shown(
        browser, ".q-field--error"
    )
    generator.send_keys(Keys.CONTROL, "a")
    generator.send_keys("log(1 - D)")
    until(lambda: "JSD" in shown(browser, "tr:nth-child(3) td"))
    assert shown(browser, ".q-field--error") == ""
    assert "log%281+-+D%29" in browser.current_url  # the address keeps what is typed


def test_the_keyboard_moves_the_distance_and_disjoint_supports_are_said(browser, address):
    from selenium import webdriver
    from selenium.webdriver.common.keys import Keys

    browser.get(f"http://{address.netloc}/densities?p=uniform(0,1)&q=uniform(d,d%2B1)&d=0.95")
    until(lambda: "JSD" in shown(browser, "table"))
    assert "∞" in shown(browser, "table")
    assert "do not overlap" not in shown(browser, ".note")
    until(lambda: browser.find_elements("css selector", ".q-slider [tabindex]"))
    browser.execute_script("document.querySelector('.q-slider [tabindex]').focus()")
    keys = webdriver.ActionChains(browser)
    keys.send_keys(Keys.ARROW_RIGHT).pause(0.3).send_keys(Keys.ARROW_RIGHT).perform()
    until(lambda: "do not overlap" in shown(browser, ".note"))


def test_q_is_dragged_by_the_mouse_and_d_put_where_one_clicks(browser, address):
    from selenium.webdriver import ActionChains

    def d():
        return float(shown(browser, ".slider").removeprefix("d: "))

    def moved():
        """Drag Q by 60 pixels; a drag begins only when the chart's script has come."""
        drag = ActionChains(browser).move_to_element(charts()[0]).click_and_hold()
        drag.move_by_offset(30, 0).pause(0.2).move_by_offset(30, 0).pause(0.2).release().perform()
        return d() > 1

    def charts():
        return browser.find_elements("css selector", ".chart .draggable")

    browser.get(f"http://{address.netloc}/densities?d=1")
    until(lambda: "JSD" in shown(browser, "table"))
    until(moved)
    click = ActionChains(browser).move_to_element(charts()[1]).click()
    until(lambda: click.perform() or 4 < d() < 6)  # the middle of an axis from 0 to 10
    until(lambda: f"normal({d():g}, 1)" in shown(browser, ".links"))


def steps_shown(browser):
    found = re.search(r"step (\d+):", shown(browser))
    return int(found[1]) if found else -1


def test_gans_move_towards_the_data_and_a_reload_begins_again(browser, address):
    from selenium.webdriver.common.keys import Keys

    pytest.importorskip("torch")
    browser.get(f"http://{address.netloc}/train?start=3&members=1&loss=minimax")
    until(lambda: "step 0: θ = 3" in shown(browser))
    step = button(browser, "One step of 64")
    until(lambda: step.send_keys(Keys.ENTER) or steps_shown(browser) >= 64)
    before = steps_shown(browser)
    browser.execute_script("window.open()")  # a second window, while the first one trains
    button(browser, "Train").click()
    until(lambda: steps_shown(browser) > before)  # each step is on the page for a moment only
    browser.refresh()
    until(lambda: "step 0: θ = 3" in shown(browser))


def test_a_game_shows_both_rates_and_its_command(browser, address):
    go(browser, address, "game")
    until(lambda: "1.0198039" in shown(browser, "table"))
    assert "gantheory game bilinear --method simultaneous --step 0.2" in shown(browser, ".links")


@pytest.mark.parametrize("view", ["loss", "densities", "train", "train?where=plane", "game"])
def test_a_phone_does_not_scroll_sideways_and_nothing_foreign_is_loaded(browser, address, view):
    browser.get_log("performance")
    browser.get_log("browser")
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False},
    )
    go(browser, address, view)
    until(lambda: browser.find_elements("css selector", ".chart svg"))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    own = (f"http://{address.netloc}/", "data:", "blob:", "chrome:", f"ws://{address.netloc}/")
    assert [url for url in asked if not url.startswith(own)] == []
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
    nameless = browser.execute_script(
        "return [...document.querySelectorAll('input, button, [role=slider], [role=img]')]"
        ".filter(e => e.checkVisibility() && !e.closest('[aria-hidden=true]')"
        " && !(e.ariaLabel || e.innerText || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []
