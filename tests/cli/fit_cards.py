"""The card that tests of fitting commands share."""

CARD = """
imax 2
jmax 1
kmax *
bin         SR     CR
observation 16     103
bin         SR     SR     CR
process     sig    bkg    bkg
process     0      1      1
rate        6      10     100
lumi   lnN  1.02   -      -
theory lnN  1.1    -      -
shared group = lumi theory
norm  rateParam * bkg 1 [0,5]
"""
