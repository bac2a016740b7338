"""What happened without anybody's doing: doors, motion, bells, rooms that were away; beside the chain, for a month."""
