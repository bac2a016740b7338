#!/bin/sh
# ExecStopPost= of every service: notes an end that nobody asked for, where the next start finds it and tells it by letter.
# What lies in /run is gone after a power cut, and systemd removes it when the service is stopped by hand.
set -eu
umask 022 # the alert service reads it, whose user may be another
[ "$SERVICE_RESULT" != success ] || exit 0
# 75 and 78: it waits for something, or cannot be used as it is set up, and has said so itself.
case ${EXIT_STATUS:-} in 75 | 78) exit 0 ;; esac
printf '%s %s %s\n' "$(date +%s%3N)" "$SERVICE_RESULT" "${EXIT_STATUS:-}" >>"$RUNTIME_DIRECTORY/ended"
