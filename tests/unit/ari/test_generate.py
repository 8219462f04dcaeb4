from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from callflow.ari.generate import generate, write

EVENTS: dict[str, Any] = {
    "apis": [
        {
            "path": "/events",
            "operations": [
                {"httpMethod": "GET", "nickname": "eventWebsocket", "upgrade": "websocket", "responseClass": "Message"}
            ],
        }
    ],
    "models": {
        "Message": {"properties": {"type": {"type": "string", "required": True}}},
        "MissingParams": {"properties": {}},
        "Event": {
            "subTypes": ["ThingBroke"],
            "properties": {
                "application": {"type": "string", "required": True},
                "timestamp": {"type": "Date", "required": True},
            },
        },
        "ThingBroke": {
            "description": 'A "thing" broke\\down',
            "properties": {"thing": {"type": "Thing", "required": True}, "pieces": {"type": "List[long]"}},
        },
    },
}
THINGS: dict[str, Any] = {
    "apis": [
        {
            "path": "/things/{thingId}",
            "operations": [
                {
                    "httpMethod": "POST",
                    "nickname": "list",
                    "summary": "List things",
                    "responseClass": "List[Thing]",
                    "parameters": [
                        {"name": "thingId", "paramType": "path", "dataType": "string"},
                        {"name": "from", "paramType": "query", "dataType": "string", "allowMultiple": True},
                        {"name": "variables", "paramType": "body", "dataType": "containers"},
                    ],
                }
            ],
        }
    ],
    "models": {
        "Thing": {
            "description": "A thing.",
            "properties": {"id": {"type": "string", "required": True}, "class": {"type": "boolean"}},
        }
    },
}


@pytest.fixture
def description(tmp_path: Path) -> Path:
    folder = tmp_path / "rest-api"
    folder.mkdir()
    for name, document in {"events": EVENTS, "things": THINGS, "resources": {"apis": []}}.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


def test_same_description_gives_the_same_files(description: Path) -> None:
    first = generate(description)
    assert first == generate(description)
    assert set(first) == {"__init__.py", "models.py", "event_types.py", "events.py", "things.py"}


def test_files_are_python_with_what_was_described(description: Path) -> None:
    files = generate(description)
    for content in files.values():
        ast.parse(content)
    assert "def list_all(" in files["things.py"]
    assert "    thing_id: str,\n    from_: Sequence[str] | None = None,\n" in files["things.py"]
    assert 'body=None if variables is None else {"variables": variables}' in files["things.py"]
    assert 'class_=optional(flag, raw, "Thing", "class")' in files["models.py"]
    assert 'pieces=optional(each(whole), raw, "ThingBroke", "pieces")' in files["event_types.py"]
    assert '"""A \'thing\' brokedown."""' in files["event_types.py"]
    assert "upgrade" not in files["events.py"]
    assert "def event_websocket" not in files["events.py"]


def test_only_what_changed_is_written_and_what_is_stale_removed(description: Path, tmp_path: Path) -> None:
    target = tmp_path / "protocol"
    assert set(write(description, target)) == set(generate(description))
    assert write(description, target) == []
    (target / "models.py").write_text("# edited\n")
    (target / "stale.py").write_text("")
    assert write(description, target) == ["models.py", "stale.py"]
    assert not (target / "stale.py").exists()
