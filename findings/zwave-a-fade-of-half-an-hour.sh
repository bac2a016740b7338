#!/bin/bash
# @zwave-js/core 15.29.0, the part of Z-Wave JS that says how long a light fades or a blind moves.
#
# What one would expect: a duration is a number and a unit, or a text such as "1800s". On the air Z-Wave has seconds up to 127 and minutes
# up to 127; what does not fit exactly is rounded to what is nearest ("the nearest possible representation", says the
# library of its texts), and what does not fit at all is an error.
# What happens: of the text that is so, and 1,800 seconds are sent as 30 minutes. The same 1,800 seconds as a number and a unit, as programs
# write them, are cut to 127 without a word: a sunrise of half an hour is over in two minutes. And a text of three hours
# gives no duration at all, and no error: the same as if none was asked for, so that the device takes its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=lib/npm
. "$here/lib/npm"
from_npm @zwave-js/core@15.29.0

cat >"$work/node/look.js" <<'J'
import { createRequire } from "node:module";
import { Duration } from "@zwave-js/core";

console.log("@zwave-js/core", createRequire(import.meta.url)("@zwave-js/core/package.json").version);
for (const wish of ["1800s", { value: 1800, unit: "seconds" }, { value: 30, unit: "minutes" }, "2h", "3h"]) {
  const byte = Duration.from(wish)?.serializeSet();
  console.log(`${JSON.stringify(wish)}: sent as ${byte}${byte === undefined ? "" : `, which means ${Duration.parseSet(byte)}`}`);
}
J
seen=$(node "$work/node/look.js")
printf '%s\n' "$seen"
expected='@zwave-js/core 15.29.0
"1800s": sent as 157, which means 30m
{"value":1800,"unit":"seconds"}: sent as 127, which means 2m7s
{"value":30,"unit":"minutes"}: sent as 157, which means 30m
"2h": sent as 247, which means 2h0m
"3h": sent as undefined'
[ "$seen" = "$expected" ] || { echo "CHANGED: a duration in seconds is no longer cut to 127, or one of three hours is told of"; exit 1; }
echo "as stated: half an hour in seconds is cut to two minutes"
