"""What is told of people, rooms, certificates and the home, pure: the sentence of each event, by its `what`.

The titles are those of the history (shared/words/happenings.py).
"""

from shared.words.languages import later

EVENTS = {
    "account:invited": later("{about} was invited to this home at {time}, by {who}."),
    "account:invitation-withdrawn": later("The invitation of {about} was withdrawn at {time}, by {who}."),
    "account:invitation-failed": later("Wrong codes for an invitation were typed again and again, last at {time}."),
    "account:created": later("An account was made for {about} at {time}, by {who}."),
    "account:changed": later("The account of {about} was changed at {time}, by {who}."),
    "account:role-changed": later("What {about} may do here was changed at {time}, by {who}."),
    "account:enabled": later("{about} may sign in again since {time}, by the word of {who}."),
    "account:disabled": later("The account of {about} was disabled at {time}, by {who}."),
    "account:erased": later("The account of {about} was erased at {time}, by {who}."),
    "account:password-changed": later("The password of {about} was changed at {time}, by {who}."),
    "account:email-changed": later("The e-mail address of {about} was changed at {time}, by {who}."),
    "account:factor-added": later("{about} got one more way to confirm a sign-in at {time}, by {who}."),
    "account:factor-removed": later("{about} lost one way to confirm a sign-in at {time}, by {who}."),
    "account:recovery-used": later(
        "A recovery code of {about} was used at {time}, in the place of an app or a passkey."
    ),
    "account:grants-changed": later("What {about} may use was changed at {time}, by {who}."),
    "account:token-made": later("A token by which programs act for {about} was made at {time}, by {who}."),
    "account:token-revoked": later("A token by which programs acted for {about} was revoked at {time}, by {who}."),
    "account:sign-in-failed": later("Signing in as {about} failed again and again, last at {time}."),
    "account:confirmation-failed": later("Confirming as {about} failed, last at {time}."),
    "account:code-made": later("A code for {about} was made at the hub at {time}."),
    "session:new-place": later("{who} signed in from a new place at {time}."),
    "session:started": later("{who} signed in at {time}."),
    "session:proved": later("{who} proved at {time} who they are."),
    "session:ended": later("{who} was signed out at {time}."),
    "certificate:signed": later("A certificate for {about} was signed at {time}."),
    "certificate:renewed": later("The certificate of {about} was renewed at {time}."),
    "certificate:refused": later("{about} showed a certificate at {time} that was refused."),
    "certificate:ending": later("The certificate of {about} is about to end."),
    "certificate:revoked": later("The certificate of {about} was revoked at {time}, by {who}."),
    "client:added": later("The trusted client {about} was added at {time}, by {who}."),
    "client:revoked": later("The trusted client {about} was revoked at {time}, by {who}."),
    "room:added": later("The room {about} was added at {time}, by {who}."),
    "room:revoked": later("The room {about} was revoked at {time}, by {who}."),
    "room:file-set": later("The devices of {about} were set on a page at {time}, by {who}."),
    "room:file-changed": later("The room {about} has gone by its changed file since {time}."),
    "room:file-put-back": later(
        "The room {about} put its former file back at {time}: it could not live by the new one."
    ),
    "room:offline": later("The room {about} has not answered since {since}."),
    "room:online-again": later("The room {about} has answered again since {time}; it was away from {since} on."),
    "service:replaced": later("The service {about} ended unasked at {time} and was started anew."),
    "backup:failed": later("A backup could not be made at {time}."),
    "backup:old": later("Seen at {time}: the home has no backup that is new enough."),
    "rights:changed": later("Rights at the broker were changed at {time}, by {who}."),
}
OTHER = later("{title} ({about}), at {time}.")
OTHER_OF_NONE = later("{title}, at {time}.")
CLAIM = later("The room {room} claims: {told}")
"""What a room says about others is quoted, in a title as in a sentence (docs/record.md)."""

HOME = {
    "home:locked-down": (
        (later("The home is locked down"), later("{who} locked the home down at {time}.")),
        (later("The lockdown failed"), later("{who} wanted to lock the home down at {time}, and it failed.")),
    ),
    "home:lockdown-ended": (
        (later("The lockdown is over"), later("{who} ended the lockdown at {time}.")),
        (later("Ending the lockdown failed"), later("{who} wanted to end the lockdown at {time}, and it failed.")),
    ),
    "home:factor-demanded": (
        (
            later("Everyone has to have a passkey or an authenticator app"),
            later("{who} had everyone add a passkey or an authenticator app, at {time}."),
        ),
        (
            later("Nothing more was asked of everyone"),
            later("{who} wanted to have everyone add a passkey or an authenticator app at {time}, and it failed."),
        ),
    ),
    "home:factor-not-demanded": (
        (
            later("Nobody has to have a passkey or an authenticator app"),
            later("{who} let everyone choose how they sign in, at {time}: a code by mail is enough again."),
        ),
        (
            later("Strong factors are asked of everyone still"),
            later("{who} wanted to let everyone choose how they sign in at {time}, and it failed."),
        ),
    ),
    "home:restored": (
        (
            later("The home was brought back from a backup"),
            later(
                "The home was brought back from a backup at {time}, by {who}. Everybody is signed out, and API tokens "
                "are void. Accounts, passwords and passkeys are those of the day of the backup."
            ),
        ),
        (
            later("The home was not brought back from a backup"),
            later("The home was to be brought back from a backup at {time}, and was not."),
        ),
    ),
    "home:upgraded": (
        (
            later("Home System was brought up to date"),
            later("The hub got a newer version of Home System at {time}, and was found well with it."),
        ),
        (
            later("Home System was not brought up to date"),
            later(
                "The hub was to get a newer version of Home System at {time}. It was not well with it, and went back "
                "to the version that it had, with everything as it was before."
            ),
        ),
    ),
    "home:renamed": (
        (later("The hub gets another name"), later("The hub got another name at {time}, by {who}.")),
        (later("The hub got no other name"), later("The hub was to get another name at {time}, and got none.")),
    ),
    "home:authority-followed": (
        (
            later("Another authority signs certificates"),
            later(
                "Another authority for the home's certificates was made at {time}, by {who}. Rooms follow by "
                "themselves; the former one ends once everybody has followed."
            ),
        ),
        (
            later("No other authority signs certificates"),
            later("Another authority for the home's certificates was to be made at {time}, and was not."),
        ),
    ),
    "home:authority-ended": (
        (
            later("The former authority has ended"),
            later(
                "The former authority for the home's certificates was ended at {time}, by {who}. Whoever has not "
                "followed the other one is refused from now on."
            ),
        ),
        (
            later("The former authority goes on"),
            later("The former authority for the home's certificates was to end at {time}, and goes on."),
        ),
    ),
    "home:web-authority-followed": (
        (
            later("Browsers are to know another authority"),
            later(
                "Another authority for the home's pages was arranged at {time}, by {who}. The detail says when the hub "
                "changes over to it; until then nothing changes."
            ),
        ),
        (
            later("No other authority for browsers"),
            later("Another authority for the home's pages was to be arranged at {time}, and was not."),
        ),
    ),
    "home:web-authority-changed": (
        (
            later("Browsers are shown another authority"),
            later(
                "The home's pages changed over to another authority at {time}, by {who}. A browser that does not know "
                "it warns from now on, and the former one's key is destroyed."
            ),
        ),
        (
            later("Browsers are shown the same authority"),
            later("The home's pages were to change over to another authority at {time}, and did not."),
        ),
    ),
    "home:web-authority-ended": (
        (
            later("The former authority for browsers has ended"),
            later("The former authority for the home's pages was ended at {time}, by {who}, and its key destroyed."),
        ),
        (
            later("The former authority for browsers goes on"),
            later("The former authority for the home's pages was to end at {time}, and goes on."),
        ),
    ),
}
"""Of the whole home, so without a place: title and sentence of what was done, and of what was not."""
