"""The number of a line that is called by its name, on a chip that is called by its label.

Arguments: the label, the name.
"""

import sys
from pathlib import Path

from device_agents.pins import chips, gpiod, names

library = gpiod.load()
chip = chips.find(library, Path(sys.argv[1]))
print(chip.path, names.numbers(library, chip, [(sys.argv[2], "lamp")])[sys.argv[2]])
