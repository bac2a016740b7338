"""`homesystem doctor`, as the guide has people run it: everything has to be well."""

from tests.booted.house import House


def run(house: House) -> None:
    """Every line with ✓."""
    said = house.follow(house.hub, "doctor")
    wrong = [line.strip() for line in said.splitlines() if "✗" in line]
    assert not wrong, "doctor finds fault: " + " | ".join(wrong)
    right = said.count("✓")
    assert right > 0, f"doctor looked at nothing:\n{said}"
    house.report.saw(f"doctor says ✓ {right} times and ✗ never")
