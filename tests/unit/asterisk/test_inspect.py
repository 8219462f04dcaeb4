from __future__ import annotations

from pathlib import Path

from callflow.asterisk.inspect import endpoints, missing_modules, sort_log

ENDPOINTS = """
 Endpoint:  <Endpoint/CID.....................................>  <State.....>  <Channels.>
==========================================================================================

 Endpoint:  op-ani                                               Unavailable   0 of inf
     InAuth:  op-ani/op-ani
 Endpoint:  op-budi/0811                                         Not in use    0 of inf
 Endpoint:  trunk-carrier                                        In use        2 of inf
"""


def test_endpoint_can_be_rung_when_its_state_says_so() -> None:
    assert endpoints(ENDPOINTS) == {"op-ani": False, "op-budi": True, "trunk-carrier": True}


def test_module_is_missing_when_named_and_not_running() -> None:
    named = "[modules]\nautoload = no\nrequire = app_dial.so\nload = res_srtp.so\nload = res_ari.so\n"
    shown = "app_dial.so   Dialing  0  Running   core\nres_srtp.so  SRTP  0   Not Running  core\n"
    assert missing_modules(named, shown) == ["res_ari", "res_srtp"]


def test_unclaimed_calls_are_no_faults_when_log_is_sorted(tmp_path: Path) -> None:
    log = tmp_path / "messages.log"
    log.write_text(
        "[2026-01-01 00:00:00.000] NOTICE[1] x.c: fine\n"
        "[2026-01-01 00:00:00.000] WARNING[1][C-1] app_stasis_broadcast.c: Channel PJSIP/t-0: not claimed\n"
        "[2026-01-01 00:00:00.000] WARNING[1] x.c: odd\n"
        "[2026-01-01 00:00:00.000] ERROR[1] x.c: bad\n"
    )
    found = sort_log(log)
    assert (len(found.errors), len(found.warnings), found.unclaimed) == (1, 1, 1)
    assert found.warnings[0].endswith("odd")


def test_log_holds_nothing_when_it_is_not_there(tmp_path: Path) -> None:
    assert sort_log(tmp_path / "none").errors == []
