"""Mutation testing: plant small errors in the packages, and see whether the tests notice.

    python -m benchmarks.mutation record                        once, and after the tree has changed
    python -m benchmarks.mutation run --count 200 --seed 2026   goes on where it was stopped
    python -m benchmarks.mutation show                          the table, and the survivors' places

An error is one small change of a result (``mutators``): a sign, + for −, · for /, a constant times
1.01, 2 or 1000, a comparison, ``and`` for ``or``, min for max, a condition forced, arguments
exchanged, a returned number dropped to 0, a statement or a refusal left out. Places are drawn with
a seed over all folders (``sites``); the error is planted in a copy of the recorded tree, never in
place (``trial``); the tests that ran the changed line, recorded once, are run fast first until one
fails (``selection``). Survivors that cannot change a result are listed with the reason in
``equivalents.toml``; they are drawn like all others and counted apart.

Why no kept tool does this. cosmic-ray draws from the same kinds of change, but runs one test
command for all of them: minutes a mutant here, where a recorded line is decided in seconds. mutmut
chooses tests by function, but changes the bodies of functions only, and this project's catalogues
are records at module level; its trampolines also do not reach tests that start a process. Coverage
and running the tests are coverage.py's and pytest's; ours are the changes and the choice.
"""
