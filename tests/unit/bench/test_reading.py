"""Answers that come in chunks, compressed, and in as many pieces as the network likes."""

import gzip

import pytest

from tests.bench.reading import is_whole_page, is_whole_snapshot, unpacked

SNAPSHOT = b'event: hello\r\ndata: {}\r\n\r\nevent: state\r\ndata: {"on":1}\r\n\r\nevent: ready\r\ndata: {}\r\n\r\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_snapshot_is_whole_once_it_says_so(size: int, *, is_packed: bool) -> None:
    body = gzip.compress(SNAPSHOT) if is_packed else SNAPSHOT
    packed = b"Content-Encoding: gzip\r\n" if is_packed else b""
    wire = HEAD + packed + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(body, size)
    assert unpacked(wire) == SNAPSHOT
    whole = [is_whole_snapshot(wire[:end]) for end in range(len(wire) + 1)]
    assert not whole[0]
    assert whole[-1]
    assert whole == sorted(whole), "what was whole stays so"


def test_a_page_is_whole_with_its_last_byte_or_its_last_chunk() -> None:
    told = HEAD + b"content-length: 5\r\n\r\nhello"
    assert [is_whole_page(told[:end]) for end in range(len(told) + 1)].index(True) == len(told)
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks(b"hello", 2) + b"0\r\n\r\n"
    assert [is_whole_page(chunked[:end]) for end in range(len(chunked) + 1)].index(True) == len(chunked)
    assert unpacked(chunked) == unpacked(told) == b"hello"


def test_what_is_no_answer_to_measure_is_told() -> None:
    with pytest.raises(AssertionError, match="401"):
        unpacked(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
