# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages of vpnha and of the lab in Debian's chromium: nothing is loaded, nothing is wrong in
the console, each text can be read. $SCREENSHOTS is a directory for pictures, if somebody wants to
look."""
from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pages

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER and webdriver),
    reason="apt-get install chromium chromium-driver python3-selenium")

# Of each page words that have to be seen.
PAGES = {
    "cluster": ("Gateway dialin", "gate opened", "Sessions that would be lost"),
    "cluster-in-trouble": ("quorum", "And 11 more."),
    "cluster-without-vpnhad": ("nobody.socket",),
    "drill": ("Drill node-power of gateway dialin", "silence 301 ms", "client1: round trip to",
              "Nothing was amiss."),
    "drill-in-trouble": ("Known before", "the clock of gw3 is 2.4 s away"),
    "report": ("A VPN gateway dies", "Figures"),
}
SIZES = {"wide": (1280, 1000), "narrow": (390, 800)}
SCHEMES = ("light", "dark")
PICTURE_HEIGHT_MAX = 6000
# Of text on what is behind it: WCAG 2.1, 1.4.3.
CONTRAST_MIN = 4.5

# What is wrong with the page as it is laid out. A drawing, or a table, that is wider than the page
# may be scrolled within its frame, and what is in it is measured there.
LOOKS = """
const faults = [];
const [limit] = arguments;
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth)
  faults.push(`the page is ${root.scrollWidth} wide, of ${root.clientWidth}`);
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(each => each / 255)
  .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
  .reduce((sum, each, i) => sum + each * [0.2126, 0.7152, 0.0722][i], 0);
// In a drawing the shape that it stands on, as far as that covers what is behind.
function ground(element) {
  element.scrollIntoView({block: 'nearest', inline: 'nearest'});
  const box = element.getBoundingClientRect();
  const shape = element.closest('svg') && document.elementsFromPoint(
      (box.left + box.right) / 2, (box.top + box.bottom) / 2).find(each => {
    const style = getComputedStyle(each);
    return each.closest('svg') && !['text', 'tspan', 'svg'].includes(each.tagName) &&
      style.fill !== 'none' && style.fillOpacity === '1';
  });
  if (shape) return numbers(getComputedStyle(shape).fill);
  for (let each = element; each; each = each.parentElement) {
    const found = numbers(getComputedStyle(each).backgroundColor);
    if (found.length < 4 || found[3] === 1) return found;
  }
  return [255, 255, 255];
}
function look(element, text) {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || style.visibility !== 'visible')
    faults.push(`not seen: ${text}`);
  const colour = element.closest('svg') ? style.fill : style.color;
  const [a, b] = [light(numbers(colour)), light(ground(element))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < limit) faults.push(`contrast ${contrast.toFixed(1)}: ${text}`);
}
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  const text = walk.currentNode.textContent.trim();
  if (text && !element.closest('title, script')) look(element, text);
}
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(
    each => [each.textContent, each.getBoundingClientRect()]);
  for (const [text, box] of texts)
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1)
      faults.push(`cut off: ${text}`);
  texts.forEach(([text, box], i) => texts.slice(i + 1).forEach(([other, its]) => {
    const wide = Math.min(box.right, its.right) - Math.max(box.left, its.left);
    const high = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
    if (wide > 1 && high > box.height / 3) faults.push(`one over the other: ${text} | ${other}`);
  }));
}
return faults;
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    pages.write_all(made)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--disable-background-networking", "--force-device-scale-factor=1"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(service=Service(DRIVER), options=options)
    yield found
    found.quit()


def asked_for(browser: Any) -> list[str]:
    """Whatever the page has asked for, itself among it."""
    messages = [json.loads(each["message"])["message"] for each in browser.get_log("performance")]
    return [each["params"]["request"]["url"] for each in messages
            if each["method"] == "Network.requestWillBeSent"]


def keep_picture(browser: Any, name: str) -> None:
    if where := os.environ.get("SCREENSHOTS"):
        Path(where).mkdir(parents=True, exist_ok=True)
        browser.get_screenshot_as_file(f"{where}/{name}.png")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_and_can_be_read(directory: Path, browser: Any, page: str,
                                              scheme: str, size: str):
    def emulate(height: int) -> None:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": SIZES[size][0], "height": height, "deviceScaleFactor": 1, "mobile": False})

    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    emulate(SIZES[size][1])
    browser.get_log("performance")
    browser.get_log("browser")
    address = (directory / f"{page}.html").as_uri()
    browser.get(address)
    assert asked_for(browser) == [address]
    assert browser.get_log("browser") == []
    height = browser.execute_script("return document.documentElement.scrollHeight")
    emulate(min(height, PICTURE_HEIGHT_MAX))
    keep_picture(browser, f"{page}-{scheme}-{size}")
    words = browser.execute_script("return document.body.innerText + "
                                   "[...document.querySelectorAll('svg text')]"
                                   ".map(each => each.textContent).join('\\n')")
    assert [each for each in PAGES[page] if each not in words] == []
    assert browser.execute_script(LOOKS, CONTRAST_MIN) == []


def test_the_looks_find_what_is_wrong(tmp_path: Path, browser: Any):
    page = tmp_path / "wrong.html"
    page.write_text("""<!DOCTYPE html><body style="background: #fff">
<p style="color: #bbb">pale</p><p style="font-size: 0">gone</p>
<svg width="100" height="50"><text x="90" y="20">cut off at the right</text>
<text x="0" y="40">one</text><text x="2" y="41">other</text></svg>
<p style="width: 4000px">wide</p><script src="http://127.0.0.1:9/x.js"></script></body>""")
    browser.get_log("performance")
    browser.get(page.as_uri())
    assert asked_for(browser)[1:] == ["http://127.0.0.1:9/x.js"]
    assert len(browser.get_log("browser")) == 1
    faults = browser.execute_script(LOOKS, CONTRAST_MIN)
    assert [fault.split(":")[0].split(" 1.")[0] for fault in faults if "wide" not in fault] == [
        "contrast", "not seen", "cut off", "one over the other"]
    assert any("4000" in fault or "wide" in fault for fault in faults)
