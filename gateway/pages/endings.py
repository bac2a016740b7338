"""What is said to whoever was signed out, by why that was."""

from typing import Final

from gateway.pages.acts import Said
from shared.words.languages import later

SAID: Final = {
    "ended": Said(
        "unsure", later("You were signed out"), later("From another browser of yours, or by the master user.")
    ),
    "unused": Said(
        "unsure",
        later("You were signed out"),
        later("Nobody used this browser for a while. On a device of your own you can stay."),
    ),
    "over": Said(
        "unsure", later("You were signed out"), later("The last sign-in was long ago, so you are asked once more.")
    ),
    "password-changed": Said(
        "unsure", later("You were signed out"), later("Your password was changed. Sign in with the new one.")
    ),
    "email-changed": Said(
        "unsure", later("You were signed out"), later("Your e-mail address was changed. Sign in with the new one.")
    ),
    "role-changed": Said(
        "unsure", later("You were signed out"), later("What you may do here was changed. Sign in once more.")
    ),
    "disabled": Said("bad", later("This account may not sign in any more"), later("Ask the master user.")),
    "crowded": Said(
        "unsure",
        later("You were signed out"),
        later("You were signed in at more than 50 places. The one unused for the longest was ended."),
    ),
    "restored": Said(
        "unsure",
        later("You were signed out"),
        later("The home was brought back from a backup. Passwords and passkeys are those of that day."),
    ),
    "lockdown": Said(
        "bad", later("The home was locked down"), later("Everyone was signed out. Off, Lock and Stop still work.")
    ),
}
"""By Ending (shared/words/internal.py); who signed out knows it."""
