"""What happened, in words: a letter has the same ones as the history, where people look up what it told them."""

from shared.words.names import Action

VERBS: dict[str, tuple[str, str]] = {
    Action.ON: ("switch on", "switched on"),
    Action.OFF: ("switch off", "switched off"),
    Action.SET: ("set", "set"),
    Action.LOCK: ("lock", "locked"),
    Action.UNLOCK: ("unlock", "unlocked"),
    Action.OPEN: ("open", "opened"),
    Action.CLOSE: ("close", "closed"),
    Action.STOP: ("stop", "stopped"),
    Action.PRESS: ("press", "pressed"),
}
"""Each action, as a wish and as done."""
GESTURE = "event"
"""In the detail of a press: how the button was pressed; of a door: UNSEEN, where it moved while nobody saw it."""
UNSEEN = "unseen"
TIMES, UNTIL = "times", "until"
"""In the detail of several that were told as one: how many they were, and when the last of them was (RFC 3339)."""
HAPPENINGS = {
    "account:invited": "Somebody invited",
    "account:invitation-withdrawn": "Invitation withdrawn",
    "account:invitation-failed": "Wrong code for an invitation",
    "account:created": "Account created",
    "account:changed": "Account changed",
    "account:role-changed": "Role changed",
    "account:disabled": "Account disabled",
    "account:enabled": "Account enabled again",
    "account:erased": "Account erased",
    "account:password-changed": "Password changed",
    "account:email-changed": "E-mail address changed",
    "account:factor-added": "Sign-in factor added",
    "account:factor-removed": "Sign-in factor removed",
    "account:recovery-used": "Recovery code used",
    "account:grants-changed": "Grants changed",
    "account:token-made": "API token made",
    "account:token-revoked": "API token revoked",
    "account:sign-in-failed": "Sign-in failed",
    "account:confirmation-failed": "Confirmation failed",
    "account:code-made": "Code made at the hub",
    "session:new-place": "Sign-in from a new place",
    "session:started": "Signed in",
    "session:proved": "Proved who they are",
    "session:ended": "Session ended",
    "certificate:signed": "Certificate signed",
    "certificate:renewed": "Certificate renewed",
    "certificate:refused": "Certificate refused",
    "certificate:ending": "Certificate about to end",
    "certificate:revoked": "Certificate revoked",
    "client:added": "Trusted client added",
    "client:revoked": "Trusted client revoked",
    "rights:changed": "Rights at the broker changed",
    "registry:renamed": "Called by another name",
    "registry:drawn": "Given another icon",
    "registry:hidden": "Hidden on the pages",
    "registry:shown": "Shown on the pages again",
    "registry:arranged": "Put into another order",
    "room:awaited": "Room may join",
    "room:join-refused": "Machine was refused that wanted to join",
    "room:added": "Room added",
    "room:revoked": "Room revoked",
    "backup:failed": "Backup failed",
    "backup:old": "Backups are old",
    "audit:malformed": "Unreadable audit event",
    "audit:too-large": "Oversized audit event",
    "room:offline": "Room is offline",
    "service:replaced": "Service was replaced",
    "room:online-again": "Room is online again",
    "audit:id-reused": "Audit event told twice, differently",
    "audit:chain-broken": "The record was tampered with",
    "audit:day-removed": "Old day removed from the record",
    "audit:flood": "Flood of audit events",
    "audit:from-future": "Audit event dated in the future",
    "audit:not-its-own": "Audit event about somebody else's place",
    "audit:missing": "Audit events are missing",
    "audit:dropped": "Ordinary audit events dropped for want of space",
    "audit:torn": "Spool was torn and put aside",
    "audit:record-torn": "The record was torn",
    "accounts:torn": "The accounts cannot be read",
    "audit:paused": "No proof could be written",
    "audit:unwritable": "No ledger can be written",
    "audit:kept-again": "The ledger can be written again",
    "audit:person-erased": "A person was taken out of the record",
    "audit:spoiled": "Row of the record that cannot be read any more",
    "audit:gone": "Row that was taken out of the record",
}
"""Each event that is about neither a device nor the home as a whole, by its `what`."""
PASSING = frozenset(
    {"device:opened", "device:closed", "device:motion", "device:pressed", "room:away", "room:back"},
)
"""What merely happened: kept beside the record, not in its chain."""
