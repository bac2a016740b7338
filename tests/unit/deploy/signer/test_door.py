"""The signer's socket: who is let in, what is borne of a caller, and that nobody keeps the next one waiting."""

import asyncio
import contextlib
import errno
import json
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.pki.leaf import client, web
from deploy.pki.remote import RemoteAuthorities
from deploy.signer import door as doors
from deploy.signer.config import NOBODY, user_id
from deploy.signer.door import MOST_CALLERS, Caller, Door
from shared.running.config import ConfigError
from shared.trust import signing, unix
from shared.trust.signing import Answer, AnyOrder, Changed, End, Ending, Ends, Pem, Show
from shared.words.problem import HomeError


class Desk:
    """Obeys by remembering; `answer` is what it says next."""

    def __init__(self, answer: Answer | Exception | None = None) -> None:
        self.answer: Answer | Exception = answer or Changed()
        self.orders: list[AnyOrder] = []
        self.callers: list[Caller] = []
        self.strangers: list[Caller] = []

    async def obey(self, order: AnyOrder, caller: Caller) -> Answer:
        self.orders.append(order)
        self.callers.append(caller)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def stranger(self, caller: Caller) -> None:
        self.strangers.append(caller)

    @contextlib.asynccontextmanager
    async def at(self, path: Path, *users: int) -> AsyncIterator[None]:
        async with Door(frozenset(users), self.obey, self.stranger).open(path):
            yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s" / "signer.sock"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_all(folder: Path) -> None:
    if folder.stat().st_mode & 0o001 == 0:
        folder.chmod(0o711)


async def ask(path: Path, order: AnyOrder, kind: type[signing.A]) -> signing.A:
    return await asyncio.to_thread(signing.ask, path, order, kind)


async def raw(path: Path, *parts: bytes) -> bytes:
    """What comes back for these bytes."""
    reader, writer = await asyncio.open_unix_connection(path)
    with contextlib.suppress(OSError):
        for part in parts:
            writer.write(part)
            await writer.drain()
    answer = b""
    with contextlib.suppress(OSError):
        answer = await reader.read()
    writer.close()
    return answer


async def test_an_order_comes_with_who_asks_by_the_kernels_word(path: Path) -> None:
    desk = Desk(Pem(pem="a list"))
    async with desk.at(path):
        assert (await ask(path, Show(what="crl"), Pem)).pem == "a list"
    assert desk.orders == [Show(what="crl")]
    assert desk.callers == [Caller(os.getpid(), os.geteuid())]
    assert not unix.listens(path)


async def test_with_nobody_else_to_ask_the_socket_is_its_users_own(path: Path) -> None:
    async with Desk().at(path):
        assert mode(path) == 0o600
    async with Desk().at(path, 4242):
        assert mode(path) == 0o666  # the kernel's word decides, not the file


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
@pytest.mark.parametrize(("user", "let_in"), [(4242, True), (4243, False), (NOBODY, False), (0, True)])
async def test_other_users_are_let_in_by_number_and_nobody_is_nobody(
    path: Path, user: int, *, let_in: bool, tmp_path: Path
) -> None:
    desk = Desk()
    async with desk.at(path, 4242, NOBODY):
        for folder in (path.parent, *path.parents):
            open_to_all(folder)
        code = (
            f"import os, socket; os.setuid({user}); s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r})\n"
            's.sendall(b\'{"order":"ends"}\\n\'); print(s.recv(1000).decode())'
        )
        child = await asyncio.create_subprocess_exec("python3", "-c", code, stdout=asyncio.subprocess.PIPE)
        said = json.loads((await child.communicate())[0])
    assert said["answer"] == ("changed" if let_in else "refused")
    assert bool(desk.orders) is let_in
    assert [caller.user for caller in desk.strangers] == ([] if let_in else [user])


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"nonsense\n",
        b"{}\n",
        b'{"order":"obey"}\n',
        b'{"order":"ends","more":1}\n',
        b'{"order":"sign","name":"hall","role":"master","csr":""}\n',
        b'{"order":"show","what":"../../etc/passwd"}\n',
        b"[" * 5000 + b"\n",
        b"\xff\xfe\n",
    ],
)
async def test_what_is_no_order_is_refused_and_the_next_caller_served(path: Path, line: bytes) -> None:
    desk = Desk()
    async with desk.at(path):
        assert json.loads(await raw(path, line))["slug"] == "malformed"
        assert await ask(path, Ends(), Changed) == Changed()
    assert desk.orders == [Ends()]


async def test_a_line_without_an_end_is_not_gathered(path: Path) -> None:
    desk = Desk()
    async with desk.at(path):
        assert await raw(path, *[b"x" * 65536] * 40) == b""
        assert await ask(path, Ends(), Changed) == Changed()


async def test_callers_who_say_nothing_keep_nobody_waiting_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PATIENCE_SECONDS", 0.2)
    async with Desk().at(path):
        silent = [await asyncio.open_unix_connection(path) for _ in range(3 * MOST_CALLERS)]
        for reader, _ in silent:
            assert await reader.read() == b""
        assert await ask(path, Ends(), Changed) == Changed()
        for _, writer in silent:
            writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
async def test_strangers_who_say_nothing_take_no_place_from_those_who_may_ask(path: Path) -> None:
    desk = Desk()
    async with desk.at(path, 4242):
        for folder in (path.parent, *path.parents):
            open_to_all(folder)
        code = (
            "import os, socket, sys; os.setuid(4243)\n"
            f"kept = [socket.socket(socket.AF_UNIX) for _ in range({5 * MOST_CALLERS})]\n"
            f"for one in kept: one.connect({str(path)!r})\n"
            "print('there', flush=True); sys.stdin.read()"
        )
        pipe = asyncio.subprocess.PIPE
        crowd = await asyncio.create_subprocess_exec("python3", "-c", code, stdin=pipe, stdout=pipe)
        assert crowd.stdout is not None
        assert await crowd.stdout.readline() == b"there\n"
        assert await ask(path, Ends(), Changed) == Changed()
        crowd.kill()
        await crowd.communicate()


@pytest.mark.parametrize(
    ("error", "slug"),
    [(HomeError("forbidden", "No."), "forbidden"), (ConfigError("the vault is gone"), "internal")],
)
async def test_what_is_refused_is_told_in_words(path: Path, error: Exception, slug: str) -> None:
    async with Desk(error).at(path):
        with pytest.raises(HomeError) as told:
            await ask(path, Ends(), Ending)
    assert told.value.slug == slug


async def test_a_disk_that_takes_nothing_is_told_as_that(path: Path) -> None:
    """And not as a signer that is away: whoever starts that anew has gained nothing."""
    full = OSError(errno.ENOSPC, "No space left on device", "/vault/issued.json")
    async with Desk(full).at(path):
        with pytest.raises(HomeError, match=r"internal: .*cannot use /vault/issued\.json: its disk is full"):
            await ask(path, Show(what="crl"), Pem)


async def test_a_fault_of_ours_ends_one_call_and_not_the_signer(path: Path) -> None:
    desk = Desk(RuntimeError("a bug"))
    async with desk.at(path):
        with pytest.raises(HomeError, match="hung up without an answer"):
            await ask(path, Ends(), Ending)
        desk.answer = Ending(ends=())
        assert await ask(path, Ends(), Ending) == Ending(ends=())


async def test_an_answer_to_another_question_is_not_taken(path: Path) -> None:
    async with Desk(Changed()).at(path):
        with pytest.raises(HomeError, match="something else"):
            await ask(path, Show(what="crl"), Pem)


async def test_a_socket_left_behind_is_replaced_and_one_in_use_is_not(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert not unix.listens(path)
    async with Desk().at(path):
        assert unix.listens(path)
        with pytest.raises(ConfigError, match="another signer listens"):
            async with Desk().at(path):
                pass
        assert await ask(path, Ends(), Changed) == Changed()


def test_a_signer_that_is_away_is_said_with_the_next_step(path: Path) -> None:
    with pytest.raises(HomeError) as away:
        signing.ask(path, Ends(), Ending)
    assert away.value.slug == "signer-unreachable"
    assert not unix.listens(path)


async def test_a_home_that_lies_deep_has_a_socket_all_the_same(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["deeper-and-deeper"] * 8) / "signer.sock"
    async with Desk().at(deep):
        assert await ask(deep, Ends(), Changed) == Changed()


def test_who_is_to_be_let_in_must_exist() -> None:
    assert user_id("root") == 0
    with pytest.raises(ConfigError, match="no such user"):
        user_id("nobody-of-that-name")


def test_the_kernels_struct_has_three_numbers() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert len(ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 100)) == struct.calcsize("3i")


async def test_the_authorities_elsewhere_are_asked_for_what_those_here_do(path: Path) -> None:
    desk = Desk(Pem(pem="signed"))
    there = RemoteAuthorities(path, 8884)
    async with desk.at(path):
        assert await asyncio.to_thread(there.sign, client("hall", "room"), b"a request") == b"signed"
        assert await asyncio.to_thread(there.sign, web(["hub.local"]), b"a request") == b"signed"
        assert await asyncio.to_thread(there.certificate, "web-ca") == b"signed"
        assert await asyncio.to_thread(there.crl) == b"signed"
        desk.answer = Changed(count=3)
        assert await asyncio.to_thread(there.revoke, "hall") == 3
        assert await asyncio.to_thread(there.replace, "hall") == 3
        assert await asyncio.to_thread(there.retire, "hall") == 3
        await asyncio.to_thread(there.ensure, ["hub.local"])
        desk.answer = Ending(ends=())
        ends: tuple[End, ...] = await asyncio.to_thread(there.ends)
        assert ends == ()
    assert desk.orders == [
        signing.Sign(name="hall", role="room", csr="a request"),
        signing.Sign(
            name="hub.local", role=None, csr="a request", hosts=("hub.local",), serves=True, authority="web-ca"
        ),
        Show(what="web-ca"),
        Show(what="crl"),
        signing.Revoke(name="hall"),
        signing.Revoke(name="hall", replaced=True),
        signing.Revoke(name="hall", awaits=True),
        signing.Found(hosts=("hub.local",), broker_port=8884),
        Ends(),
    ]


async def test_whoever_only_looks_is_not_complained_about(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Desk().at(path):
        assert unix.listens(path)
        assert await ask(path, Ends(), Changed) == Changed()
    assert caplog.messages == []
