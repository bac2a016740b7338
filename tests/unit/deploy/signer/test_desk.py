"""Which orders the signer obeys: whatever a stranger in a service's place asks for, and whatever happened before."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.pki.authorities import LEAF_DAYS
from deploy.pki.index import Issued
from deploy.signer import desk
from shared.trust.signing import Following, Grant, Phase, RotateWeb, Sign, Step, WebFollowing, WebStep
from shared.words import names
from shared.words.messages import DESCRIBED_MOST
from shared.words.names import Severity
from shared.words.problem import HomeError

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
HOSTS = ("hub.local", "127.0.0.1", "::1")
NAMES = st.from_regex(names.IDENTITY, fullmatch=True)


def signed(name: str, role: str = "room", *, days_ago: float = 10, gone: bool = False, serial: int = 1) -> Issued:
    end = NOW + dt.timedelta(days=LEAF_DAYS - days_ago)
    return Issued(serial=serial, name=name, role=role, not_after=end, revoked_at=NOW if gone else None, gone=gone)


def refusal(order: Sign, *issued: Issued) -> str:
    with pytest.raises(HomeError) as refused:
        desk.leaf_of(order, issued, NOW)
    return refused.value.slug


def room(name: str = "hall", **fields: object) -> Sign:
    return Sign(**({"name": name, "role": "room", "csr": "x"} | fields))  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("role", ["room", "client"])
@given(name=NAMES.filter(lambda name: not names.is_reserved(name)))
def test_a_room_or_client_gets_a_client_certificate_of_its_name_and_no_other(role: str, name: str) -> None:
    leaf = desk.leaf_of(room(name, role=role), (), NOW)
    assert (leaf.name, leaf.role, leaf.hosts, leaf.serves, leaf.authority) == (name, role, (), False, "device-ca")


@given(name=st.from_regex(names.RESERVED, fullmatch=True), role=st.sampled_from(["room", "client"]))
def test_a_reserved_name_is_no_rooms_and_no_clients(name: str, role: str) -> None:
    assert refusal(room(name, role=role)) == "forbidden"


def test_a_room_of_an_older_home_keeps_a_name_that_was_reserved_later() -> None:
    assert desk.leaf_of(room("web"), [signed("web")], NOW).name == "web"


def test_a_name_that_was_taken_back_is_never_signed_again_in_any_role() -> None:
    for role in ("room", "client"):
        assert refusal(room(role=role), signed("hall", gone=True)) == "forbidden"
    assert refusal(room(), signed("hall", days_ago=4000), signed("hall", days_ago=3000, gone=True)) == "forbidden"


def test_a_hub_may_be_called_on_its_network_like_a_room() -> None:
    web = Issued(serial=3, name="garage", role="", not_after=NOW, authority="web-ca")
    assert desk.is_new(room("garage"), [web])
    assert desk.leaf_of(room("garage"), [web], NOW).name == "garage"


def test_nobody_changes_role() -> None:
    assert refusal(room(role="client"), signed("hall")) == "forbidden"
    assert refusal(room("phone"), signed("phone", "client")) == "forbidden"
    assert refusal(room("main"), signed("main", "service")) == "forbidden"


@pytest.mark.parametrize(
    "fields",
    [
        {"hosts": HOSTS},
        {"serves": True, "hosts": HOSTS},
        {"serves": True},
        {"authority": "web-ca"},
        {"name": "Hall"},
        {"name": "../ca"},
        {"name": ""},
        {"name": "a" * 33},
    ],
)
def test_a_room_gets_nothing_but_a_rooms_certificate(fields: dict[str, object]) -> None:
    assert refusal(room(**fields)) == "forbidden"  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    "fields",
    [
        *({"name": name} for name in ("gateway", "gateway-2", "auth", "alerts", "admin")),
        *({"name": name, "serves": True, "hosts": HOSTS} for name in ("broker", "auth", "alerts")),
        {"name": "hub.local", "role": None, "serves": True, "hosts": HOSTS, "authority": "web-ca"},
    ],
)
def test_the_hubs_own_are_signed(fields: dict[str, object]) -> None:
    leaf = desk.leaf_of(room(**({"role": "service"} | fields)), (), NOW)  # type: ignore[arg-type]  # by name
    assert leaf.name == fields["name"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "hall"},
        {"name": "signer"},
        {"name": "broker"},
        {"name": "gateway-x"},
        {"name": "device-ca"},
        {"name": "gateway", "serves": True, "hosts": HOSTS},
        {"name": "admin", "serves": True, "hosts": HOSTS},
        {"name": "auth", "hosts": HOSTS},
        {"name": "auth", "authority": "web-ca"},
        {"name": "broker", "serves": True},
        {"name": "broker", "serves": True, "hosts": HOSTS, "authority": "web-ca"},
        {"name": "broker", "serves": True, "hosts": ("*",)},
        {"name": "broker", "serves": True, "hosts": ("*.local",)},
        {"name": "broker", "serves": True, "hosts": ("a b",)},
        {"name": "broker", "serves": True, "hosts": ("hub.local\n",)},
        {"name": "broker", "serves": True, "hosts": ("x" * 300,)},
        {"name": "broker", "serves": True, "hosts": tuple(f"h{n}" for n in range(100))},
        {"name": "other.local", "role": None, "serves": True, "hosts": HOSTS, "authority": "web-ca"},
        {"name": "hub.local", "role": None, "serves": True, "hosts": HOSTS},
        {"name": "hub.local", "role": None, "hosts": HOSTS, "authority": "web-ca"},
        {"name": "", "role": None, "serves": True, "hosts": (), "authority": "web-ca"},
    ],
)
def test_nothing_else_is_the_hubs(fields: dict[str, object]) -> None:
    assert refusal(room(**({"role": "service"} | fields))) == "forbidden"  # type: ignore[arg-type]  # by name


def test_one_name_gets_so_many_a_day_and_others_as_many() -> None:
    issued = [signed("hall", days_ago=0.5, serial=n) for n in range(desk.MOST_A_DAY)]
    assert refusal(room(), *issued) == "rate-limited"
    assert desk.leaf_of(room("kitchen"), issued, NOW).name == "kitchen"
    older = [signed("hall", days_ago=1.5, serial=n) for n in range(desk.MOST_A_DAY)]
    assert desk.leaf_of(room(), older, NOW).name == "hall"


def test_what_is_new_is_known() -> None:
    assert desk.is_new(room(), ())
    assert not desk.is_new(room(), [signed("hall")])
    assert not desk.is_new(room("auth", role="service"), ())


@pytest.mark.parametrize("issued", [(), (signed("hall", gone=True),), (signed("hall", "client"),)])
def test_rights_are_for_who_was_signed_in_this_role_and_not_taken_back(issued: tuple[Issued, ...]) -> None:
    with pytest.raises(HomeError) as refused:
        desk.check_standing("hall", "room", issued)
    assert refused.value.slug == "forbidden"
    desk.check_standing("hall", "room", [signed("hall")])


def test_rights_of_the_hubs_own_are_no_matter_of_this_order() -> None:
    with pytest.raises(HomeError):
        desk.check_standing("gateway", None, [signed("gateway", "service")])


def ending(days: float, **fields: object) -> Issued:
    line = Issued(serial=7, name="hall", role="room", not_after=NOW + dt.timedelta(days=days))
    return msgspec.structs.replace(line, **fields)


@pytest.mark.parametrize(
    ("days", "told", "due"),
    [
        (31, None, None),
        (29.9, None, 30),
        (29.9, 30, None),
        (8, 30, None),
        (6.9, 30, 7),
        (6.9, 7, None),
        (0.5, 7, 1),
        (0.5, 1, None),
        (-40, 1, None),
        (-40, None, 1),
        (0.5, None, 1),
    ],
)
def test_each_end_is_told_at_thirty_seven_and_one_day_once(days: float, told: int | None, due: int | None) -> None:
    line = ending(days)
    before = {} if told is None else {desk.key(line): told}
    assert desk.due([line], before, NOW) == ([] if due is None else [(line, due)])


def test_what_was_taken_back_or_renewed_is_not_told_of() -> None:
    assert desk.due([ending(3, gone=True), ending(3, revoked_at=NOW)], {}, NOW) == []
    assert desk.due([ending(89, serial=8)], {desk.key(ending(3)): 7}, NOW) == []


@given(st.lists(st.floats(-10, 40), max_size=30))
def test_however_often_it_is_looked_at_each_threshold_is_told_once_and_in_order(times: list[float]) -> None:
    told: dict[str, int] = {}
    said = []
    for days in sorted(times, reverse=True):
        for line, threshold in desk.due([ending(days)], told, NOW):
            told[desk.key(line)] = threshold
            said.append(threshold)
    assert said == sorted(set(said), reverse=True)
    assert bool(said) == any(days < 30 for days in times)


def test_only_a_names_first_hour_is_its_enrolment() -> None:
    minutes = 30 / (24 * 60)
    first, later = signed("hall", days_ago=minutes), signed("hall", days_ago=2 * minutes + 0.01)
    assert desk.is_enrolling("hall", [first], NOW)
    assert not desk.is_enrolling("hall", [later], NOW)
    assert not desk.is_enrolling("hall", [], NOW)
    assert not desk.is_enrolling("hall", [signed("attic", days_ago=0)], NOW)


def test_a_renewed_certificate_makes_no_further_rights_quiet() -> None:
    """Whoever has a service of the hub in hand could have both, and nobody would be told."""
    renewed = [signed("wall-tablet", "client", days_ago=30), signed("wall-tablet", "client", days_ago=0, serial=2)]
    assert not desk.is_enrolling("wall-tablet", renewed, NOW)


@pytest.mark.parametrize("name", ["admin", "gateway", "gateway-2", "signer", "broker", "auth", "../x", ""])
def test_the_hubs_own_is_taken_away_by_nobody_also_where_no_certificate_of_it_is_known(name: str) -> None:
    with pytest.raises(HomeError, match="no room and no client"):
        desk.check_ours(name, [])


def test_what_was_signed_as_a_service_is_the_hubs_own() -> None:
    with pytest.raises(HomeError, match="no room and no client"):
        desk.check_ours("meter", [signed("meter", "service")])
    desk.check_ours("meter", [signed("meter"), signed("attic", "service")])


@pytest.mark.parametrize(
    "may",
    [
        (("kitchen", "lamp"),),
        (("hall", "lamp"), ("kitchen", "lamp")),
        (("hall", "+"),),
        (("hall", "lamp/set"),),
        tuple(("hall", f"lamp-{n}") for n in range(DESCRIBED_MOST + 1)),
    ],
)
def test_a_room_speaks_of_its_own_devices_and_of_no_more_than_it_can_describe(may: tuple[tuple[str, str], ...]) -> None:
    desk.check_devices(Grant(name="hall", role="room", may=(("hall", "lamp"),)))
    with pytest.raises(HomeError):
        desk.check_devices(Grant(name="hall", role="room", may=may))


STEPS: tuple[Step, ...] = ("begin", "sign", "serve", "end")
PHASES = (None, Phase.BELIEVED, Phase.SIGNING, Phase.SERVING)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_step_towards_another_authority_comes_after_the_one_before(step: Step, phase: Phase | None) -> None:
    now = Following(phase=phase, ends=NOW)
    if STEPS.index(step) <= PHASES.index(phase):
        desk.check_step(step, now)
    else:
        with pytest.raises(HomeError) as refused:
            desk.check_step(step, now)
        assert refused.value.slug == "forbidden"


def test_the_owner_is_told_of_its_beginning_once_and_of_its_end() -> None:
    told = {
        (step, phase): what
        for step in STEPS
        for phase in PHASES
        if (what := desk.told_of(step, Following(phase=phase, ends=NOW))) is not None
    }
    assert told.pop(("begin", None)) == "home:authority-followed"
    assert set(told) == {("end", phase) for phase in PHASES}
    assert set(told.values()) == {"home:authority-ended"}


WEB_STEPS: tuple[WebStep, ...] = ("begin", "serve", "end")
WEB_PHASES = (None, Phase.BELIEVED, Phase.SERVING)


@pytest.mark.parametrize("step", WEB_STEPS)
@pytest.mark.parametrize("phase", WEB_PHASES)
def test_a_step_towards_another_web_authority_comes_after_the_one_before(step: WebStep, phase: Phase | None) -> None:
    now = WebFollowing(phase=phase, ends=NOW)
    if WEB_STEPS.index(step) <= WEB_PHASES.index(phase):
        desk.check_web_step(step, now)
    else:
        with pytest.raises(HomeError) as refused:
            desk.check_web_step(step, now)
        assert refused.value.slug == "forbidden"


def test_the_owner_is_told_of_each_day_that_is_said_once_and_of_the_change() -> None:
    def told(step: WebStep, phase: Phase | None, day: dt.datetime | None = None) -> tuple[object, ...] | None:
        order = RotateWeb(step=step, hosts=("hub.local",), changes_at=day)
        return desk.told_of_web(order, WebFollowing(phase=phase, ends=NOW, changes_at=NOW if phase else None))

    day = NOW + dt.timedelta(days=1)
    detail = {"changes": f"{day:%Y-%m-%d %H:%M} UTC"}
    followed = ("home:web-authority-followed", Severity.CRITICAL, detail)
    assert told("begin", None, day) == followed
    assert told("begin", Phase.BELIEVED, day) == followed
    assert told("begin", Phase.BELIEVED, NOW) is None
    assert told("begin", Phase.BELIEVED) is None
    assert told("begin", Phase.SERVING, day) is None
    assert told("serve", Phase.BELIEVED) == ("home:web-authority-changed", Severity.CRITICAL, {})
    assert told("serve", Phase.SERVING) is None
    assert told("end", Phase.SERVING) == ("home:web-authority-ended", Severity.INFO, {})


def test_the_day_is_one_on_which_the_present_authority_is_good_or_now() -> None:
    now, ended = (WebFollowing(phase=None, ends=NOW + dt.timedelta(days=days)) for days in (400, -5))
    for fine in (None, NOW, NOW - dt.timedelta(seconds=1), NOW + dt.timedelta(days=365)):
        desk.check_day(fine, now, NOW)
    desk.check_day(NOW, ended, NOW)
    last = dt.datetime.max.replace(tzinfo=dt.UTC)
    for strange in (dt.datetime.min.replace(tzinfo=dt.UTC), last, NOW + dt.timedelta(days=401)):
        with pytest.raises(HomeError) as refused:
            desk.check_day(strange, now, NOW)
        assert refused.value.slug == "forbidden"
