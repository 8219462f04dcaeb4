from __future__ import annotations

import pytest

from callflow.ami.reading import QueueSeen, Seen, TrunkSeen
from callflow.ami.standing import Standing
from callflow.core.ids import TrunkRoute

TELCO = TrunkRoute("trunk-telco")


@pytest.mark.parametrize("seen", [TrunkSeen(TELCO, False), QueueSeen(0)])
def test_news_is_there_once_when_the_same_is_seen_twice(seen: Seen) -> None:
    standing = Standing()
    standing.see(seen)
    assert standing.news.is_set()
    standing.news.clear()
    standing.see(seen)
    assert not standing.news.is_set()


def test_nothing_is_known_and_no_news_when_disconnected() -> None:
    standing = Standing()
    standing.see(TrunkSeen(TELCO, True))
    standing.news.clear()
    standing.disconnected()
    assert (standing.trunks, standing.waiting, standing.news.is_set()) == ({}, None, False)
