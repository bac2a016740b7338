"""What is sealed comes out whole by its key, or not at all; and streams, however large it is."""

import io
import tracemalloc
from pathlib import Path
from typing import IO

import pyrage
import pytest

from deploy.archives import sealing
from shared.words.problem import HomeError

KEY = sealing.new_key()
CONTENT = bytes(range(256)) * 1024


@pytest.fixture(scope="module")
def protected() -> bytes:
    """The key under a passphrase, with all the work of a real one: made once, for that takes seconds of computing."""
    with pytest.MonkeyPatch.context() as once:
        once.setattr(sealing, "_MEASURED", 1)  # that the dearest of several counts has a test of its own
        return sealing.protect(KEY, "four words and a half")


def sealed(content: bytes = CONTENT) -> bytes:
    file = io.BytesIO()
    with sealing.sealed_into(file, KEY.recipient) as plain:
        plain.write(content)
    return file.getvalue()


def opened(content: bytes, key: sealing.Key = KEY) -> bytes:
    plain = io.BytesIO()
    key.open(io.BytesIO(content), plain)
    return plain.getvalue()


def test_its_key_opens_it_and_no_other() -> None:
    content = sealed()
    assert CONTENT[:64] not in content
    assert opened(content) == CONTENT
    with pytest.raises(HomeError, match="another key"):
        opened(content, sealing.new_key())


@pytest.mark.parametrize("size", [0, 1, 40, 200, 65_000, 65_700, 131_400, -1])
def test_what_was_cut_off_anywhere_does_not_open(size: int) -> None:
    with pytest.raises(HomeError):
        opened(sealed()[:size])


@pytest.mark.parametrize("place", [5, 60, 150, 300, 65_536, 200_000, -1])
def test_one_changed_bit_is_found(place: int) -> None:
    content = bytearray(sealed())
    content[place] ^= 1
    with pytest.raises(HomeError):
        opened(bytes(content))


def test_the_key_file_has_the_key_and_a_passphrase_hides_it(protected: bytes) -> None:
    assert sealing.key_of(KEY.written()).recipient == KEY.recipient
    assert b"AGE-SECRET-KEY" not in protected
    assert sealing.unprotect(protected, "four words and a half").recipient == KEY.recipient
    with pytest.raises(HomeError, match="not its passphrase"):
        sealing.unprotect(protected, "four words and a hall")


def test_the_dearest_of_several_is_taken_and_a_busy_moment_is_no_refusal(
    protected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sealing._work(protected) >= 10
    of = {b"a": 12, b"b": 19, b"c": 18}
    given = iter(of)
    monkeypatch.setattr(sealing, "_work", of.__getitem__)
    busy = iter([True, True, True, False])

    class Library:
        """Measures what the test says."""

        @staticmethod
        def encrypt(*_words: object, **_more: object) -> bytes:
            return next(given)

        @staticmethod
        def decrypt(*_words: object) -> bytes:
            if next(busy):
                raise pyrage.DecryptError("Excessive work parameter for passphrase.")
            return KEY.written()

    monkeypatch.setattr(sealing, "passphrases", Library)
    assert sealing.protect(KEY, "four words and a half") == b"b"
    assert sealing.unprotect(b"", "four words and a half").recipient == KEY.recipient
    busy = iter([True] * 1000)
    with pytest.raises(HomeError, match="age -d"):
        sealing.unprotect(b"", "four words and a half")


def test_what_is_no_key_is_refused() -> None:
    for text in (b"", b"# a comment\n", b"AGE-SECRET-KEY-1NONSENSE", b"\xff\xfe"):
        with pytest.raises(HomeError):
            sealing.key_of(text)
    with pytest.raises(HomeError, match="no public key"):
        sealing.check_recipient("age1nonsense")


def test_a_file_of_age_is_known(protected: bytes, tmp_path: Path) -> None:
    for number, (content, is_one) in enumerate(
        ((sealed(), True), (protected, True), (b"\x1f\x8b a gzip", False), (b"", False))
    ):
        (path := tmp_path / str(number)).write_bytes(content)
        assert sealing.is_sealed(path) is is_one


def test_a_full_disk_ends_it_with_its_reason() -> None:
    class Full(io.RawIOBase):
        """A disk without room."""

        def writable(self) -> bool:
            return True

        def write(self, _content: object) -> int:
            raise OSError(28, "No space left on device")

    def fill() -> None:
        with sealing.sealed_into(Full(), KEY.recipient) as plain:  # type: ignore[arg-type]
            for _ in range(1000):
                plain.write(CONTENT)

    with pytest.raises(OSError, match="No space left"):
        fill()


def test_whoever_fails_while_writing_is_heard() -> None:
    def fail() -> None:
        with sealing.sealed_into(io.BytesIO(), KEY.recipient) as plain:
            plain.write(b"some of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def test_it_streams(tmp_path: Path) -> None:
    piece = CONTENT * 4
    tracemalloc.start()
    with (tmp_path / "large").open("wb") as file, sealing.sealed_into(file, KEY.recipient) as plain:
        for _ in range(40):
            plain.write(piece)
    with (tmp_path / "large").open("rb") as large, (tmp_path / "plain").open("wb") as out:
        KEY.open(large, out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "plain").stat().st_size == 40 * len(piece) > 8 * most


def test_for_nobody_it_is_written_as_it_is() -> None:
    file: IO[bytes] = io.BytesIO()
    with sealing.sealed_into(file, None) as plain:
        assert plain is file
