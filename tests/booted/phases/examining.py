"""`homesystem doctor`, as the guide has people run it and as its timer does: everything has to be well."""

import json

from tests.booted.house import House

_REPORT = "/var/lib/homesystem/services/gateway/data/doctor.json"
_UNIT = "homesystem-doctor"


def run(house: House) -> None:
    """Every line with ✓; what the timer starts sees as much, and leaves it where the house's page looks."""
    said = house.follow(house.hub, "doctor")
    wrong = [line.strip() for line in said.splitlines() if "✗" in line]
    assert not wrong, "doctor finds fault: " + " | ".join(wrong)
    right = said.count("✓")
    assert right > 0, f"doctor looked at nothing:\n{said}"
    house.report.saw(f"doctor says ✓ {right} times and ✗ never")
    by_hand = _states(house)
    house.hub.run(f"rm {_REPORT} && systemctl start {_UNIT}.service")
    assert _states(house) == by_hand, f"the unit's doctor sees other things than one by hand: {_states(house)}"
    timer = house.hub.unit(f"{_UNIT}.timer", "ActiveState", "UnitFileState")
    assert timer == {"ActiveState": "active", "UnitFileState": "enabled"}, timer
    house.report.saw(f"{_UNIT}.timer is active; its doctor sees the same {len(by_hand)} things as one by hand")


def _states(house: House) -> list[tuple[str, str]]:
    """Each area of the last report, and what became of it."""
    report = json.loads(house.hub.run(f"cat {_REPORT}"))
    return [(line["area"], line["state"]) for line in report["findings"]]
