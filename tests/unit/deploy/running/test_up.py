"""What supervisord is told of a home, read by supervisord itself."""

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.folder.home import Home, Settings
from deploy.running import up


@pytest.mark.parametrize("name", ["home", "a home", "höme", "100% ours", "it's", 'so "called"'])
def test_supervisord_finds_its_way_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path / name, Settings(demo=True))
    (home.var / "log").mkdir(parents=True)
    file = tmp_path / "supervisord.conf"
    file.write_text(up.supervisor_config(home), encoding="utf-8")
    options = ServerOptions()
    options.realize(["-c", str(file)])
    assert options.logfile == str(home.var / "log" / "supervisor.log")
    assert options.pidfile == str(home.var / "supervisord.pid")
    (server,) = options.server_configs
    assert server["file"] == up.supervisor_config(home).partition("\nfile=")[2].partition("\n")[0].replace("%%", "%")
    programs = {process.name: process for group in options.process_group_configs for process in group.process_configs}
    gateway = programs["gateway"]
    assert gateway.stdout_logfile == str(home.var / "log" / "gateway.console.log")
    assert shlex.split(gateway.command)[-1] == str(home.config("gateway"))
