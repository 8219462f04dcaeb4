from __future__ import annotations

from datetime import UTC, datetime

from callflow.core.centre_facts import AlarmCleared, AlarmKind
from callflow.engine.hub import KEPT, QUEUED_AT_MOST, Hub

FACT = AlarmCleared(at=datetime(2026, 1, 5, tzinfo=UTC), kind=AlarmKind.NO_FLOW, subject="")


async def test_every_follower_gets_each_frame_when_facts_are_published() -> None:
    hub = Hub()
    with hub.follow() as one, hub.follow() as two:
        hub.publish(7, [FACT])
        assert one.get_nowait() == two.get_nowait() == (7, (FACT,))
        assert one.empty()


async def test_nothing_is_sent_when_a_turn_notes_nothing() -> None:
    hub = Hub()
    with hub.follow() as follower:
        hub.publish(7, [])
        assert follower.empty()


async def test_nothing_more_is_sent_when_a_follower_has_left() -> None:
    hub = Hub()
    with hub.follow() as follower:
        pass
    hub.publish(7, [FACT])
    assert follower.empty()


async def test_only_what_was_missed_is_given_when_a_follower_resumes() -> None:
    hub = Hub()
    for seq in (4, 6, 9):
        hub.publish(seq, [FACT])
    assert hub.since(3) == ((4, (FACT,)), (6, (FACT,)), (9, (FACT,)))
    assert hub.since(6) == ((9, (FACT,)),)
    assert hub.since(9) == ()


async def test_nothing_is_resumed_when_what_was_missed_is_not_kept() -> None:
    hub = Hub()
    assert hub.since(1) is None
    for seq in range(10, 10 + KEPT + 5):
        hub.publish(seq, [FACT])
    assert hub.since(10) is None
    assert hub.since(13) is None
    frames = hub.since(14)
    assert frames is not None
    assert len(frames) == KEPT


async def test_follower_is_cut_off_when_it_does_not_read() -> None:
    hub = Hub()
    with hub.follow() as idle, hub.follow() as reader:
        for seq in range(QUEUED_AT_MOST + 2):
            hub.publish(seq, [FACT])
            assert reader.get_nowait() == (seq, (FACT,))
        for seq in range(QUEUED_AT_MOST):
            assert idle.get_nowait() == (seq, (FACT,))
        assert idle.get_nowait() is None
        assert idle.empty()
