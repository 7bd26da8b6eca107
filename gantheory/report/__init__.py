"""What a person reads: tables, plots and one self-contained page, pure functions of verdicts."""
