"""Takes a line as an output, whatever it carries, and ends. Arguments: the chip, the line."""

import sys

import gpiod

settings = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT)
with gpiod.request_lines(sys.argv[1], consumer="take", config={int(sys.argv[2]): settings}):
    pass
