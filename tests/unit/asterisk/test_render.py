from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from callflow.ari import naming
from callflow.asterisk.locate import Installation, Start, Version
from callflow.asterisk.render import Rendered, render
from callflow.centre import CentreDocument, parse_centre
from callflow.errors import ConfigurationError
from callflow.settings import Settings

INSTALLATION = Installation(
    version=Version(22, 10, 1),
    start=Start.DIRECT,
    root=None,
    modules_dir=Path("/usr/lib/asterisk/modules"),
    data_dir=Path("/usr/share/asterisk"),
)
CENTRE = """
[centre]
id = "ketapang"
name = "Kabupaten Ketapang"
zone = "Asia/Pontianak"
[[trunks]]
name = "carrier"
match = ["10.1.1.1", "10.1.2.0/24"]
host = "10.1.1.1"
[[trunks]]
name = "inbound-only"
match = ["10.9.9.9"]
[[operators]]
login = "ani"
name = "Ani"
[[operators]]
login = "budi"
name = "Budi"
phone = "webrtc"
[[medical]]
name = "119"
number = "119"
trunk = "carrier"
[[last_resort]]
name = "province"
number = "+62561112"
trunk = "carrier"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def centre() -> CentreDocument:
    return parse_centre(CENTRE, "test")


def text_of(rendered: Rendered, name: str) -> str:
    return (rendered.etc_dir / name).read_text()


def section(text: str, head: str) -> str:
    """The lines of one section of a configuration file."""
    return text.split(f"{head}\n", 1)[1].split("\n[", 1)[0]


def test_bytes_are_the_same_when_rendered_twice(settings: Settings, centre: CentreDocument) -> None:
    first = render(settings, centre, INSTALLATION)
    before = {name: text_of(first, name) for name in first.files}
    second = render(settings, centre, INSTALLATION)
    assert set(first.changed) == set(first.files)
    assert second.changed == ()
    assert {name: text_of(second, name) for name in second.files} == before


def test_only_pjsip_and_queue_change_when_an_operator_joins(settings: Settings, centre: CentreDocument) -> None:
    render(settings, centre, INSTALLATION)
    more = parse_centre(CENTRE + '[[operators]]\nlogin = "citra"\nname = "Citra"\n', "test")
    assert set(render(settings, more, INSTALLATION).changed) == {"pjsip.conf", "queues.conf"}


def test_secrets_are_closed_and_each_its_own_when_rendered(settings: Settings, centre: CentreDocument) -> None:
    rendered = render(settings, centre, INSTALLATION)
    files = sorted(settings.secrets_dir.iterdir())
    assert [path.name for path in files] == [
        *("ami_password", "ami_watchdog_password", "ari_password", "sip-op-ani", "sip-op-budi")
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    values = {path.read_text().strip() for path in files}
    assert len(values) == len(files)
    assert all(len(value) >= 24 for value in values)
    modes = {name: stat.S_IMODE((rendered.etc_dir / name).stat().st_mode) for name in rendered.files}
    holders = {name for name in rendered.files if any(value in text_of(rendered, name) for value in values)}
    assert holders == {"ari.conf", "manager.conf", "pjsip.conf"}
    assert {modes[name] for name in holders} == {0o600}
    assert {mode for name, mode in modes.items() if name not in holders} == {0o640}


def test_secrets_stay_when_rendered_again(settings: Settings, centre: CentreDocument) -> None:
    render(settings, centre, INSTALLATION)
    before = settings.secret("sip-op-ani")
    render(settings, centre, INSTALLATION)
    assert settings.secret("sip-op-ani") == before


def test_nothing_is_rendered_when_a_secret_is_open_to_others(settings: Settings, centre: CentreDocument) -> None:
    rendered = render(settings, centre, INSTALLATION)
    before = text_of(rendered, "ari.conf")
    (settings.secrets_dir / "ari_password").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        render(settings, centre, INSTALLATION)
    assert text_of(rendered, "ari.conf") == before


def test_trunk_is_known_by_address_and_operator_by_password(settings: Settings, centre: CentreDocument) -> None:
    pjsip = text_of(render(settings, centre, INSTALLATION), "pjsip.conf")
    assert "endpoint_identifier_order = ip,username\n" in pjsip
    assert "match = 10.1.1.1,10.1.2.0/24" in pjsip
    assert "auth" not in section(pjsip, "[trunk-carrier](trunk)")
    assert "auth = op-ani" in section(pjsip, "[op-ani](operator-sip)")
    assert "auth = op-budi" in section(pjsip, "[op-budi](operator-webrtc)")
    assert "anonymous" not in re.sub(r"^;.*$", "", pjsip, flags=re.MULTILINE)


def test_trunk_is_not_dialled_when_it_only_brings_calls_in(settings: Settings, centre: CentreDocument) -> None:
    pjsip = text_of(render(settings, centre, INSTALLATION), "pjsip.conf")
    assert "aors" not in section(pjsip, "[trunk-inbound-only](trunk)")
    assert "contact = sip:10.1.1.1:5060\n" in pjsip


def test_dialplan_goes_to_people_when_lists_are_empty(settings: Settings) -> None:
    bare = CENTRE.split("[[operators]]", maxsplit=1)[0]
    dialplan = text_of(render(settings, parse_centre(bare, "test"), INSTALLATION), "extensions.conf")
    assert "Dial(" not in dialplan
    assert section(dialplan, "[medical]").count("Goto(fallback-people,s,1)") == 3


def test_every_dialplan_line_is_whole_when_rendered(settings: Settings, centre: CentreDocument) -> None:
    dialplan = text_of(render(settings, centre, INSTALLATION), "extensions.conf")
    for line in dialplan.splitlines():
        assert re.match(
            r"$|;|\[|exten => |[ ]same => |static|writeprotect|clearglobalvars|autofallthrough|[A-Z]+ = /", line
        )
    assert "Dial(PJSIP/119@trunk-carrier,20," in dialplan
    assert "Dial(PJSIP/+62561112@trunk-carrier,25," in dialplan


def test_no_word_of_a_caller_is_an_argument_in_the_dialplan(settings: Settings, centre: CentreDocument) -> None:
    dialplan = text_of(render(settings, centre, INSTALLATION), "extensions.conf")
    code = re.sub(r"^;.*$", "", dialplan, flags=re.MULTILINE)
    code, filters = re.subn(r"Set\((CALLERID\(\w+\))=\$\{FILTER\(\\x20-\\x7E,\$\{\1\}\)\}\)", "", code)
    assert filters == 2  # what keeps the caller's words text
    used = set(re.findall(r"\$\{([A-Z_a-z]+)", code))
    assert used == {
        *("CALLFLOW_ID", "CALLFLOW_ARRIVED_EPOCH", "CALLFLOW_GREETING", "CALLFLOW_KEY", "CALLFLOW_MET"),
        *("CALLFLOW_PATIENCE", "CALLFLOW_RING", "CALLFLOW_STEP", "CALLFLOW_WAITED", "CHANNEL", "DIALSTATUS", "EPOCH"),
        *("FILTER", "HANGUPCAUSE", "PROMPTS", "QUEUESTATUS", "RECORDINGS", "STAT", "STRFTIME", "UNIQUEID"),
        # an engine's words, and what an operator dialled
        *("CALLFLOW_CALLBACK", "CALLFLOW_CITIZEN", "CALLFLOW_TOLD", "EXTEN", "GROUP_COUNT"),
    }
    assert set(re.findall(r".*\$\{EXTEN\}.*", code)) == {
        f"exten => _*XX{more},1,Set(CALLFLOW_CODE=${{FILTER(0-9*#,${{EXTEN}})}})" for more in ("", ".")
    }
    for word in ("AGI", "CURL", "ODBC", "SHELL", "System("):
        assert word not in code


def test_no_operator_and_no_code_reaches_outside(settings: Settings, centre: CentreDocument) -> None:
    dialplan = text_of(render(settings, centre, INSTALLATION), "extensions.conf")
    for context in ("from-operator", "feature-code", "feature-code-told", "whisper"):
        lines = section(dialplan, f"[{context}]")
        assert not re.search(r"Dial|Queue|Goto\((?!feature-code,s,1\))", lines)


def test_no_caller_reaches_what_operators_dial(settings: Settings, centre: CentreDocument) -> None:
    rendered = render(settings, centre, INSTALLATION)
    dialplan, pjsip = text_of(rendered, "extensions.conf"), text_of(rendered, "pjsip.conf")
    assert re.findall(r"^context = (.*)$", pjsip, flags=re.MULTILINE) == ["from-trunk", "from-operator"]
    assert "context = from-trunk" in section(pjsip, "[trunk](!)")
    for context in ("from-trunk", "fallback", "medical", "fallback-people", "callback"):
        assert not re.search(r"feature-code|from-operator|whisper", section(dialplan, f"[{context}]"))
    assert "include" not in re.sub(r"^;.*$", "", dialplan, flags=re.MULTILINE)


def test_speech_is_watched_as_the_engine_watches_it(settings: Settings, centre: CentreDocument) -> None:
    lines = section(text_of(render(settings, centre, INSTALLATION), "extensions.conf"), "[from-trunk]").splitlines()
    watch = lines.index(f" same => n,Set({naming.TALK_DETECT}={naming.TALK_DETECTION})")
    assert lines[watch + 1] == " same => n(offer),StasisBroadcast(500,^callflow)"


def test_every_variable_that_tells_channels_apart_rides_on_events(settings: Settings, centre: CentreDocument) -> None:
    ari = text_of(render(settings, centre, INSTALLATION), "ari.conf")
    told = {naming.CALL_ID, naming.ARRIVED, naming.STEP, naming.CODE, naming.DIALLED}
    assert f"channelvars = {','.join(sorted(told, key=ari.index))}\n" in ari


def test_consultations_are_recorded_beside_the_calls(settings: Settings, centre: CentreDocument) -> None:
    spool = render(settings, centre, INSTALLATION).base_dir / "spool" / "recording"
    assert spool.readlink() == settings.recordings_dir.resolve()
    render(settings, centre, INSTALLATION)
    assert [path.name for path in spool.parent.iterdir()] == ["recording"]


def test_recordings_of_before_are_kept_when_their_place_becomes_a_link(
    settings: Settings, centre: CentreDocument
) -> None:
    spool = settings.asterisk_dir.resolve() / "spool" / "recording"
    spool.mkdir(parents=True)
    (spool / "old.wav").write_bytes(b"RIFF")
    render(settings, centre, INSTALLATION)
    assert spool.is_symlink()
    assert [path.read_bytes() for path in spool.parent.glob("recording.*/old.wav")] == [b"RIFF"]


def test_recordings_go_where_told_when_the_link_was_another(settings: Settings, centre: CentreDocument) -> None:
    spool = render(settings, centre, INSTALLATION).base_dir / "spool" / "recording"
    spool.unlink()
    spool.symlink_to("/nowhere")
    render(settings, centre, INSTALLATION)
    assert spool.readlink() == settings.recordings_dir.resolve()


def test_no_more_callers_are_let_in_than_have_media_to_an_operator(settings: Settings, centre: CentreDocument) -> None:
    few = settings.model_copy(update={"rtp_start": 10000, "rtp_end": 11999})
    rendered = render(few, centre, INSTALLATION)
    assert "${GROUP_COUNT(callers@callflow)} > 400]?full,s,1)" in text_of(rendered, "extensions.conf")
    assert "maxcalls" not in text_of(rendered, "asterisk.conf")  # it would cut off callers who are in


def test_music_is_there_when_prompts_were_never_built(settings: Settings, centre: CentreDocument) -> None:
    render(settings, centre, INSTALLATION)
    assert [path.name for path in (settings.prompts_dir / "moh").iterdir()] == ["callflow-waiting.wav"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"trunk_port": 5060}, "port or an address of its own"),
        ({"sip_host": "pbx.example"}, "no IP address"),
        ({"rtp_end": 10010}, "rtp_end"),
        ({"ari_user": "general"}, "ari_user"),
        ({"http_host": "10.1.2.7"}, "would be taken for the trunk"),
    ],
)
def test_refuses_and_writes_nothing_when_settings_cannot_work(
    settings: Settings, centre: CentreDocument, changes: dict[str, object], problem: str
) -> None:
    wrong = settings.model_copy(update=changes)
    with pytest.raises(ConfigurationError, match=problem):
        render(wrong, centre, INSTALLATION)
    assert not settings.data_dir.exists()


def test_refuses_when_a_path_could_be_read_as_dialplan(tmp_path: Path, centre: CentreDocument) -> None:
    with pytest.raises(ConfigurationError, match="another data_dir"):
        render(Settings(data_dir=tmp_path / "a,b)${EPOCH}"), centre, INSTALLATION)


def test_control_socket_is_elsewhere_when_its_path_would_be_too_long(tmp_path: Path, centre: CentreDocument) -> None:
    rendered = render(Settings(data_dir=tmp_path / ("long" * 25)), centre, INSTALLATION)
    assert len(str(rendered.run_dir / "asterisk.ctl")) < 100
    assert f"astrundir => {rendered.run_dir}\n" in text_of(rendered, "asterisk.conf")
    rendered.run_dir.rmdir()


def test_files_go_where_told_when_out_is_given(settings: Settings, centre: CentreDocument, tmp_path: Path) -> None:
    rendered = render(settings, centre, INSTALLATION, out=tmp_path / "etc")
    assert rendered.etc_dir == tmp_path / "etc"
    assert f"astetcdir => {tmp_path / 'etc'}\n" in text_of(rendered, "asterisk.conf")
    assert not (settings.asterisk_dir / "etc").exists()


def test_far_end_is_asked_beside_the_endpoint_that_is_dialled_when_the_trunk_is_qualified(
    settings: Settings, centre: CentreDocument
) -> None:
    plain = text_of(render(settings, centre, INSTALLATION), "pjsip.conf")
    assert "watch-" not in plain
    asked = parse_centre(CENTRE.replace('name = "carrier"', 'name = "carrier"\nqualify = true', 1), "test")
    pjsip = text_of(render(settings, asked, INSTALLATION), "pjsip.conf")
    dialled = section(pjsip, "[trunk-carrier](trunk)") + section(pjsip, "[trunk-carrier]")
    assert "qualify_frequency = 0" in dialled
    assert "aors = watch-carrier" in section(pjsip, "[watch-carrier](trunk)")
    assert "qualify_frequency = 20" in section(pjsip, "[watch-carrier]")
    assert "endpoint = watch-carrier" not in pjsip


def test_trunk_is_known_by_its_address_alone(settings: Settings, centre: CentreDocument) -> None:
    pjsip = text_of(render(settings, centre, INSTALLATION), "pjsip.conf")
    assert "identify_by = ip\n" in section(pjsip, "[trunk](!)")
