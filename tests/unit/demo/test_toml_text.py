from __future__ import annotations

import tomllib

from callflow.demo.toml_text import toml_text


def test_document_is_equal_when_written_and_read_again() -> None:
    document = {
        "centre": {"id": "ketapang", "name": 'Pusat "112", Ketapang', "zone": "Asia/Pontianak"},
        "trunks": [{"name": "telco", "match": ["127.0.0.1"], "verified": True, "port": 5060}, {"name": "b"}],
        "agencies": [{"name": "polisi", "destinations": [{"name": "Polres", "number": "110"}]}],
        "queue": {"ring_seconds": 5.0},
        "shifts": [],
    }
    assert tomllib.loads(toml_text(document)) == {name: value for name, value in document.items() if value != []}
