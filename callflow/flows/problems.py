"""Says what can be wrong with a flow document, and to the person who edits it what to do, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callflow.flows.model import Text


class ProblemCode(StrEnum):
    """What is wrong; stable, so that an editor can act on it."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    DUPLICATE_KEY = "duplicate_key"
    UNKNOWN_KEY = "unknown_key"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"
    OUT_OF_RANGE = "out_of_range"
    WRONG_LENGTH = "wrong_length"
    REPEATED = "repeated"
    UNKNOWN_NODE_TYPE = "unknown_node_type"
    MISSING_EXIT = "missing_exit"
    UNKNOWN_EXIT = "unknown_exit"
    NO_SUCH_NODE = "no_such_node"
    NO_QUEUE = "no_queue"
    UNREACHABLE = "unreachable"
    ENDLESS = "endless"
    END_NOT_ALLOWED = "end_not_allowed"
    END_EXIT_ELSEWHERE = "end_exit_elsewhere"
    INFO_NOT_CHOSEN = "info_not_chosen"
    INFO_WITHOUT_OPERATOR = "info_without_operator"
    STEP_BUDGET_TOO_SMALL = "step_budget_too_small"
    PROMPT_MISSING = "prompt_missing"
    LANGUAGE_UNKNOWN = "language_unknown"


_MESSAGES: dict[ProblemCode, tuple[str, str]] = {
    ProblemCode.TOO_LARGE: (
        "the document is larger than {limit} bytes; split off what is not part of the flow",
        "dokumen lebih besar dari {limit} byte; keluarkan yang bukan bagian alur",
    ),
    ProblemCode.NOT_UTF8: (
        "byte {position} is not UTF-8; save the document as UTF-8",
        "byte {position} bukan UTF-8; simpan dokumen sebagai UTF-8",
    ),
    ProblemCode.NOT_JSON: (
        "line {line}, column {column} is not valid JSON ({reason}); correct it there",
        "baris {line}, kolom {column} bukan JSON yang sah ({reason}); perbaiki di sana",
    ),
    ProblemCode.TOO_DEEP: (
        "values are nested too deeply; a flow document needs at most 6 levels",
        "nilai bersarang terlalu dalam; dokumen alur perlu paling banyak 6 tingkat",
    ),
    ProblemCode.DUPLICATE_KEY: (
        "'{name}' stands more than once; keep one of them",
        "'{name}' tertulis lebih dari sekali; sisakan satu",
    ),
    ProblemCode.UNKNOWN_KEY: (
        "'{name}' is not known here; remove it, or write one of: {allowed}",
        "'{name}' tidak dikenal di sini; hapus, atau tulis salah satu: {allowed}",
    ),
    ProblemCode.MISSING: (
        "'{name}' is missing; add it: {expected}",
        "'{name}' belum ada; tambahkan: {expected}",
    ),
    ProblemCode.WRONG_TYPE: (
        "is {found}; write {expected}",
        "berisi {found}; tulis {expected}",
    ),
    ProblemCode.BAD_VALUE: (
        "{found} is not allowed; write {expected}",
        "{found} tidak diperbolehkan; tulis {expected}",
    ),
    ProblemCode.OUT_OF_RANGE: (
        "is outside its limits; choose from {least} to {most}",
        "di luar batas; pilih dari {least} sampai {most}",
    ),
    ProblemCode.WRONG_LENGTH: (
        "has {found} entries; it takes from {least} to {most}",
        "berisi {found} entri; boleh dari {least} sampai {most}",
    ),
    ProblemCode.REPEATED: (
        "{found} stands more than once; each may stand once",
        "{found} tertulis lebih dari sekali; masing-masing cukup sekali",
    ),
    ProblemCode.UNKNOWN_NODE_TYPE: (
        "there is no node type {found}; choose one of: {allowed}",
        "tidak ada jenis simpul {found}; pilih salah satu: {allowed}",
    ),
    ProblemCode.MISSING_EXIT: (
        "exit '{name}' is missing; lead it to a node, or the caller would be left in silence",
        "jalan keluar '{name}' belum ada; arahkan ke sebuah simpul, agar penelepon tidak ditinggal diam",
    ),
    ProblemCode.UNKNOWN_EXIT: (
        "exit '{name}' does not exist on this node; remove it, or use one of: {allowed}",
        "jalan keluar '{name}' tidak ada pada simpul ini; hapus, atau pakai salah satu: {allowed}",
    ),
    ProblemCode.NO_SUCH_NODE: (
        "leads to '{target}', which does not exist; name an existing node{hint}",
        "mengarah ke '{target}' yang tidak ada; sebut simpul yang ada{hint}",
    ),
    ProblemCode.NO_QUEUE: (
        "no node of type queue or medical: nobody would answer; add a queue and lead callers to it",
        "tidak ada simpul jenis queue atau medical: tidak ada yang menjawab; tambahkan queue dan arahkan penelepon "
        "ke sana",
    ),
    ProblemCode.UNREACHABLE: (
        "no caller can get here from the start node '{start}'; lead an exit here or remove the node",
        "tidak ada penelepon yang dapat sampai ke sini dari simpul awal '{start}'; arahkan jalan keluar ke sini "
        "atau hapus simpul ini",
    ),
    ProblemCode.ENDLESS: (
        "a caller who presses nothing goes round {names} without end; lead one of these exits to a queue: {exits}",
        "penelepon yang tidak menekan apa pun berputar tanpa akhir di {names}; arahkan salah satu jalan keluar ini "
        "ke queue: {exits}",
    ),
    ProblemCode.END_NOT_ALLOWED: (
        "would hang up on the caller at '{target}'; lead it to a queue: only the 'end' exit of an info node may end "
        "a call",
        "akan memutus penelepon di '{target}'; arahkan ke queue: hanya jalan keluar 'end' dari simpul info yang boleh "
        "mengakhiri panggilan",
    ),
    ProblemCode.END_EXIT_ELSEWHERE: (
        "leads to '{target}', which is no end node; lead the caller who chose to end to a node of type end",
        "mengarah ke '{target}' yang bukan simpul end; arahkan penelepon yang memilih selesai ke simpul jenis end",
    ),
    ProblemCode.INFO_NOT_CHOSEN: (
        "callers come to this information, which can end the call, without choosing it by key (from {source}); lead "
        "that exit to a queue, and only menu keys here",
        "penelepon sampai di informasi ini, yang dapat mengakhiri panggilan, tanpa memilihnya dengan tombol (dari "
        "{source}); arahkan jalan keluar itu ke queue, dan hanya tombol menu ke sini",
    ),
    ProblemCode.INFO_WITHOUT_OPERATOR: (
        "the offered operator is not there: this leads to '{target}' of type {kind}; lead it to a queue",
        "operator yang ditawarkan tidak ada: ini mengarah ke '{target}' jenis {kind}; arahkan ke queue",
    ),
    ProblemCode.STEP_BUDGET_TOO_SMALL: (
        "is {budget}, but a caller may need {needed} steps; write at least {needed}",
        "bernilai {budget}, padahal penelepon bisa perlu {needed} langkah; tulis paling sedikit {needed}",
    ),
    ProblemCode.PROMPT_MISSING: (
        "prompt '{prompt}' does not exist in language '{language}'; record or build it, or remove it here",
        "prompt '{prompt}' tidak ada dalam bahasa '{language}'; rekam atau buat, atau hapus di sini",
    ),
    ProblemCode.LANGUAGE_UNKNOWN: (
        "language '{language}' is not one of this document's ({allowed}); add it to 'languages' or change it",
        "bahasa '{language}' tidak ada di dokumen ini ({allowed}); tambahkan ke 'languages' atau ganti",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong, and where.

    Attributes:
        node: the node's name; None = the document itself.
        exit: the exit's name, when it is about one.
        field: the field, such as `timeout_seconds` or `cases[2].when.time`, when it is about one.
        message: what is wrong and what to do.
    """

    code: ProblemCode
    node: str | None
    exit: str | None
    field: str | None
    message: Text

    @property
    def place(self) -> str:
        """Where it is, for people: `node 'welcome', exit '1'`."""
        parts = [f"node '{self.node}'"] if self.node is not None else ["document"]
        if self.exit is not None:
            parts.append(f"exit '{self.exit}'")
        if self.field is not None:
            parts.append(self.field)
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.place}: {self.message.en}"

    def to_mapping(self) -> dict[str, object]:
        """As plain JSON data."""
        return {
            "code": self.code.value,
            "node": self.node,
            "exit": self.exit,
            "field": self.field,
            "message": {"id": self.message.id, "en": self.message.en},
        }


def problem(
    code: ProblemCode,
    *,
    node: str | None = None,
    at_exit: str | None = None,
    field: str | None = None,
    **details: object,
) -> Problem:
    """Make a problem; `details` fill the message's places, a `Text` by its language."""
    en, indonesian = _MESSAGES[code]
    message = Text(
        id=indonesian.format(**{name: d.id if isinstance(d, Text) else d for name, d in details.items()}),
        en=en.format(**{name: d.en if isinstance(d, Text) else d for name, d in details.items()}),
    )
    return Problem(code=code, node=node, exit=at_exit, field=field, message=message)
