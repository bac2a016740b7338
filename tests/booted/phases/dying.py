"""Each service killed, and each frozen: systemd puts another in its place within half a minute, and life goes on."""

from tests.booted.house import AGENT, UNITS, House
from tests.booted.machine import Machine, TroubleError
from tests.booted.phases import commanding

REPLACED_SECONDS = 30.0
"""A frozen service is replaced within this time, by its watchdog."""


def killed(house: House) -> None:
    """kill -9, one after the other."""
    for machine, unit, program in everything(house):
        _replaced(machine, unit, program, "KILL")
        well(house)
        house.report.saw(
            f"{machine.name}: {unit} ({program}) was killed, another took its place, a command is executed"
        )


def frozen(house: House) -> None:
    """SIGSTOP: the process is there, and does nothing."""
    for machine, unit, program in everything(house):
        _replaced(machine, unit, program, "STOP")
        well(house)
        house.report.saw(
            f"{machine.name}: {unit} ({program}) was frozen, its watchdog had it replaced, a command works"
        )


def everything(house: House) -> list[tuple[Machine, str, str]]:
    """Every program that runs for ever: where, of which unit, its name."""
    listed = house.hub.run("systemctl list-units --plain --no-legend --state=running 'homesystem-*.service'")
    running = [line.split()[0].removesuffix(".service") for line in listed.splitlines()]
    assert set(UNITS) <= set(running), f"not all of {UNITS} run: {running}"
    units = [(house.hub, unit) for unit in running] + [(house.room, AGENT)]
    return [(machine, unit, program) for machine, unit in units for program in programs(machine, unit)]


def programs(machine: Machine, unit: str) -> dict[str, str]:
    """The processes of a unit: the main one and its children, each name and its number in the machine."""
    main = machine.unit(unit, "MainPID")["MainPID"]
    lines = machine.run(f"ps -o comm=,pid= -p {main}; ps -o comm=,pid= --ppid {main} || true").splitlines()
    return dict(line.split() for line in lines)


def well(house: House) -> None:
    """Ready, the room is there, and it obeys."""
    house.hub.until(house.visitor.ready, "the gateway is ready", 60)
    house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 90)
    commanding.off_and_on(house)


def _replaced(machine: Machine, unit: str, program: str, signal: str) -> None:
    machine.until_active(unit)
    before = machine.unit(unit, "MainPID")["MainPID"]
    target = programs(machine, unit)[program]
    machine.run(f"kill -{signal} {target}")

    def another() -> bool:
        now = machine.unit(unit, "MainPID", "SubState")
        return now["MainPID"] not in {before, "0"} and now["SubState"] == "running"

    try:
        machine.until(
            another, f"{unit} ({program}) got SIG{signal}, and another process takes its place", REPLACED_SECONDS
        )
    except TroubleError:
        machine.run(f"kill -CONT {target} || true")  # what comes next is not to fail of this as well
        raise
