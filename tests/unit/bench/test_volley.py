"""Answers as they come in pieces, and which of them count."""

import pytest

from tests.bench.volley import UnexpectedAnswerError, check, whole

BODY = b'{"id":"1","outcome":"executed","state":{}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 42\r\nDate: today\r\n\r\n" + BODY


def test_an_answer_is_whole_with_its_last_byte() -> None:
    sizes = {whole(ANSWER[:end]) for end in range(len(ANSWER) + 1)}
    assert sizes == {None, len(ANSWER)}
    assert whole(ANSWER.replace(b"Content-Length", b"content-length")) == len(ANSWER)
    check(ANSWER)


def test_an_answer_without_a_length_is_told() -> None:
    with pytest.raises(UnexpectedAnswerError, match="no Content-Length"):
        whole(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER.replace(b"200 OK", b"504 Gateway Timeout"),
        ANSWER.replace(b"executed", b"rejected"),
        b"HTTP/1.1 429 Too Many Requests\r\n\r\n",
    ],
)
def test_only_what_was_executed_counts(answer: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        check(answer)
