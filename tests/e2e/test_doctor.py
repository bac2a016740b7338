"""The doctor of a home that runs: everything was looked at, and is well."""

import json

from tests.demo import Demo

AREAS = {
    "databases",
    "owners",
    "settings",
    "clock",
    "certificates",
    "name",
    "signer",
    "modes",
    "disk",
    "spools",
    "enrolments",
    "rules",
    "units",
    "broker",
    "auth",
    "backups",
    "alerts",
    "readings",
    "gateway",
    "served",
    "sign-in",
    "mail",
    "zones",
    "versions",
    "rooms",
}


def test_a_home_that_runs_is_well_in_every_respect(demo_home: Demo) -> None:
    said = demo_home.command("doctor", "--json")
    told = json.loads(said.stdout)
    assert [line for line in told["findings"] if line["state"] == "wrong"] == []
    assert (told["well"], said.returncode) == (True, 0)
    assert {line["area"] for line in told["findings"]} == AREAS
    assert {line["area"] for line in told["findings"] if line["state"] == "skipped"} == {"units"}
