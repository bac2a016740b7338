#!/bin/sh
# A machine that install.sh set up from a checkout, and now has the Debian package: takes away the units, the command and
# the rest that install.sh put where they hide the package's, and has what was enabled point to the package's units.
# Run as root by the package; does nothing on any other machine. The checkout itself stays.
# Usage: from-git.sh [ROOT]      (ROOT: another system's root folder)
set -eu
root=${1:-}
units=$root/etc/systemd/system
checkout=/opt/homesystem

# Every machine of either kind has this one; an owner's own version of a packaged unit speaks of no checkout.
grep -qs "$checkout/" "$units/homesystem-agent@.service" || exit 0
for file in "$root"/usr/lib/systemd/system/homesystem*; do
    rm -f "$units/$(basename "$file")"
done
for link in "$units"/*.wants/homesystem*; do
    [ -L "$link" ] || continue
    target=$(readlink "$link")
    case $target in
    /etc/systemd/system/*) ln -sfn "/usr/lib/systemd/system/${target##*/}" "$link" ;;
    esac
done
rm -f "$root/etc/sysusers.d/homesystem.conf" "$root/etc/sysusers.d/homesystem-signer.conf" \
    "$root/etc/tmpfiles.d/homesystem.conf" "$root/etc/udev/rules.d/60-homesystem-gpio.rules"
if grep -qs "$checkout" "$root/usr/local/bin/homesystem"; then
    rm -f "$root/usr/local/bin/homesystem"
fi
echo "What install.sh put on this machine makes way for the package; the home stays where it is."
if [ -d "$root$checkout" ]; then
    echo "Nothing uses $checkout any more. Unless you keep a home of your own in $checkout/var: sudo rm -r $checkout"
fi
