"""What goes wrong between S3 and us, with the functions' own client against a server that misbehaves."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trailbell.aws.clients import Clients
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.errors import LogFileError, Unreadable


BODY = b"x" * 100_000
REF = ObjectRef("trail", "AWSLogs/a.json.gz")
Answers = list[Callable[[BaseHTTPRequestHandler], None]]


def whole(request: BaseHTTPRequestHandler) -> None:
    """The object as it should come."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    request.wfile.write(BODY)


def cut_short(request: BaseHTTPRequestHandler) -> None:
    """Half of the object, then the connection is closed."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(BODY)))
    request.end_headers()
    request.wfile.write(BODY[:50_000])
    request.close_connection = True


def closed(request: BaseHTTPRequestHandler) -> None:
    """No answer at all."""
    request.close_connection = True


def refusal(status: int, code: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        text = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """What the server does with each request, in order; the last for ever."""
    answers: Answers = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    yield answers
    server.shutdown()
    server.server_close()


def read() -> bytes:
    return b"".join(S3TrailBucket(Clients().client("s3")).read(REF))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refusal(503, "SlowDown"), id="slow-down"),
        pytest.param(refusal(500, "InternalError"), id="internal-error"),
        pytest.param(closed, id="no-answer"),
    ],
)
def test_passing_trouble_is_retried_within_the_call(answers: Answers, trouble: Any) -> None:
    """Given back to the queue, the message would wait for minutes and use up one of five tries."""
    answers += [trouble, trouble, whole]

    assert read() == BODY


def test_lasting_trouble_of_s3_is_raised_as_it_is(answers: Answers) -> None:
    """It is not the log file's fault."""
    answers += [refusal(503, "SlowDown")]

    with pytest.raises(ClientError, match="SlowDown"):
        read()


@pytest.mark.parametrize("trouble", [cut_short, closed])
def test_body_that_does_not_come_whole_is_an_interrupted_reading(answers: Answers, trouble: Any) -> None:
    """Half a log file that passes for a whole one loses the other half's hits in silence."""
    answers += [trouble]

    with pytest.raises(LogFileError, match="connection to S3 broke") as caught:
        read()

    assert caught.value.outcome is Unreadable.INTERRUPTED
    assert str(REF) in str(caught.value)


def test_server_that_never_answers_is_given_up_in_time(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own minute, five times over, is longer than the function lives."""
    config = Clients().client("s3").meta.config

    assert config.connect_timeout + config.read_timeout <= 20
    assert config.retries["total_max_attempts"] <= 4


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("NoSuchKey", Unreadable.GONE),
        ("MethodNotAllowed", Unreadable.GONE),
        ("AccessDenied", Unreadable.DENIED),
        ("KMS.DisabledException", Unreadable.KEY_UNUSABLE),
        ("KMS.KMSInvalidStateException", Unreadable.KEY_UNUSABLE),
        ("InvalidObjectState", Unreadable.ARCHIVED),
    ],
)
def test_refusal_has_a_name(answers: Answers, code: str, outcome: Unreadable) -> None:
    """The metric's name says who must act before anybody opens the log."""
    answers += [refusal(405 if code == "MethodNotAllowed" else 403, code)]

    with pytest.raises(LogFileError) as caught:
        read()

    assert caught.value.outcome is outcome
