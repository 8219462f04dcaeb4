"""What to tell a person whom the engine refused: one table, in both languages of the screens."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callflow.core.commands import Refusal
from callflow.flows.model import Text

_R: Final = Refusal
REFUSALS: Final[Mapping[Refusal, Text]] = MappingProxyType(
    {
        _R.UNKNOWN_OPERATOR: Text(id="Petugas tidak dikenal", en="There is no such operator"),
        _R.NOT_SIGNED_IN: Text(id="Belum mulai bertugas", en="Not signed in for calls"),
        _R.ON_CALL: Text(id="Masih menangani panggilan", en="Still on a call"),
        _R.LAST_PRESENT: Text(
            id="Anda petugas terakhir: minta pengawas", en="You are the last one present: ask a supervisor"
        ),
        _R.UNKNOWN_CODE: Text(id="Kode tidak dikenal", en="There is no such code"),
        _R.UNKNOWN_REASON: Text(id="Pilih alasan jeda dari daftar", en="Choose one of the centre's reasons to pause"),
        _R.NO_CALL: Text(id="Tidak ada panggilan", en="There is no such call in hand"),
        _R.NOT_NOW: Text(id="Belum bisa dilakukan sekarang", en="Not possible just now"),
        _R.UNKNOWN_TARGET: Text(id="Tujuan tidak dikenal", en="There is no such agency, colleague or number"),
        _R.TARGET_NOT_READY: Text(id="Rekan itu sedang tidak siap", en="That colleague is not ready"),
        _R.NO_OUTSIDE_TRUNK: Text(id="Tidak ada jalur keluar ke nomor itu", en="No trunk leads to that number"),
        _R.PARTY_THERE: Text(id="Sudah ada pihak lain: lepaskan dulu", en="Another party is there: let it go first"),
        _R.NO_PARTY: Text(id="Belum ada pihak lain", en="No other party is there"),
        _R.NOT_SPOKEN: Text(
            id="Pihak lain belum bersuara: tetaplah bersama penelepon",
            en="The other party has not spoken yet: stay with the caller",
        ),
        _R.THREE_WAY_FIRST: Text(id="Gabungkan bertiga dulu", en="Join all three first"),
        _R.UNKNOWN_CALLBACK: Text(id="Telepon balik itu sudah selesai", en="That call-back is not open any more"),
        _R.NOT_YOURS: Text(id="Bukan tugas Anda", en="That is somebody else's"),
    }
)
"""Indonesian and English per refusal; a test walks the enum."""
