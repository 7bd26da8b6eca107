"""Published toy protocols as ready recipes, with what was published of each and what we measured.

A recipe says where it differs from the publication. What stands beside it as published is quoted
as printed, with its place; what was not read in a copy of the paper or of its code is marked so.
"""

from simulations.protocols.catalogue import get_protocol, list_protocols
from simulations.protocols.protocol import Protocol
from simulations.protocols.results import ProtocolOutcome, Published, outcomes_of, published_of
from simulations.protocols.trial import run_protocol

__all__ = [
    "Protocol",
    "ProtocolOutcome",
    "Published",
    "get_protocol",
    "list_protocols",
    "outcomes_of",
    "published_of",
    "run_protocol",
]
