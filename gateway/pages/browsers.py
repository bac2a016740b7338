"""A browser in words, for pages; pure."""

from gateway.pages.speaking import say
from gateway.picture.plain import plain
from shared.words import user_agents


def named(agent: str) -> str:
    """ "Firefox on Android"; a program's own first word where nothing is known about it."""
    told = user_agents.read(agent)
    if told.browser is None:
        return plain(told.own, 32) or say("A program that does not say what it is")
    if told.system is None:
        return told.browser
    return say("{browser} on {system}", browser=told.browser, system=say(told.system))
