"""What is said to whoever was signed out, by why that was."""

from typing import Final

from gateway.pages.acts import Said

SAID: Final = {
    "ended": Said("unsure", "You were signed out", "From another browser of yours, or by the master user."),
    "unused": Said(
        "unsure", "You were signed out", "Nobody used this browser for a while. On a device of your own you can stay."
    ),
    "over": Said("unsure", "You were signed out", "The last sign-in was long ago, so you are asked once more."),
    "password-changed": Said("unsure", "You were signed out", "Your password was changed. Sign in with the new one."),
    "disabled": Said("bad", "This account may not sign in any more", "Ask the master user."),
    "lockdown": Said("bad", "The home was locked down", "Everyone was signed out. Off, Lock and Stop still work."),
}
"""By Ending (shared/words/internal.py); who signed out knows it."""
