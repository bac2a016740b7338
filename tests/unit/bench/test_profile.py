"""Stacks as the profiler writes them, down to the lines that took the time."""

from pathlib import Path

from tests.bench.profile import own

SAMPLES = """\
main (/srv/tree/gateway/__main__.py:9);run (/srv/tree/gateway/app.py:20) 5
main (/srv/tree/gateway/__main__.py:9);run (/srv/tree/gateway/app.py:20);write (/usr/lib/python3.11/ssl.py:100) 7
other (/srv/tree/gateway/app.py:30);write (/usr/lib/python3.11/ssl.py:100) 2
main (/srv/tree/.venv/lib/python3.11/site-packages/aiohttp/web.py:4);<listcomp> (gateway/app.py:20) 1
 3
"""


def test_a_line_has_what_fell_on_itself_whoever_called_it() -> None:
    assert own(SAMPLES, Path("/srv/tree")) == {
        "gateway/app.py:20  run": 5,
        "ssl.py:100  write": 9,
        "gateway/app.py:20  <listcomp>": 1,
    }
