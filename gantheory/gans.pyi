from gantheory.ledger.simulated import simulate as simulate
from simulations.models import train_modules as train
from simulations.protocols import get_protocol as get_protocol
from simulations.protocols import list_protocols as list_protocols
from simulations.protocols import run_protocol as run_protocol
from simulations.sweeps.sweep import sweep as sweep
from simulations.watch import Watch as watch
from simulations.watch import measure as measure

__all__ = [
    "get_protocol",
    "list_protocols",
    "measure",
    "run_protocol",
    "simulate",
    "sweep",
    "train",
    "watch",
]
