"""What everybody watches in a real browser: alarms in words, call-backs and their deadlines, the roster."""

from __future__ import annotations

from playwright.async_api import Page, expect

from callflow.core.centre_facts import AlarmKind

from ..integration.web_lab import WebLab  # noqa: TID252
from .conftest import sign_in
from .scenes import ago, connected, moved

NUMBER = "+6281234567890"


async def test_every_alarm_is_told_in_both_languages_until_it_is_cleared(page: Page, lab: WebLab) -> None:
    await sign_in(page, "wati")
    await connected(page)
    for kind in AlarmKind:
        await lab.engine.tell({"type": "AlarmRaised", "kind": kind, "subject": "siti", "detail": "why"})
    alarms = page.locator(".alarm:not([hidden]) strong")
    await expect(alarms).to_have_count(len(AlarmKind))
    for kind, said in zip(AlarmKind, await alarms.all(), strict=True):
        assert kind.replace("_", " ") != await said.inner_text()
        assert await said.locator("[lang=en]").count() == 1
    await expect(page.locator("#alarms")).to_contain_text("Siti Aminah: why")
    for kind in AlarmKind:
        await lab.engine.tell({"type": "AlarmCleared", "kind": kind, "subject": "siti"})
    await expect(page.locator("#alarms")).to_be_hidden()


async def test_callback_is_taken_dialled_and_closed_when_an_operator_does_it(page: Page, lab: WebLab) -> None:
    lab.engine.add_callback("c0", "+6281200000000", owner="budi")
    await lab.engine.show()
    await sign_in(page, "siti")
    await connected(page)
    others = page.locator("#callbacks tr[data-call=c0]")
    await expect(others).to_contain_text("Budi Santoso")
    await expect(others.locator("button:visible")).to_have_count(0)
    await lab.engine.tell({"type": "CallbackOpened", "call": "c1", "number": NUMBER, "deadline": ago(-120)})
    lab.engine.add_callback("c1", NUMBER)
    row = page.locator("#callbacks tr[data-call=c1]")
    await expect(row).to_contain_text(NUMBER)
    await expect(row).to_contain_text("Sisa 1:5")
    await expect(row).to_contain_text("Belum ada")
    await page.get_by_role("button", name=f"Ambil: {NUMBER}").click()
    await expect(row).to_contain_text("Siti Aminah")
    await expect(page.get_by_role("button", name=f"Ambil: {NUMBER}")).to_be_hidden()
    await expect(page.get_by_role("button", name=f"Telepon: {NUMBER}")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("Sedang dihubungi")
    await expect(row.locator("button:visible")).to_have_count(0)
    ended = {"type": "CallEnded", "stage": "outbound_not_reached", "ended_by": "system", "cause": 19}
    await lab.engine.tell({**ended, "call": "c1.b1"})
    await expect(row).to_contain_text("1 percobaan")
    await page.get_by_label(f"Hasil / Outcome: {NUMBER}").select_option("not_reached")
    await page.get_by_role("button", name=f"Tutup: {NUMBER}").click()
    await expect(row).to_have_count(0)
    assert [(asked["action"], asked.get("outcome")) for asked in lab.engine.requests] == [
        ("take", None),
        ("dial", None),
        ("close", "not_reached"),
    ]


async def test_refusal_is_told_when_a_callback_is_settled_meanwhile(page: Page, lab: WebLab) -> None:
    lab.engine.add_callback("c1", NUMBER)
    await lab.engine.show()
    await sign_in(page, "siti")
    await connected(page)
    lab.engine.present["callbacks"].clear()
    await page.get_by_role("button", name=f"Ambil: {NUMBER}").click()
    await expect(page.locator("#callbacks-error")).to_contain_text("sudah selesai")
    await lab.engine.tell({"type": "CallbackClosed", "call": "c1", "outcome": "redialled", "by": "c2"})
    await expect(page.locator("#callbacks-empty")).to_be_visible()


async def test_overdue_is_seen_when_the_deadline_passed_and_after_the_next_was_set(page: Page, lab: WebLab) -> None:
    lab.engine.add_callback("c1", NUMBER, due_seconds=-75, owner="siti")
    await lab.engine.show()
    await sign_in(page, "wati")
    await connected(page)
    row = page.locator("#callbacks tr")
    await expect(row).to_contain_text("Terlambat 1:1")
    await expect(row).to_have_class("overdue")
    await lab.engine.tell({"type": "AlarmRaised", "kind": "callback_overdue", "subject": "c1", "detail": ""})
    await expect(row).to_contain_text("Belum ada")
    assigned = {"type": "CallbackAssigned", "call": "c1", "operator": "budi", "deadline": ago(-119)}
    await lab.engine.tell(assigned)
    await expect(row).to_contain_text("Terlambat, sisa 1:5")
    await expect(row).to_have_class("overdue")
    await lab.engine.tell({"type": "AlarmCleared", "kind": "callback_overdue", "subject": "c1"})
    await expect(row).not_to_have_class("overdue")


async def test_supervisor_gives_a_callback_to_somebody_else(page: Page, lab: WebLab) -> None:
    lab.engine.add_callback("c1", NUMBER, owner="siti")
    await lab.engine.show()
    await sign_in(page, "wati")
    await connected(page)
    await page.get_by_label(f"Petugas / Operator: {NUMBER}").select_option("budi")
    await page.get_by_role("button", name=f"Berikan: {NUMBER}").click()
    await expect(page.locator("#callbacks tr")).to_contain_text("Budi Santoso")
    given = {"verb": "callback", "action": "take", "by": "wati", "operator": "budi", "callback": "c1"}
    assert lab.engine.requests == [given]
    await expect(page.get_by_role("button", name=f"Telepon: {NUMBER}")).to_be_hidden()


async def test_auditor_sees_callbacks_without_numbers_or_buttons(page: Page, lab: WebLab) -> None:
    lab.engine.add_callback("c1", NUMBER)
    await lab.engine.show()
    await sign_in(page, "agus")
    await connected(page)
    row = page.locator("#callbacks tr")
    await expect(row).to_contain_text("Disembunyikan")
    await expect(row.locator("button:visible")).to_have_count(0)
    await expect(page.locator("#desk")).to_be_hidden()


async def test_empty_seat_is_seen_until_that_person_comes(page: Page, lab: WebLab) -> None:
    shift = {"shift": "pagi", "until": ago(-3600), "expected": ["siti", "budi"], "present": ["budi"]}
    following = {"shift": "sore", "at": ago(-3600), "expected": ["siti"]}
    lab.engine.present["roster"] = {"now": [shift], "next": following}
    await lab.engine.show()
    await sign_in(page, "wati")
    await connected(page)
    seats = page.locator("#roster .seats li")
    await expect(seats).to_have_text(["Siti Aminah Kursi kosong Empty seat", "Budi Santoso Hadir There"])
    await expect(page.locator("#roster")).to_contain_text("1/2 hadir")
    await expect(page.locator("#roster")).to_contain_text("sore")
    await lab.engine.tell(moved("siti", "available"))
    await expect(seats.first).to_contain_text("Hadir")
    await expect(page.locator("#roster")).to_contain_text("2/2 hadir")
    await lab.engine.tell(moved("siti", "available", online=False))
    await expect(seats.first).to_contain_text("Kursi kosong")


async def test_roster_and_reasons_are_asked_for_anew_when_they_changed(page: Page, lab: WebLab) -> None:
    await sign_in(page, "siti")
    await connected(page)
    await lab.engine.tell(moved("siti", "available"))
    await expect(page.locator("#roster-empty")).to_be_visible()
    shift = {"shift": "sore", "until": ago(-3600), "expected": ["budi"], "present": []}
    lab.engine.present["roster"] = {"now": [shift], "next": None}
    lab.engine.present["pause_reasons"] = [{"key": "1", "name": "rapat", "label_id": "Rapat", "label_en": "Meeting"}]
    began = {"type": "ShiftBegan", "shift": "sore", "until": ago(-3600), "expected": ["budi"], "present": []}
    await lab.engine.tell(began, {"type": "SettingsApplied", "settings": {}})
    await expect(page.locator("#roster")).to_contain_text("sore")
    await expect(page.get_by_label("Alasan jeda").locator("option")).to_have_text(["Rapat / Meeting"])
