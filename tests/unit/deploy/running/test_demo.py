"""The demo home's ports: whoever moves those that the contract names can run a second home beside the first."""

from deploy.folder.settings import Settings
from deploy.running import demo

MOVED = {
    "HOMESYSTEM_HTTPS_PORT": "20443",
    "HOMESYSTEM_MQTT_PORT": "20883",
    "HOMESYSTEM_SMTP_PORT": "20025",
    "HOMESYSTEM_AUTH_PORT": "20444",
    "HOMESYSTEM_ALERTS_PORT": "20445",
}


def test_the_recorder_stays_where_it_is_expected_while_nothing_else_is_moved() -> None:
    assert demo.readings_port({}, free=lambda _port: True) == Settings().readings_port


def test_the_recorder_goes_along_with_ports_that_are_moved_though_nobody_listens_yet() -> None:
    # Two homes that begin at the same moment would both find the usual port free.
    assert demo.readings_port(MOVED, free=lambda _port: True) != Settings().readings_port


def test_the_recorder_takes_no_port_that_this_home_is_about_to_take() -> None:
    open_to_it = {20443, 20444, 31000}  # free as yet, and two of them this home's own
    assert demo.readings_port(MOVED, free=lambda port: port in open_to_it) == 31000


def test_the_recorder_goes_out_of_the_way_of_whoever_listens_there() -> None:
    usual = Settings().readings_port
    assert demo.readings_port({}, free=lambda port: port != usual) != usual


def test_who_names_the_recorders_port_is_obeyed() -> None:
    given = MOVED | {"HOMESYSTEM_READINGS_PORT": "20446"}
    assert demo.readings_port(given, free=lambda _port: False) == Settings().readings_port  # the start looks, and says
