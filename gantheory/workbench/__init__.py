"""A local page to look at: a loss, two densities, an ensemble in training, a game of players.

`answers` hold what each view says, as plain functions from what was typed to JSON; they run in
child processes that are ended when their time is over. `pages` shows them; `server` starts it.
"""
