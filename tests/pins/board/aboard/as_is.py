"""Takes a line as it stands, tells what the library then reads on it and says of it, and ends.

Arguments: the chip, the line.
"""

import sys

import gpiod

line = int(sys.argv[2])
settings = gpiod.LineSettings(direction=gpiod.line.Direction.AS_IS)
with gpiod.Chip(sys.argv[1]) as chip, chip.request_lines(consumer="as is", config={line: settings}) as request:
    print(request.get_value(line).value, chip.get_line_info(line).direction.name)
