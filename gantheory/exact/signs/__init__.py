"""Signs of functions on (0, ∞): exact where algebra decides, else certified by ball arithmetic."""

from gantheory.exact.signs.half_line import SignResult, sign_on_positive

__all__ = ["SignResult", "sign_on_positive"]
