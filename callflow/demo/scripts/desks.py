"""At work and away by feature codes from an operator's own phone, and the last one present."""

from __future__ import annotations

from callflow.demo.cast import OPERATOR_HZ, Cast
from callflow.demo.hearing import told
from callflow.demo.scripts.told import Told, served


async def last_present(cast: Cast) -> list[Told]:
    """*11, *131, *14 with a colleague there; when that one has left by *12, *131 is refused; a call comes."""
    await cast.on_duty("budi")
    await _dial(cast, "siti", "*11", "code_done")
    await cast.operator_is("siti", "available")
    await _dial(cast, "siti", "*131", "code_done")
    await cast.operator_is("siti", "paused")
    await _dial(cast, "siti", "*14", "code_done")
    await cast.operator_is("siti", "available")
    await _dial(cast, "budi", "*12", "code_done")
    await cast.operator_is("budi", "signed_out")
    await _dial(cast, "siti", "*131", "code_last_present")
    await cast.operator_is("siti", "available")
    await cast.answers("siti")
    placed = await cast.dial()
    await placed.phone.send_dtmf("2")
    person = await cast.picked_up("siti")
    await cast.fact(placed, "CallConnected", operator="siti")
    await cast.talk_to_the_end(placed, person, OPERATOR_HZ["siti"])
    return [served(placed, "2", "siti")]


async def _dial(cast: Cast, login: str, code: str, prompt: str) -> None:
    """Dial a code and be told what became of it; the centre hangs up."""
    call = await cast.dial_code(login, code)
    await call.wait_confirmed()
    await call.wait_ended()
    await told(cast, f"{login}, who dialled {code},", call, prompt)
