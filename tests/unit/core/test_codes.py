from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.city import Classification
from callflow.core.codes import CODES, LONGEST_CODE, Argument, Code, DeskAction, Pressed, press, read_dialled
from callflow.core.requests import CallbackAction, TalkAction

KEYS = "0123456789*#"


def pressed(keys: str) -> list[Pressed]:
    """All codes that are complete while these keys are pressed one by one."""
    collected, complete = "", []
    for key in keys:
        collected, code = press(collected, key)
        if code is not None:
            complete.append(code)
    return complete


def with_argument(kind: Argument) -> list[Code]:
    return [code for code in CODES.values() if code.argument is kind]


def test_every_code_is_a_star_and_two_digits_and_has_both_labels() -> None:
    for digits, code in CODES.items():
        assert code.digits == digits
        assert len(digits) == 3
        assert digits[0] == "*"
        assert digits[1:].isdecimal()
        assert code.label.id
        assert code.label.en


def test_every_action_at_the_desk_and_in_a_talk_has_a_code_but_ending_the_call() -> None:
    """Who hangs up has ended it."""
    actions = {code.action for code in CODES.values()}
    assert actions == {*DeskAction, *Classification, *TalkAction, CallbackAction.DIAL} - {TalkAction.END}


def test_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CODES["*99"] = CODES["*11"]  # type: ignore[index]


@pytest.mark.parametrize("code", with_argument(Argument.NONE), ids=lambda code: code.digits)
def test_code_without_an_argument_acts_at_its_last_digit_and_takes_none(code: Code) -> None:
    assert pressed(code.digits) == [Pressed(code, "")]
    assert read_dialled(code.digits) == read_dialled(f"{code.digits}#") == Pressed(code, "")
    assert read_dialled(f"{code.digits}1") is None
    assert Pressed(code, "").target == code.target


@pytest.mark.parametrize("code", with_argument(Argument.NEEDED), ids=lambda code: code.digits)
def test_code_that_needs_an_argument_acts_at_the_hash(code: Code) -> None:
    assert pressed(f"{code.digits}110") == []
    assert pressed(f"{code.digits}110#") == [Pressed(code, "110")]
    assert pressed(f"{code.digits}#") == []
    assert read_dialled(code.digits) is None
    assert read_dialled(f"{code.digits}110") == Pressed(code, "110")
    assert Pressed(code, "110").target == "110"


@pytest.mark.parametrize("code", with_argument(Argument.OPTIONAL), ids=lambda code: code.digits)
def test_code_with_a_choice_takes_one_digit_or_none(code: Code) -> None:
    assert pressed(f"{code.digits}#") == [Pressed(code, "")]
    assert pressed(f"{code.digits}2#") == [Pressed(code, "2")]
    assert read_dialled(f"{code.digits}2") == Pressed(code, "2")
    assert read_dialled(f"{code.digits}22") is None


@pytest.mark.parametrize(
    "dialled", ["", "*", "*1", "11", "112", "*99", "*00", "#*11", "*11*", "*32+62", "*32 1", "*32x"]
)
def test_nothing_is_read_when_it_is_no_code(dialled: str) -> None:
    assert read_dialled(dialled) is None


@pytest.mark.parametrize("keys", ["11", "1*", "*9", "*99", "#", "*#", "*1#", "**", "*32110"])
def test_no_code_is_complete_when_keys_are_missing_or_unknown(keys: str) -> None:
    assert pressed(keys) == []


def test_keys_are_forgotten_when_they_are_too_many() -> None:
    assert press("*32" + "1" * (LONGEST_CODE - 3), "1") == ("", None)
    assert pressed("*32" + "1" * LONGEST_CODE + "#") == []


@given(noise=st.text(KEYS, max_size=30), code=st.sampled_from(list(CODES.values())))
def test_code_is_heard_after_any_noise_and_never_keeps_more_than_the_longest_code(noise: str, code: Code) -> None:
    collected = ""
    for key in noise:
        collected, _ = press(collected, key)
        assert len(collected) <= LONGEST_CODE
    argument = "7" if code.argument is Argument.NEEDED else ""
    heard = pressed(f"{noise}{code.digits}{argument}#")
    assert heard[-1] == Pressed(code, argument)
