"""The rounding of binary64, in which every number is computed."""

EPS = 2.0**-52  # from 1 to the next number: twice the relative error of one rounding
