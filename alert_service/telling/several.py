"""What one person did on one device again and again, in a few words for a subject; pure."""

from collections.abc import Sequence

from alert_service.telling import acts
from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from alert_service.telling.reader import Reader
from alert_service.telling.story import Story
from shared.words.languages import later
from shared.words.names import Outcome

_KINDS = 3
"""What a subject names; the letter lists each act."""


def title(stories: Sequence[Story], reader: Reader) -> str:
    """ "Front door unlocked and locked: 2 more times"; each kind of act once, in the order in which they came."""
    kinds = list(dict.fromkeys(_ended(story, reader) for story in stories))
    gaps = {"place": reader.names.place(stories[0].named.event.where), "did": _listed(kinds, reader)}
    tongue, count = reader.tongue, len(stories)
    if any(story.known is not Outcome.EXECUTED for story in stories):
        return tongue.say_many(
            "{place}: {did} ({count} more time)", "{place}: {did} ({count} more times)", count, **gaps
        )
    if len(kinds) > 1:
        return tongue.say_many("{place} {did}: {count} more time", "{place} {did}: {count} more times", count, **gaps)
    return tongue.say_many("{place} {did} {count} more time", "{place} {did} {count} more times", count, **gaps)


def _ended(story: Story, reader: Reader) -> str:
    action = story.named.event.what.partition(":")[2]
    known = acts.ACTS.get(action)
    wish = reader.say(known.wish) if known is not None else clean(action, NAME_CHARACTERS)
    if story.known is Outcome.EXECUTED:
        return reader.say((known or acts.OTHER).done, wish=wish)
    return reader.say(acts.ENDS[story.known], wish=wish)


def _listed(kinds: Sequence[str], reader: Reader) -> str:
    if len(kinds) > _KINDS:
        return ", ".join(kinds[:_KINDS]) + " …"
    if len(kinds) == 1:
        return kinds[0]
    return reader.say(later("{some} and {last}"), some=", ".join(kinds[:-1]), last=kinds[-1])
