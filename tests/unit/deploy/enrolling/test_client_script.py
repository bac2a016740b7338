"""What a client's machine says of an answer that is none of the hub's; everything else is tried with a hub."""

import subprocess
from pathlib import Path

import pytest

from deploy.folder.home import ROOT

CURL = """#!/bin/sh
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || out=$2
    shift
done
case $out in
csrf) printf '{"csrf_token":"x"}' >csrf ;;
*) printf '%s' '@ANSWER@' >"$out"; printf @STATUS@ ;;
esac
"""


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (502, "<html>Bad Gateway</html>", "The answer was 502 and gave no reason, so that it came from something"),
        (403, "", "The answer was 403 and gave no reason"),
        (403, '{"detail":"Say \\"please\\"."}', 'client: Say "please".\n'),
        (503, '{"detail":"On the hub: start it."}', "client: On the hub: start it. Then paste the line again.\n"),
    ],
)
def test_an_answer_without_a_reason_is_told_as_that(tmp_path: Path, status: int, answer: str, said: str) -> None:
    tool = tmp_path / "bin" / "curl"
    tool.parent.mkdir()
    tool.write_text(CURL.replace("@ANSWER@", answer).replace("@STATUS@", str(status)))
    tool.chmod(0o755)
    (tmp_path / "ca.crt").touch()
    script = ["sh", str(ROOT / "deploy" / "client.sh"), "tablet", "hub.example:8443", str(tmp_path / "out")]
    done = subprocess.run(
        script,
        input="0" * 32,
        env={"PATH": f"{tool.parent}:/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
