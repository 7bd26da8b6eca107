from gantheory.ledger.simulated import simulate as simulate
from simulations.models import train_modules as train
from simulations.sweeps.sweep import sweep as sweep
from simulations.watch import Watch as watch
from simulations.watch import measure as measure

__all__ = ["measure", "simulate", "sweep", "train", "watch"]
