"""Sweeps: a table with one row a cell, kept cell by cell, so that any crash goes on.

`cells` says what a cell is and measures blocks of them, `store` keeps one record a cell, `engines`
are where blocks are measured (here, in workers on this machine, in whatever has ``submit``), and
`sweep` brings them together.
"""
