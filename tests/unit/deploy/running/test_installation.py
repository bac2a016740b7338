"""How a home is run here, as systemd tells it, and advice that can be typed here."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from deploy.examining import check_units
from deploy.folder.home import Home, Settings
from deploy.running import installation
from deploy.running.installation import Installation, Unit

HUB = [
    "alerts.service",
    "auth.service",
    "broker.service",
    "gateway.service",
    "renew.timer",
    "doctor.timer",
    "backup.timer",
]
BY_TIMER = ("homesystem-renew.service", "homesystem-doctor.service", "homesystem-backup.service")


def home(var: Path) -> Home:
    (var / "agents").mkdir(parents=True, exist_ok=True)
    (var / "agents" / "hall.toml").touch()
    return Home(var, Settings())


def systemd(var: Path, **changed: dict[str, str]) -> installation.Show:
    """As `systemctl show` prints it: everything well but for what is `changed`, by the unit's short name."""

    def show(names: Iterable[str]) -> str:
        blocks = []
        for name in names:
            fields = {
                "Id": name,
                "LoadState": "loaded",
                "UnitFileState": "static" if name in BY_TIMER else "enabled",
                "ActiveState": "inactive" if name in BY_TIMER else "active",
                "Result": "success",
                "Environment": f"HOMESYSTEM_VAR={var} PYTHONTZPATH=" if name.endswith("service") else "",
            }
            fields |= changed.get(name.removeprefix("homesystem-").replace(".", "_").replace("@", "_"), {})
            blocks.append("\n".join(f"{key}={value}" for key, value in fields.items()))
        return "\n\n".join(blocks) + "\n"

    return show


def test_every_unit_that_is_to_be_enabled_is_looked_at_with_the_agents_of_rooms_here(tmp_path: Path) -> None:
    names = installation.wanted(home(tmp_path))
    assert {f"homesystem-{name}" for name in HUB} <= set(names)
    assert {*BY_TIMER, "homesystem-agent@hall.service"} <= set(names)
    assert not [name for name in names if "@." in name]


def test_units_that_are_all_well(tmp_path: Path) -> None:
    here = installation.look(home(tmp_path), systemd(tmp_path))
    (found,) = check_units.units(here)
    assert found.fine


@pytest.mark.parametrize(
    ("unit", "fields", "text", "step"),
    [
        (
            "renew_timer",
            {"UnitFileState": "disabled"},
            "renew.timer is disabled",
            "enable --now homesystem-renew.timer",
        ),
        (
            "auth_service",
            {"ActiveState": "failed", "Result": "signal"},
            "is failed (signal)",
            "journalctl -u homesystem",
        ),
        ("gateway_service", {"LoadState": "not-found"}, "is not installed", "docs/setup.md"),
        ("gateway_service", {"LoadState": "masked"}, "is not installed (masked)", "docs/setup.md"),
        ("renew_service", {"Result": "exit-code"}, "failed the last time (exit-code)", "homesystem renew"),
        ("doctor_service", {"Result": "timeout"}, "doctor.service failed the last time (timeout)", "homesystem doctor"),
        (
            "agent_hall_service",
            {"ActiveState": "inactive"},
            "agent@hall.service is inactive",
            "restart homesystem-agent@",
        ),
        ("broker_service", {"UnitFileState": ""}, "is not enabled", "enable --now homesystem-broker.service"),
    ],
)
def test_a_unit_that_is_not_as_it_should_be(
    tmp_path: Path, unit: str, fields: dict[str, str], text: str, step: str
) -> None:
    here = installation.look(home(tmp_path), systemd(tmp_path, **{unit: fields}))
    (found,) = check_units.units(here)
    assert found.fine is False
    assert text in found.text
    assert step in found.step


def test_where_no_systemd_is_or_it_runs_another_home_units_are_not_looked_at(tmp_path: Path) -> None:
    for show in (lambda _names: "", systemd(tmp_path / "another")):
        here = installation.look(home(tmp_path), show)
        (found,) = check_units.units(here)
        assert found.fine is None
        assert here.start("auth") == "start it: `homesystem up`"
        assert "auth.log" in here.log("auth")


def test_advice_is_what_one_can_type_here(tmp_path: Path) -> None:
    managed = Installation((Unit("homesystem-auth.service", "loaded", "enabled", "active", "", ""),), "sudo homesystem")
    assert managed.typed("first `homesystem renew`, then see") == "first `sudo homesystem renew`, then see"
    assert managed.start("auth") == "sudo systemctl restart homesystem-auth"
    alone = installation.look(home(tmp_path), lambda _names: "")
    apart = Installation((), "docker compose exec hub homesystem", apart=True)
    assert apart.typed("`homesystem doctor`") == "`docker compose exec hub homesystem doctor`"
    assert apart.typed("`homesystem backup key`") == "`docker compose run --rm backup homesystem backup key`"
    told = "run `homesystem renew`, and see that homesystem-renew.timer runs"
    assert apart.typed(told) == "run `docker compose exec hub homesystem renew`, and see that the container hub runs"
    assert apart.mend("auth") == "docker compose restart auth; docker compose logs auth"
    assert alone.typed("`homesystem up`").startswith(f"`HOMESYSTEM_VAR={tmp_path} ")
