"""What a chip says of itself and of one line, as gpioinfo shows it. Arguments: the chip, the line."""

import json
import sys

import gpiod

with gpiod.Chip(sys.argv[1]) as chip:
    info = chip.get_line_info(int(sys.argv[2]))
    print(
        json.dumps(
            {
                "label": chip.get_info().label,
                "lines": chip.get_info().num_lines,
                "name": info.name,
                "direction": info.direction.name,
                "used": info.used,
                "consumer": info.consumer,
            }
        )
    )
