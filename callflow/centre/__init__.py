"""The centre document: what one city says of itself, its people, trunks, destinations, policies and shifts."""

from __future__ import annotations

from callflow.centre.document import CentreDocument, load_centre, parse_centre
from callflow.centre.outside import Agency, OutsideNumber, Trunk
from callflow.centre.people import Operator

__all__ = ["Agency", "CentreDocument", "Operator", "OutsideNumber", "Trunk", "load_centre", "parse_centre"]
