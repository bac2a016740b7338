"""What to do about an event, by its `what`, for letters; pure."""

from alert_service.telling.policy import MISMATCH
from shared.words.languages import later

STRANGER = later("If this was not you: change your password, and end the sessions that you do not know.")
HUB_ALONE = later("Only the hub can know such a thing. If the room {room} was not being tried out, revoke it.")
USUAL = later("If this was not meant to happen: lock what is open, and end the sessions that you do not know.")
NOT_AWAITED = later(
    "If nobody of you meant this: call it off before anybody comes, by `homesystem room revoke` or `homesystem client "
    "revoke` with that name on the hub, or by locking the home down."
)
NOT_ADDED = later(
    "If nobody of you meant this: on the hub, at once, `homesystem room revoke` or `homesystem client revoke` with "
    "that name."
)
ADVICE = {
    "room:awaited": NOT_AWAITED,
    "client:awaited": NOT_AWAITED,
    "room:added": NOT_ADDED,
    "client:added": NOT_ADDED,
    "device:restless": later("Its wire may pick up mains or have come loose: have it checked, shielded or shortened."),
    "device:unreadable": later(
        "Its pins may have come off, such as an expander on a cable: plug them in again, and the room begins anew by "
        "itself. If they are in, the room's log says why."
    ),
    MISMATCH: later(
        "What does not follow may be stuck: take the device off its supply, and have its relay and wiring checked."
    ),
    "device:appointed": later(
        "If this is not to happen: refuse it on its room's page before its time. Opening the page does nothing yet."
    ),
    "device:vetoed": later("Ask whoever refused it before anybody wants it anew."),
    "device:appointment-dropped": later("Whoever still wants it presses anew."),
    "device:appointment-unknown": later("Look at the device itself before anybody wants it anew."),
    "session:new-place": STRANGER,
    "account:sign-in-failed": STRANGER,
    "account:code-made": later(
        "Somebody at the hub made a code to sign in, or to end a lockdown, in your name. If you did not ask for one: "
        "somebody knows your password, have it changed."
    ),
    "account:token-made": later(
        "If this was not you: revoke it on your account page, change your password, and end the sessions that you "
        "do not know."
    ),
    "account:invited": later(
        "If no master user meant this: withdraw it on the page People, and change the password of whoever did it."
    ),
    "account:invitation-failed": later(
        "Codes are too long to be guessed so, and five wrong ones end an invitation. If whoever you invited mistyped: "
        "invite them anew."
    ),
    "account:password-changed": later("If this was not you: tell the master user at once."),
    "account:email-changed": later("If this was not you: lock the home down, and tell the master user at once."),
    "room:offline": later(
        "Its locks and doors obey nobody from afar until it is back: check its power and its network."
    ),
    "room:file-set": later(
        "If no master user meant this: lock the home down, and look at that room's devices before anything else."
    ),
    "room:file-put-back": later(
        "Nothing of the change is in force. The page with the room's devices says what was wrong with it."
    ),
    "room:online-again": later("The history has what its devices did meanwhile: look whether all is as it should be."),
    "service:replaced": later(
        "It runs again. If this comes more than once, its log and `journalctl` on its machine say why."
    ),
    "certificate:ending": later("The detail says what to do before it ends, and docs/certificates.md has the rest."),
    "backup:failed": later(
        "See whether the disk or the machine that backups go to is there and has room. The next try is made within the "
        "hour, and you are told again only when the last good one is three days old."
    ),
    "backup:old": later(
        "If the hub dies today, the home comes back as it was then: see to the disk or the machine that backups go to."
    ),
    "certificate:signed": later("If nobody enrolled this on the hub: revoke it there at once."),
    "certificate:refused": later("If this was no trial, somebody else may have its key: revoke it on the hub."),
    "home:authority-followed": later(
        "On the hub, `homesystem authority list` says who has yet to follow. If no master user meant this, somebody "
        "has broken into the hub: lock the home down."
    ),
    "home:authority-ended": later(
        "A room or client that was left behind comes back under its name: on the hub, `homesystem room renew`, or "
        "`homesystem client renew`. Backups from before still hold the former key: make a new one, and remove those."
    ),
    "home:web-authority-followed": later(
        "On each phone and computer, open the home's page under /authority and install the other one before that day; "
        "whoever has not is warned by the browser then, and cannot go past that. If no master user meant this, "
        "somebody has broken into the hub: lock the home down."
    ),
    "home:web-authority-changed": later(
        "Whoever is warned now needs the other one's file: somebody whose browser knows it has it under /authority, "
        "and on the hub `homesystem authority` prints it. Take the former one out of phones and computers. Backups "
        "from before still hold its key: make a new one, and remove those."
    ),
    "home:locked-down": later(
        "Everyone is signed out, and only off, lock and stop are obeyed. A master user ends it with the password and a "
        "code, or `homesystem lockdown end` on the hub does. Before that, find out why it began."
    ),
    "home:lockdown-ended": later(
        "The home obeys everyone again: if the master user did not want that, lock it down anew."
    ),
    "audit:gone": later(
        "Somebody took it out: on the hub, `homesystem audit verify --letters FOLDER` says what does not fit."
    ),
    "audit:torn": later(
        "What could be read of it goes on; it lies beside it, whole, under the name that the detail has. A card or "
        "disk that does this once does it again: have another ready."
    ),
    "audit:record-torn": later(
        "What could be read goes on in a new file, and the torn one lies beside it: keep it. The rows in the detail "
        "are lost; letters and backups may tell of them. Have another disk or card ready."
    ),
    "accounts:torn": later(
        "Nobody can sign in; buttons at the rooms and trusted clients go on. On the hub, `homesystem doctor` names the "
        "next step: bring back a backup, or `homesystem repair --accounts`."
    ),
    "audit:paused": later(
        "Meanwhile critical actions were refused and nothing else was recorded: look after that disk or card."
    ),
    "audit:unwritable": later(
        "Its card takes no file: it obeys what is safe and fresh commands that are not critical, and tries again by "
        "itself. Look after the card: is it full, mounted for reading only, or worn out?"
    ),
    "audit:chain-broken": later(
        "Somebody wrote into the record: on the hub, `homesystem audit verify --letters FOLDER` says what does not fit."
    ),
}
