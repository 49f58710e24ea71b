"""The page as a person meets it: opened from disk in Chromium, clicked, typed into, printed, held on a phone."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("selenium", reason="selenium is not installed: pip install 'pocket-combine[browser]'")

from example_report import HOSTILE, example_report, hostile_report
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from pocket_combine.report.contents import Report
from pocket_combine.report.page import detail_anchor, render

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,900"
)
REPORTS = {
    "example": example_report(30, 3),
    "large": example_report(300, 40, blind=False),
    "hostile": hostile_report(),
    "empty": Report("nothing", True, {}, ()),
}


class Page:
    """A page in a browser."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(self, name: str, place: str = "") -> None:
        path = self.folder / f"{name}.html"
        if not path.exists():
            path.write_text(render(REPORTS[name]), encoding="utf-8")
        # From another page, so that what follows the # is new too.
        self.driver.get("about:blank")
        self.driver.get(path.as_uri() + (f"#{place}" if place else ""))

    def run(self, program: str, *arguments: Any) -> Any:
        return self.driver.execute_script(program, *arguments)

    def devtools(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Texts of what is shown and not filtered away."""
        program = (
            "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).map(e => e.innerText)"
        )
        found: list[str] = self.run(program, selector)
        return found

    def column(self, number: int) -> list[str]:
        """The shown texts of a column of the ranking, from 1."""
        return self.texts(f"#impacts tbody tr > :nth-child({number})")

    def head(self, number: int) -> Any:
        return self.find(f"#impacts thead th:nth-child({number})")

    def press(self, key: str) -> None:
        ActionChains(self.driver).send_keys(key).perform()

    def wait(self, condition: Callable[[], Any]) -> None:
        WebDriverWait(self.driver, 5, poll_frequency=0.02).until(lambda _: condition())

    def wait_closed(self) -> None:
        """Wait until no detail is open and the page has heard of it, which a browser tells it a moment later."""
        self.wait(lambda: self.detail == self.place == "")

    @property
    def detail(self) -> str:
        """The head of the detail that is open."""
        return str(self.run("return document.querySelector('dialog.panel[open] h3')?.innerText ?? ''"))

    @property
    def place(self) -> str:
        return str(self.run("return location.hash"))

    @property
    def focused(self) -> str:
        return str(self.run("return document.activeElement.innerText"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        pytest.skip("Chromium or its driver is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0] or ""
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The path of the driver is given, so that selenium looks for none and downloads none.
    started = webdriver.Chrome(options=options, service=Service(programs[1]))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def page(driver: webdriver.Chrome, folder: Path) -> Iterator[Page]:
    opened = Page(driver, folder)
    driver.get("about:blank")
    for kind in ("browser", "performance"):
        driver.get_log(kind)  # what other tests left behind
    yield opened
    assert [entry["message"] for entry in driver.get_log("browser")] == []
    for command in ("clearDeviceMetricsOverride", "setEmulatedMedia"):
        opened.devtools(f"Emulation.{command}")
    opened.devtools("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("name", REPORTS)
def test_opening_asks_the_network_for_nothing(page: Page, name: str) -> None:
    page.open(name)
    assert page.find("h1").text
    log = page.driver.get_log("performance")
    messages = [json.loads(entry["message"])["message"] for entry in log]
    requests = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert requests
    assert {url.split(":")[0] for url in requests} <= {"file", "data"}
    assert page.run("return document.documentElement.classList.contains('js')")


def test_the_policy_stops_requests_and_foreign_programs(page: Page) -> None:
    page.open("example")
    program = """
    const done = arguments[0], blocked = [];
    addEventListener("securitypolicyviolation", (event) => {
      blocked.push(event.effectiveDirective);
      if (blocked.length === 3) done(blocked.sort());
    });
    const script = document.createElement("script");
    script.textContent = "document.title = 'stolen'";
    const image = document.createElement("img");
    image.src = "http://127.0.0.1:9/x.png";
    document.body.append(script, image);
    fetch("http://127.0.0.1:9/").catch(() => 0);
    """
    blocked = page.driver.execute_async_script(program)
    assert blocked == ["connect-src", "img-src", "script-src-elem"]
    assert page.driver.title.startswith("ttH(bb)")
    page.driver.get_log("browser")  # says what was blocked


def test_unsafe_texts_do_nothing(page: Page) -> None:
    page.open("hostile", detail_anchor(HOSTILE))
    seen = HOSTILE.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert page.run("return document.querySelector('h1').textContent") == seen
    assert page.run("return document.querySelector('dialog[open] h3').textContent") == seen
    assert page.run("return document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
    assert "stolen" not in page.driver.title.removeprefix(seen)


def number(text: str) -> float:
    return float(text.replace("−", "-").lstrip("!✗ "))


def test_a_click_on_a_head_sorts_up_then_down_then_back(page: Page) -> None:
    page.open("large")
    original = [str(place) for place in range(1, 301)]
    assert page.column(1) == original
    states = []
    for direction in (1, -1):
        page.head(4).click()
        values = [number(text) for text in page.column(4)]
        assert len(values) == 300
        assert values == sorted(values, reverse=direction < 0)
        states.append(page.head(4).get_attribute("aria-sort"))
    page.head(4).click()
    assert page.column(1) == original
    assert [*states, page.head(4).get_attribute("aria-sort")] == ["ascending", "descending", "none"]


def test_rows_without_a_number_come_last_both_ways_and_texts_sort_by_their_numbers(page: Page) -> None:
    page.open("example")
    missing = ["–"] * 3
    page.head(5).click()
    assert page.column(5)[-3:] == missing
    assert [number(text) for text in page.column(5)[:27]] == sorted(number(text) for text in page.column(5)[:27])
    page.head(5).click()
    assert page.column(5)[-3:] == missing
    page.head(2).click()
    assert page.head(5).get_attribute("aria-sort") == "none"
    names = [name for name in page.column(2) if name.startswith("CMS_effect")]
    assert names == sorted(names, key=lambda name: int(name.split("_")[-1]))


def test_tables_are_sorted_with_the_keyboard(page: Page) -> None:
    page.open("example")
    page.run("document.querySelector('#card thead th:nth-child(2) button').focus()")
    page.press(Keys.ENTER)
    assert page.texts("#card tbody tr > :nth-child(2)") == ["98.1", "109.2", "1,204.9", "–"]
    page.press(Keys.SPACE)
    assert page.texts("#card tbody tr > :nth-child(2)") == ["1,204.9", "109.2", "98.1", "–"]


def test_a_filter_keeps_the_rows_with_all_words(page: Page) -> None:
    page.open("large")
    field = page.find("#impacts input")
    field.send_keys("EFFECT_29")
    assert page.column(2) == [f"CMS_effect_{place}" for place in (29, *range(290, 300))]
    assert page.find("#impacts output").text == "11 of 300 rows"
    field.send_keys(" shape?")
    kinds = page.column(3)
    assert set(kinds) == {"shape?"}
    assert page.find("#impacts output").text == f"{len(kinds)} of 300 rows"
    page.head(1).click()
    assert page.column(3) == kinds, "what is filtered away stays away when sorted"
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("no such nuisance")
    assert page.find("#impacts output").text == "0 of 300 rows"
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE)
    assert page.find("#impacts output").text == "300 rows"


def test_a_click_on_a_row_opens_its_detail_and_escape_closes_it(page: Page) -> None:
    page.open("example")
    page.find("#impacts tbody tr:nth-child(2) td:nth-child(4)").click()
    page.wait(lambda: page.detail == "CMS_effect_2")
    assert page.place == "#detail/CMS_effect_2"
    image = page.find("dialog.panel[open] img")
    page.wait(lambda: page.run("return arguments[0].complete && arguments[0].naturalWidth > 0", image))
    assert image.is_displayed()
    assert image.rect["width"] > 200
    assert page.texts("dialog.panel[open] .caption") == ["Change of the yields"]
    page.find("dialog.panel[open] thead th:nth-child(1) button").click()
    assert page.texts("dialog.panel[open] tbody th")[0] == "CR_nJets_run3"
    page.press(Keys.ESCAPE)
    page.wait_closed()
    assert page.focused == "CMS_effect_2"
    assert page.run("return document.querySelectorAll('.details > article').length") == 30


def test_the_panel_steps_through_the_rows_as_they_are_shown(page: Page) -> None:
    page.open("example")
    page.find("#impacts input").send_keys("effect_1")
    page.head(1).click()
    page.head(1).click()
    shown = page.column(2)
    assert shown[:2] == ["CMS_effect_19", "CMS_effect_18"]
    page.find("#impacts tbody tr:not([hidden]) a").click()
    page.wait(lambda: page.detail == shown[0])
    assert page.texts("dialog.panel .place") == [f"1 of {len(shown)}"]
    assert not page.find("[data-do='previous']").is_enabled()
    page.find("[data-do='next']").click()
    assert page.detail == shown[1]
    page.press(Keys.ARROW_RIGHT)
    assert (page.detail, page.place) == (shown[2], f"#detail/{shown[2]}")
    page.press(Keys.ARROW_LEFT)
    page.find("dialog.panel [data-do='close']").click()
    page.wait_closed()
    assert page.focused == shown[1]


def test_an_address_opens_a_detail_and_back_closes_it(page: Page) -> None:
    page.open("example", "detail/CMS_effect_3")
    page.wait(lambda: page.detail == "CMS_effect_3")
    page.press(Keys.ESCAPE)
    page.wait_closed()
    page.find("#impacts tbody tr:nth-child(5) a").click()
    page.wait(lambda: page.detail == "CMS_effect_5")
    page.driver.back()
    page.wait_closed()
    for unknown in ("detail/none", "impacts", "%", "page/details"):
        page.open("example", unknown)
        assert page.detail == ""


def test_figures_are_enlarged_above_a_detail(page: Page) -> None:
    page.open("example", "detail/CMS_effect_1")
    page.wait(lambda: page.detail == "CMS_effect_1")
    small = page.find("dialog.panel[open] img").rect["width"]
    page.find("dialog.panel[open] .enlarge").click()
    large = page.find("dialog.enlarged[open] img")
    assert large.rect["width"] > 2 * small
    assert large.get_attribute("alt") == "Histogram of SR_run3_1"
    page.press(Keys.ESCAPE)
    assert page.driver.find_elements(By.CSS_SELECTOR, "dialog.enlarged[open]") == []
    assert page.detail == "CMS_effect_1"


def test_a_command_is_copied(page: Page) -> None:
    page.open("example")
    origin = {"permission": {"name": "clipboard-read"}, "setting": "granted"}
    page.devtools("Browser.setPermission", **origin)
    button = page.find("#checks .how .copy")
    button.click()
    page.wait(lambda: button.text == "Copied")
    read = "navigator.clipboard.readText().then(arguments[0], (error) => arguments[0](String(error)))"
    copied = page.driver.execute_async_script(read)
    assert copied == "pocket-combine cards check datacards/combined.txt"


@pytest.mark.parametrize("name", ["example", "hostile", "empty"])
@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_window(page: Page, name: str, width: int) -> None:
    page.devtools(
        "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 500
    )
    page.open(name)
    sizes = "const box = document.querySelector(arguments[0]); return [box.scrollWidth, box.clientWidth]"
    content, shown = page.run(sizes, ":root")
    assert content <= shown <= width
    detail = page.run("return document.querySelector('article')?.id ?? ''")
    if detail:
        page.open(name, detail)
        content, shown = page.run(sizes, "dialog[open] .body")
        assert content <= shown <= width


def test_long_tables_scroll_below_their_heads(page: Page) -> None:
    page.open("large")
    box = page.find("#impacts .scroll")
    assert box.rect["height"] < 750
    page.run("arguments[0].scrollTop = 4000", box)
    assert page.head(4).rect["y"] < page.run("return arguments[0].getBoundingClientRect().top + scrollY + 60", box)
    assert page.run("return arguments[0].tabIndex", box) == 0, "reached with the keyboard"


def print_pages(page: Page) -> tuple[int, int]:
    """How many pages and pictures the printed page has."""
    printed = page.devtools("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
    content = base64.b64decode(printed["data"])
    return len(re.findall(rb"/Type\s*/Page\b", content)), len(re.findall(rb"/Subtype\s*/Image\b", content))


@pytest.mark.parametrize("place", ["", "detail/CMS_effect_2"])
def test_the_printed_page_has_every_section_and_every_figure(page: Page, place: str) -> None:
    page.open("example", place)
    pages, pictures = print_pages(page)
    assert pages >= 5
    assert pictures == 4 + 2 * 3, "figures of the sections, and those of details, which were never shown"


def test_without_javascript_everything_can_be_read(page: Page) -> None:
    page.devtools("Emulation.setScriptExecutionDisabled", value=True)
    page.open("example")
    assert not page.find(".filter").is_displayed()
    assert page.find("[id='detail/CMS_effect_2'] img").is_displayed()
    page.find("#impacts tbody tr:nth-child(2) a").click()
    page.wait(lambda: page.driver.current_url.endswith("#detail/CMS_effect_2"))
    page.wait(lambda: page.find("[id='detail/CMS_effect_2']").location_once_scrolled_into_view["y"] < 200)


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_wish_for_dark_and_figures_stay_on_white(page: Page, scheme: str, dark: bool) -> None:
    page.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open("example")
    colour = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    assert page.run(colour, ".frame") == "rgb(255, 255, 255)"
    assert (sum(map(int, re.findall(r"\d+", page.run(colour, "body")))) < 120) == dark
