"""The page in a real browser: signing in, calls as they happen, the desk by keyboard, hostile text."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from callflow.core.city import Classification
from callflow.core.facts import PartyKind, PartyMode, Stage
from callflow.storage.models import Call, Consultation, Party, Recording

from ..integration.web_lab import WebLab  # noqa: TID252
from .conftest import sign_in
from .scenes import busy_afternoon, connected, finished_calls, opened

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "javascript:document.title='owned'",
    '"><svg onload=alert(1)>',
    "\u202e211\u0000\u0007" + "A" * 100,
)


async def test_board_is_shown_when_the_password_fits_and_the_login_again_after_leaving(page: Page) -> None:
    await sign_in(page, "wati")
    await expect(page.get_by_role("heading", name="Panggilan berlangsung")).to_be_visible()
    await connected(page)
    await expect(page.locator("#centre-name")).to_have_text("Pusat Panggilan 112 Banyuwangi")
    await page.get_by_role("button", name="Keluar").click()
    await expect(page.get_by_label("Nama masuk")).to_be_focused()
    await page.reload()
    await expect(page.get_by_label("Nama masuk")).to_be_visible()


async def test_reason_is_told_and_the_field_is_ready_when_the_password_is_wrong(page: Page) -> None:
    await sign_in(page, "wati", "salah-salah-salah")
    await expect(page.get_by_role("alert").filter(has_text="kata sandi salah")).to_be_visible()
    await expect(page.get_by_label("Kata sandi")).to_be_focused()
    await expect(page.get_by_role("heading", name="Panggilan berlangsung")).to_be_hidden()


async def test_call_appears_moves_and_leaves_when_the_engine_tells_so(page: Page, lab: WebLab) -> None:
    await sign_in(page, "wati")
    await connected(page)
    row = page.locator("#calls tr")
    await lab.engine.tell(opened("c1", "+6281234567890", seconds_ago=65))
    await expect(row).to_contain_text(["+6281234567890"])
    await expect(row).to_contain_text(["1:0"])
    await lab.engine.tell(
        {"type": "CallQueued", "call": "c1", "tier": "gawat_darurat", "skill": "health", "reason": "flow"}
    )
    await expect(row).to_contain_text(["Menunggu"])
    offer = {"call": "c1", "offer": "c1.o1", "operator": "siti", "destination": None}
    await lab.engine.tell({"type": "OfferMade", **offer})
    await expect(row).to_contain_text(["Berdering"])
    await lab.engine.tell({"type": "CallConnected", **offer})
    await expect(row).to_contain_text(["Berbicara"])
    await expect(row).to_contain_text(["Siti Aminah"])
    await lab.engine.tell({"type": "CallEnded", "call": "c1", "stage": "answered", "ended_by": "caller", "cause": 16})
    await expect(row).to_have_count(0)
    await expect(page.locator("#calls-empty")).to_be_visible()


async def test_operator_works_the_desk_when_there_is_only_a_keyboard(page: Page, lab: WebLab) -> None:
    keys = page.keyboard
    await expect(page.get_by_label("Nama masuk")).to_be_focused()
    await keys.type("siti")
    await keys.press("Tab")
    await keys.type("benar-sekali-rahasia")
    await keys.press("Enter")
    await connected(page)
    for press, verb, state in (
        ("Mulai bertugas", "sign_in", "Siap"),
        ("Jeda", "pause", "Makan"),
        ("Siap lagi", "resume", "Siap"),
        ("Selesai bertugas", "sign_out", "Tidak bertugas"),
    ):
        await tab_to(page, press)
        await keys.press("Enter")
        await expect(page.locator("#desk-state")).to_contain_text(state)
        await lab.engine.until_asked(verb=verb)
        assert await page.evaluate("document.activeElement.closest('#desk-buttons') !== null"), "focus was lost"


async def tab_to(page: Page, words: str) -> None:
    """Press Tab until the button of the desk with these words has the focus."""
    for _ in range(20):
        focused = await page.evaluate("document.activeElement.closest('#desk') && document.activeElement.textContent")
        if focused and words in focused:
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"Tab never reached {words!r}")


async def test_refusal_is_told_in_words_when_the_last_one_present_wants_to_leave(page: Page, lab: WebLab) -> None:
    await sign_in(page, "siti")
    await connected(page)
    siti = {"operator": "siti", "state": "available", "reason": "", "online": True, "call": None}
    await lab.engine.tell({"type": "OperatorMoved", **siti})
    lab.engine.refusal = "last_present"
    await page.locator("#desk").get_by_role("button", name="Selesai bertugas").click()
    await expect(page.locator("#desk-error")).to_contain_text("petugas terakhir")
    await expect(page.locator("#desk-error")).to_contain_text("ask a supervisor")


async def test_callers_text_stays_text_when_it_is_hostile(page: Page, lab: WebLab) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    await sign_in(page, "wati")
    await connected(page)
    for number, text in enumerate(HOSTILE):
        await lab.engine.tell(opened(f"c{number}", text))
    await lab.engine.tell({"type": "AlarmRaised", "kind": HOSTILE[1], "subject": HOSTILE[0], "detail": HOSTILE[3]})
    await lab.engine.tell(
        {
            "type": "OperatorUpdated",
            "profile": {"operator": "evil", "name": HOSTILE[0], "endpoint": "op-evil", "skills": []},
            "active": True,
        }
    )
    await expect(page.locator("#calls tr")).to_have_count(len(HOSTILE))
    await expect(page.locator("#calls")).to_contain_text("<script>")
    await expect(page.locator("#operators")).to_contain_text("<img src=x")
    assert await page.locator("main :is(script, svg, img[src=x])").count() == 0
    assert await page.title() == "112 · Pusat Panggilan 112 Banyuwangi"
    assert faults == []


async def test_page_says_so_and_recovers_when_the_engine_is_away(page: Page, lab: WebLab) -> None:
    await sign_in(page, "wati")
    await connected(page)
    await lab.engine.stop()
    await expect(page.locator("#link")).to_contain_text("Mesin tidak terhubung")
    await expect(page.locator("#link")).to_contain_text("Engine not connected")
    await expect(page.get_by_role("alert").filter(has_text="tetap dilayani")).to_be_visible()
    await expect(page.get_by_text("Tidak ada panggilan")).to_be_hidden()
    assert await page.evaluate(_CONTRAST) == []
    await lab.engine.start()
    await connected(page)
    await expect(page.get_by_role("alert").filter(has_text="tetap dilayani")).to_be_hidden()
    await lab.engine.until_followed()
    await lab.engine.tell(opened("c1", "+6281234567890"))
    await expect(page.locator("#calls tr")).to_have_count(1)


async def test_record_is_opened_from_the_list_when_a_call_is_over(page: Page, lab: WebLab) -> None:
    arrived = datetime.now(UTC) - timedelta(minutes=5)
    async with lab.sessions.begin() as session:
        session.add(
            Call(
                call_id="pbx1-1.1",
                centre_id="bwi",
                arrived_at=arrived,
                caller_number="+6281234567890",
                caller_raw=HOSTILE[0],
                dialled="112",
                trunk="telkom",
                stage=Stage.ANSWERED,
                operator_id="siti",
                answered_at=arrived + timedelta(seconds=9),
                ended_at=arrived + timedelta(seconds=99),
                fallback=False,
                classification=Classification.NORMAL,
                classified_at=arrived,
                classified_by="siti",
                prank_score=0.2,
                prank_flagged=False,
                prank_reason_id="1 dari 5 iseng",
                prank_reason_en="1 of 5 a prank",
            )
        )
        await session.flush()
        about = {"call_id": "pbx1-1.1", "centre_id": "bwi"}
        place = {**about, "seq": 1, "position": 0}
        polisi = {"name": "polisi", "operator_id": "siti", "destination": HOSTILE[1]}
        session.add(Party(**place, **polisi, kind=PartyKind.AGENCY, mode=PartyMode.CONSULT, sought_at=arrived))
        session.add(Consultation(**about, number=1, operator_id="siti", name="polisi", began_at=arrived))
        for name in ("consult-1", "mixed"):
            session.add(
                Recording(
                    **about,
                    name=name,
                    path=f"pbx1-1.1-{name}.wav",
                    sha256="0" * 64,
                    bytes=8,
                    seconds=90.0,
                    stored_at=arrived,
                )
            )
    await sign_in(page, "wati")
    await page.get_by_role("link", name="Buka catatan pbx1-1.1").click()
    record = page.get_by_role("article")
    await expect(record).to_contain_text("+6281234567890")
    await expect(record).to_contain_text("<img src=x")
    for said in ("Benar", "1 dari 5 iseng", "Instansi", "polisi, <script>", "Konsultasi 1"):
        await expect(record).to_contain_text(said)
    tracks = [await audio.get_attribute("src") for audio in await record.locator("audio").all()]
    assert tracks == [f"/api/v1/calls/pbx1-1.1/recording/{name}" for name in ("mixed", "consult-1")]
    await record.get_by_role("link", name="Kembali").click()
    await expect(page.get_by_role("heading", name="Panggilan berlangsung")).to_be_visible()


_NAMELESS = """() => [...document.querySelectorAll("button, select, input, [role=group], [role=region], section")]
    .filter((each) => each.checkVisibility() && !each.textContent.trim().length && !each.ariaLabel
        && !each.labels?.length && !each.getAttribute("aria-labelledby"))
    .map((each) => each.outerHTML)"""
_CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("login", ["wati", "siti"])
async def test_text_has_contrast_and_controls_have_names_when_light_or_dark(
    browser: Browser, lab: WebLab, tmp_path: Path, scheme: Any, login: str
) -> None:
    """`CALLFLOW_PICTURES=docs pytest tests/browser` renews the README's picture, the light one of a supervisor's."""
    context = await browser.new_context(base_url=lab.url, color_scheme=scheme, viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    await page.goto("/")
    await expect(page.get_by_label("Nama masuk")).to_be_focused()
    assert await page.evaluate(_CONTRAST) == []
    await page.screenshot(path=tmp_path / f"login-{scheme}.png")
    await finished_calls(lab)
    await sign_in(page, login)
    await connected(page)
    await busy_afternoon(lab.engine)
    await expect(page.locator("#alarms")).to_contain_text("Kursi kosong")
    await expect(page.locator("#calls tr")).to_have_count(4)
    assert await page.evaluate(_CONTRAST) == []
    assert await page.evaluate(_NAMELESS) == []
    await page.locator("main").blur()
    folder = Path(os.environ.get("CALLFLOW_PICTURES", tmp_path)) if (login, scheme) == ("wati", "light") else tmp_path
    await page.screenshot(path=folder / "page.png", full_page=True)
    await context.close()


@pytest.mark.parametrize("login", ["wati", "siti"])
@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
async def test_nothing_is_cut_off_when_the_window_has_this_width(
    page: Page, lab: WebLab, width: int, login: str
) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await sign_in(page, login)
    await connected(page)
    await busy_afternoon(lab.engine)
    await expect(page.locator("#calls tr")).to_have_count(4)
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
