"""One's own desk in a real browser: who calls, what can be done about the call in hand, what it was."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from ..integration.web_lab import WebLab  # noqa: TID252
from .conftest import sign_in
from .scenes import SUSPECTED, connected, gone, joined, moved, opened, queued, rung, sought, talking

NUMBER = "+6281234567890"


@pytest.fixture
async def desk(page: Page, lab: WebLab) -> Page:
    """Siti's page, with a call that rings at her desk."""
    await sign_in(page, "siti")
    await connected(page)
    await lab.engine.tell(moved("siti", "available"), opened("c1", NUMBER), queued("c1"))
    await expect(page.locator("#calls")).to_contain_text("Disembunyikan")
    await lab.engine.tell({"type": "CallerAssessed", "call": "c1", **SUSPECTED})
    await lab.engine.tell(rung("c1", "siti"), moved("siti", "offered", call="c1"))
    return page


async def talk_buttons(page: Page) -> list[str]:
    """The actions whose buttons are shown."""
    shown = page.locator("#hand button[data-talk]:visible")
    return [str(await button.get_attribute("data-talk")) for button in await shown.all()]


async def test_caller_and_suspicion_are_told_only_where_it_rings(desk: Page, lab: WebLab) -> None:
    await expect(desk.locator("#hand-call")).to_contain_text(NUMBER)
    await expect(desk.locator("#hand-call")).to_contain_text("4 dari 5 panggilan dalam 30 hari iseng")
    await expect(desk.locator("#hand-call")).to_contain_text("4 of 5 calls in 30 days confirmed prank")
    assert await talk_buttons(desk) == []
    await lab.engine.tell(opened("c2", "+6281200000002"), queued("c2"))
    await lab.engine.tell({"type": "CallerAssessed", "call": "c2", **SUSPECTED}, rung("c2", "budi"))
    other = desk.locator("#calls tr[data-call=c2]")
    await expect(other).to_contain_text("Budi Santoso")
    await expect(other).to_contain_text("Disembunyikan")
    await expect(other).not_to_contain_text("iseng")


async def test_caller_has_not_spoken_until_speech_or_a_key_is_told(desk: Page, lab: WebLab) -> None:
    await lab.engine.tell(*talking("c1", "siti"))
    mark = desk.locator("#calls tr[data-call=c1] .mark")
    await expect(mark).to_contain_text("Belum bersuara")
    await desk.get_by_role("button", name="Minta menekan tombol").click()
    await lab.engine.until_asked({"verb": "talk", "operator": "siti", "action": "challenge"})
    await lab.engine.tell({"type": "CallerChallenged", "call": "c1", "kind": "silent"})
    await lab.engine.tell({"type": "ChallengeAnswered", "call": "c1", "kind": "silent"})
    await expect(mark).to_contain_text("Menekan tombol")
    await lab.engine.tell({"type": "CallerSpoke", "call": "c1"})
    await expect(mark).to_have_count(0)
    await expect(desk.get_by_role("button", name="Minta menekan tombol")).to_be_hidden()


async def test_ambulance_is_joined_and_left_with_the_caller_when_the_buttons_are_pressed(
    desk: Page, lab: WebLab
) -> None:
    await lab.engine.tell(*talking("c1", "siti"))
    row = desk.locator("#calls tr[data-call=c1]")
    await expect(row).to_contain_text("Berbicara")
    assert await talk_buttons(desk) == ["medical", "join", "consult", "transfer", "challenge"]
    await desk.get_by_role("button", name="Sambungkan ambulans").click()
    await lab.engine.until_asked({"verb": "talk", "operator": "siti", "action": "join", "target": "medical"})
    await lab.engine.tell(sought("c1", "medical", "medical"), rung("c1", None, number=2, destination="RSUD"))
    await expect(row).to_contain_text("Ambulans (RSUD): dihubungi")
    assert await talk_buttons(desk) == ["drop"]
    await lab.engine.tell(joined("c1", "medical", "RSUD"))
    await expect(row).to_contain_text("Bertiga")
    await expect(row).to_contain_text("Ambulans (RSUD): belum bersuara")
    lab.engine.refusal = "not_spoken"
    await desk.get_by_role("button", name="Serahkan, saya keluar").click()
    await expect(desk.locator("#desk-error")).to_contain_text("belum bersuara")
    await expect(desk.locator("#desk-error")).to_contain_text("stay with the caller")
    lab.engine.refusal = None
    await lab.engine.tell({"type": "PartySpoke", "call": "c1", "offer": "c1.o2", "name": "medical"})
    await expect(row).to_contain_text("tersambung")
    await desk.get_by_role("button", name="Serahkan, saya keluar").click()
    await lab.engine.until_asked(action="leave")
    left = {"type": "OperatorLeft", "call": "c1", "offer": "c1.o1", "operator": "siti", "confirmed": True}
    await lab.engine.tell(left, moved("siti", "wrap_up"))
    await expect(row).to_contain_text("Dengan instansi saja")
    await expect(row).not_to_contain_text("dicari")
    await expect(desk.locator("#hand")).to_be_hidden()


async def test_operator_is_sought_when_the_ambulance_alone_is_with_the_caller(page: Page, lab: WebLab) -> None:
    await sign_in(page, "wati")
    await connected(page)
    await lab.engine.tell(
        opened("c1", NUMBER), queued("c1"), sought("c1", "medical", "medical", mode="direct", by=None)
    )
    await lab.engine.tell(rung("c1", None, number=2, destination="RSUD"))
    await lab.engine.tell(joined("c1", "medical", "RSUD", three_way=False))
    row = page.locator("#calls tr")
    await expect(row).to_contain_text("Petugas dicari")
    await lab.engine.tell(gone("c1", "medical", "silent"), queued("c1"))
    await expect(row).to_contain_text("Menunggu")
    await expect(row).to_contain_text("Ambulans: dihubungi")


async def test_consultation_goes_back_or_on_as_three_when_the_buttons_are_pressed(desk: Page, lab: WebLab) -> None:
    await lab.engine.tell(*talking("c1", "siti"))
    row = desk.locator("#calls tr[data-call=c1]")
    await expect(row).to_contain_text("Berbicara")
    await desk.get_by_role("button", name="Konsultasi").click()
    await expect(desk.locator("#desk-error")).to_contain_text("agency, colleague or number first")
    await expect(desk.locator("#target")).to_be_focused()
    assert await desk.locator("#targets option").count() == 3  # two agencies, and Budi who is ready
    await desk.locator("#target").fill("polisi")
    await desk.get_by_role("button", name="Konsultasi").click()
    await lab.engine.until_asked({"verb": "talk", "operator": "siti", "action": "consult", "target": "polisi"})
    await expect(desk.locator("#target")).to_have_value("")
    began = {"type": "ConsultationBegan", "call": "c1", "offer": "c1.o2", "number": 1, "operator": "siti"}
    await lab.engine.tell(sought("c1", "polisi", "agency", mode="consult"), {**began, "name": "polisi"})
    await expect(row).to_contain_text("Konsultasi")
    await expect(row).to_contain_text("Polisi: konsultasi")
    assert await talk_buttons(desk) == ["merge", "return", "leave"]
    await desk.get_by_role("button", name="Gabungkan bertiga").click()
    await lab.engine.until_asked(action="merge")
    await lab.engine.tell({"type": "ConsultationEnded", "call": "c1", "number": 1}, joined("c1", "polisi", "Polres"))
    await expect(row).to_contain_text("Bertiga")
    await desk.get_by_role("button", name="Lepaskan pihak ketiga").click()
    await lab.engine.until_asked(action="drop")
    await lab.engine.tell(gone("c1", "polisi", "dropped"))
    await expect(row).to_contain_text("Berbicara")
    await expect(row).not_to_contain_text("Polisi")


async def test_colleague_has_the_call_when_the_party_became_the_person(desk: Page, lab: WebLab) -> None:
    await lab.engine.tell(*talking("c1", "siti"), sought("c1", "budi", "colleague"))
    await lab.engine.tell(joined("c1", "budi", ""))
    row = desk.locator("#calls tr[data-call=c1]")
    await expect(row).to_contain_text("+ Budi Santoso")
    left = {"type": "OperatorLeft", "call": "c1", "offer": "c1.o1", "operator": "siti", "confirmed": True}
    await lab.engine.tell(left, gone("c1", "budi", "became_person"), moved("siti", "wrap_up"))
    await expect(row.locator("td").last).to_have_text("Budi Santoso")
    await expect(row).to_contain_text("Berbicara")


async def test_dialled_number_is_hidden_from_colleagues_when_a_number_is_joined(page: Page, lab: WebLab) -> None:
    await sign_in(page, "siti")
    await connected(page)
    await lab.engine.tell(opened("c1", NUMBER), queued("c1"), rung("c1", "budi"), *talking("c1", "budi"))
    await lab.engine.tell(sought("c1", "08123456789", "number", by="budi"), joined("c1", "08123456789", "08123456789"))
    row = page.locator("#calls tr")
    await expect(row).to_contain_text("Nomor luar")
    await expect(row).not_to_contain_text("08123456789")


async def test_call_is_classified_in_hand_and_in_the_wrap_up(desk: Page, lab: WebLab) -> None:
    await lab.engine.tell(*talking("c1", "siti"))
    group = desk.get_by_role("group", name="Panggilan ini")
    await group.get_by_role("button", name="Benar").click()
    await expect(desk.locator("#desk-error")).to_contain_text("Tidak ditemukan")
    asked = {"verb": "classify", "classification": "normal", "by": "siti", "call": "c1", "operator": "siti"}
    lab.engine.present["operators"][0].update(call="c1")
    await group.get_by_role("button", name="Benar").click()
    await expect(group.get_by_role("button", name="Benar")).to_have_attribute("aria-pressed", "true")
    await lab.engine.until_asked(asked)
    lab.engine.present["operators"][0].update(call=None, last_call="c1")
    await lab.engine.tell({"type": "CallEnded", "call": "c1", "stage": "answered", "ended_by": "caller", "cause": 16})
    await lab.engine.tell(moved("siti", "wrap_up"))
    last = desk.get_by_role("group", name="Panggilan terakhir")
    await last.get_by_role("button", name="Iseng").click()
    await expect(last.get_by_role("button", name="Iseng")).to_have_attribute("aria-pressed", "true")
    await expect(last.get_by_role("button", name="Benar")).to_have_attribute("aria-pressed", "false")
    await lab.engine.until_asked({**asked, "classification": "prank"})
    await desk.get_by_role("button", name="Siap lagi").click()
    await expect(desk.locator("#desk-state")).to_contain_text("Siap")


async def test_reason_is_chosen_and_shown_with_its_time_when_pausing(page: Page, lab: WebLab) -> None:
    await sign_in(page, "siti")
    await connected(page)
    await lab.engine.tell(moved("siti", "available"))
    await page.get_by_label("Alasan jeda").select_option("ibadah")
    await page.locator("#desk").get_by_role("button", name="Jeda").click()
    await lab.engine.until_asked({"verb": "pause", "operator": "siti", "reason": "ibadah"})
    await expect(page.locator("#desk-state")).to_contain_text("Ibadah Prayer")
    await expect(page.locator("#desk-since")).to_contain_text("0:0")
    await expect(page.locator("#operators")).to_contain_text("Ibadah Prayer")
    await lab.engine.tell(moved("siti", "paused", reason="no_answer"))
    await expect(page.locator("#desk-state")).to_contain_text("Tidak mengangkat")
