"""What a room hears: the topics that its link asks the broker for."""

from shared.broker import mqtt
from shared.words import topics


def subscriptions(room: str) -> tuple[mqtt.Subscription, ...]:
    """What a room hears: its own commands (none that were retained), the hub, and the word on its audit events."""
    return (
        mqtt.Subscription(topics.commands_for(room), live_only=True),
        mqtt.Subscription(topics.ALL_SYSTEM),
        mqtt.Subscription(topics.receipt(room)),
        mqtt.Subscription(topics.resend(room)),
        mqtt.Subscription(topics.certificate(room), live_only=True, optional=True),
        mqtt.Subscription(topics.settings(room), optional=True),
    )
