"""The systems that documents name, beyond the original GAN: theorems on finite laws, exactly.

Each module holds checks that a ledger's statements ask for by name: enumerations in exact
arithmetic of `finite` laws, and trainings of the same laws in `trained`.
"""
