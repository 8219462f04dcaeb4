"""A real browser on a running web with a fake engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from ..history.after_test import pytest_pyfunc_call  # noqa: F401, TID252 a hook of this layer
from ..integration.web_lab import PASSWORD, WebLab, web_lab  # noqa: TID252

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[WebLab]:
    async with web_lab(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium")
    return str(CHROMIUM)


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield running
        await running.close()


@pytest.fixture
async def context(browser: Browser, lab: WebLab) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(base_url=lab.url, locale="id-ID", viewport={"width": 1280, "height": 860})
    opened.set_default_timeout(10_000)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page; an error in its script fails the test."""
    faults: list[str] = []
    opened = await context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    await opened.goto("/")
    yield opened
    assert faults == []


async def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    await page.get_by_label("Nama masuk").fill(login)
    await page.get_by_label("Kata sandi").fill(password)
    await page.get_by_role("button", name="Masuk").click()
