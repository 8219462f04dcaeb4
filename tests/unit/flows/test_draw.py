"""A flow's drawing shows every node and exit, and nothing of its texts can leave its label."""

from __future__ import annotations

from typing import Any

from callflow.flows.draw import draw_flow
from callflow.flows.model import FlowDocument
from callflow.flows.parse import parse_flow

Mapping = dict[str, Any]


def read(source: Mapping) -> FlowDocument:
    document = parse_flow(source).document
    assert document is not None
    return document


def test_every_node_and_exit_is_drawn_when_a_flow_has_all_kinds(whole: Mapping) -> None:
    assert draw_flow(read(whole)).splitlines() == [
        "---",
        'title: "Semua simpul / Every node"',
        "---",
        "flowchart TD",
        '  caller(("112"))',
        "  caller --> n_greet",
        '  n_greet["greet (say)<br/>greeting, en/greeting"]',
        '  n_hours{"hours (branch)"}',
        '  n_hop>"hop (goto)"]',
        '  n_choices{{"choices (menu)<br/>menu<br/>4.5 s, 2 x"}}',
        '  n_postcode[/"postcode (gather)<br/>postcode"/]',
        '  n_news[["news (info)<br/>news<br/>9 = end"]]',
        '  n_person(["person (queue)<br/>Siapa saja / Anyone<br/>gawat_darurat<br/>skill health"])',
        '  n_ambulance[/"ambulance (medical)<br/>Ambulans / Ambulance<br/>gawat_darurat<br/>skill health"\\]',
        '  n_bye((("bye (end)")))',
        '  n_greet -->|"next"| n_hours',
        '  n_hours -->|"night, withheld"| n_person',
        '  n_hours -->|"weekend, province"| n_hop',
        '  n_hours -->|"named, otherwise"| n_choices',
        '  n_hop -->|"to"| n_choices',
        '  n_choices -->|"1, no_input, wrong_key"| n_person',
        '  n_choices -->|"2"| n_postcode',
        '  n_choices -->|"4"| n_ambulance',
        '  n_choices -->|"6"| n_news',
        '  n_choices -->|"*"| n_greet',
        '  n_postcode -->|"done, no_input"| n_person',
        '  n_news -->|"operator"| n_person',
        '  n_news -->|"end"| n_bye',
    ]


def test_label_stays_one_label_when_it_holds_signs_of_the_drawing(whole: Mapping) -> None:
    person = whole["nodes"]["person"]
    person["label"] = {"id": '"]) --> x', "en": "<script>#1"}
    del person["skill"]
    drawn = draw_flow(read(whole))
    assert '(["person (queue)<br/>#quot;]) --#gt; x / #lt;script#gt;#35;1<br/>gawat_darurat"])' in drawn


def test_title_stays_one_line_when_it_holds_quotation_marks(whole: Mapping) -> None:
    whole["title"]["id"] = 'alur "baru"'
    assert 'title: "alur \\"baru\\" / Every node"' in draw_flow(read(whole))
