"""Tries the rules on happenings for `homesystem rule try`: what each of them would have sent, and how often."""

import difflib
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec

from alert_service import config as alerts_config
from alert_service.chain import chain
from alert_service.letters.known_names import KnownNames
from alert_service.noticing import rehearsal
from alert_service.noticing.rehearsal import Past, Would
from alert_service.store import open_store
from alert_service.telling import noticed, rule_check, tiding_words
from alert_service.telling.noticed import SECOND
from alert_service.telling.policy import Rule, several
from alert_service.telling.reader import Reader
from alert_service.telling.tidings import Letter
from deploy.record import progress
from deploy.record.progress import console
from shared.keeping import database
from shared.running.config import Config, ConfigError, load
from shared.words.problem import HomeError

_DAY = 86_400 * SECOND
_SHOWN = 50
"""Of one rule so many letters are told one by one."""


class Draft(Config, frozen=True):
    """A file with rules alone."""

    rules: tuple[Rule, ...] = ()


async def try_rules(settings: Path, draft: Path | None, days: int) -> None:
    """Tell which letters each rule would have sent in the last `days`.

    Raises ConfigError for what is wrong with the settings or the draft, HomeError where there is no database.
    """
    config = alerts_config.read(settings)
    rules = config.rules if draft is None else drafted(draft)
    numbers = [number for number, rule in enumerate(rules) if rule.on_happenings]
    if not numbers:
        where = draft if draft is not None else settings
        console.print(f"{where}: no rule is on happenings, so there is nothing to try (docs/alerts.md has examples).")
        return
    if (path := database.missing(config.database)) is not None:
        raise HomeError("not-found", f"{path} is not there: the alert service never ran here, so nothing is known yet")
    until = round(time.time() * SECOND)
    since = until - days * _DAY
    store = await open_store(config.database)
    try:
        past = await rehearsal.past(store, since)
        names = KnownNames(store)
        await names.recall()
        reader = Reader(zone=config.zone, names=names.names)
        if past.first is None:
            console.print(
                "Nothing has happened yet that is kept, so no rule can be tried: "
                + ("happenings_days is 0" if not config.history.happenings_days else "come back in a day or two")
                + "."
            )
            return
        with progress.shown("trying", "tried", "happenings") as tell:
            would = await rehearsal.rehearse(store, noticed.read(rules), config.zone, since, until, tell)
    finally:
        await store.close()
    _tell(rules, numbers, would, past, max(since, past.first), until, reader)


def drafted(path: Path) -> tuple[Rule, ...]:
    """The rules of a draft, which may be a whole alerts.toml.

    Raises ConfigError with everything that is wrong, HomeError("not-found") where it is not there.
    """
    try:
        whole = set(tomllib.loads(path.read_text(encoding="utf-8"))) - {"rules"}
    except FileNotFoundError:
        raise HomeError("not-found", f"{path} is not there; --rules names the file with the draft") from None
    except (OSError, ValueError):
        whole = set()  # load tells what is wrong
    if whole:
        return alerts_config.read(path).rules
    rules = load(Draft, path).rules
    if wrong := list(rule_check.complaints(rules)):
        raise ConfigError("\n".join(f"{path}: {complaint}" for complaint in wrong))
    return rules


def _tell(
    rules: Sequence[Rule],
    numbers: Sequence[int],
    would: Sequence[Would],
    past: Past,
    since: int,
    until: int,
    reader: Reader,
) -> None:
    console.print(f"Since {_day(since, reader.zone)} {past.heard} happenings came. Nothing is changed or sent.")
    for place, number in enumerate(numbers):
        rule = rules[number]
        mine = [one for one in would if one.rule == place]
        console.print()
        console.print(f"{rule.name or 'a rule without a name'} (rules[{number}])")
        for one in mine[:_SHOWN]:
            said = tiding_words.sentence(_renamed(one, rule), reader)
            home = "; unless somebody was at home" if rule.unless and one.letter.form in {"began", "both"} else ""
            console.print(f"  {_moment(one.letter.made_at, reader.zone)}  {said}{home}")
        if len(mine) > _SHOWN:
            console.print(f"  … and {len(mine) - _SHOWN} more")
        console.print(f"  {_figures(mine, since, until, reader.zone)}")
        for remark in _unheard(rule, past):
            console.print(f"  {remark}")


def _renamed(one: Would, rule: Rule) -> Letter:
    """Under the rule's name, as its letter has it."""
    return msgspec.structs.replace(one.letter, rule=rule.name or "")


def _figures(mine: Sequence[Would], since: int, until: int, zone: tzinfo) -> str:
    days = max(1, round((until - since) / _DAY))
    over = f"in {days} day{'s' if days > 1 else ''}"
    if not mine:
        return f"no letter {over}"
    counts = Counter(_day(one.letter.made_at, zone) for one in mine)
    busiest, most = counts.most_common(1)[0]
    total = len(mine)
    return f"{total} letter{'s' if total > 1 else ''} {over}, {total / days:.1f} a day; the most on {busiest}: {most}"


def _unheard(rule: Rule, past: Past) -> Iterator[str]:
    """Places that a rule names in full, and from which nothing was ever heard."""
    for place in several(rule.where):
        if place in past.places or any(sign in place for sign in "*?["):
            continue
        near = difflib.get_close_matches(place, sorted(past.places), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        yield f'nothing was ever heard from "{place}"{hint}'


def _moment(at: int, zone: tzinfo) -> str:
    return f"{_local(at, zone):%a %d %b %H:%M}"


def _day(at: int, zone: tzinfo) -> str:
    return f"{_local(at, zone):%a %d %b}"


def _local(at: int, zone: tzinfo) -> datetime:
    return chain.from_microseconds(at).astimezone(zone)
