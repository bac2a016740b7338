"""The chain, pure: what enters the record, what a hash covers, and how it joins where something was taken out."""
