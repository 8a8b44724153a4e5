"""A URL shortener: `POST /?url=…` answers with a short code, `GET /CODE` redirects to the URL.

URLs are kept in a key-value store of the host: which one it is, the operator says.
"""

from urllib.parse import parse_qs, urlsplit

from componentize_py_types import Err, Ok
from wit_world.exports import IncomingHandler as BaseHandler
from wit_world.imports import atomics, store
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    Method_Get,
    Method_Head,
    Method_Post,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CODE_LEN = 6
CODES = len(LETTERS) ** CODE_LEN
# Has no divisor in common with CODES, so that every number gets a code of its own, and neighbours get codes far apart.
STRIDE = 22_801_763_489
URL_LEN_MAX = 2048


class IncomingHandler(BaseHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        try:
            status, headers, text = answer(request)
        except Err as error:
            print(f"the store failed: {error.value}")
            status, headers, text = 503, [], "the store is not available, try again later\n"
        respond(response_out, status, headers, text)


def answer(request: IncomingRequest) -> tuple[int, list[tuple[str, str]], str]:
    path, _, query = (request.path_with_query() or "/").partition("?")
    match request.method():
        case Method_Post() if path == "/":
            return shorten(parse_qs(query).get("url", [""])[0])
        case Method_Get() | Method_Head() if path == "/":
            return 200, [], "POST /?url=https://example.com/ to get a code, GET /CODE to go there\n"
        case Method_Get() | Method_Head():
            return follow(path.removeprefix("/"))
        case _:
            return 405, [("allow", "GET, HEAD, POST")], "GET and POST are answered here\n"


def shorten(url: str) -> tuple[int, list[tuple[str, str]], str]:
    if mistake := mistake_of(url):
        return 400, [], f"{mistake}\n"
    bucket = store.open("urls")
    # Counting is one step in the store: no two requests get the same number, on however many nodes.
    code = code_of(atomics.increment(bucket, "count", 1))
    bucket.set(f"code.{code}", url.encode())
    return 201, [("location", f"/{code}")], f"{code}\n"


def follow(code: str) -> tuple[int, list[tuple[str, str]], str]:
    is_code = len(code) == CODE_LEN and all(letter in LETTERS for letter in code)
    url = store.open("urls").get(f"code.{code}") if is_code else None
    if url is None:
        return 404, [], "there is no such code\n"
    return 302, [("location", url.decode())], ""


def mistake_of(url: str) -> str | None:
    """Says why a URL is not kept. What is kept is sent to browsers as it is."""
    if not url:
        return "give a URL: POST /?url=https://example.com/"
    if len(url) > URL_LEN_MAX:
        return f"a URL has at most {URL_LEN_MAX} characters"
    if not all("!" <= character <= "~" for character in url):
        return "a URL has no spaces and no characters outside of ASCII: percent-encode them"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # Fails if it is no number.
    except ValueError:
        return "this is no URL"
    if parts.scheme not in ("http", "https") or not host:
        return "a URL begins with http:// or https:// and a host"
    if "@" in parts.netloc:
        return "a URL with a user name is not kept"
    return None


def code_of(number: int) -> str:
    number = number * STRIDE % CODES
    code = ""
    for _ in range(CODE_LEN):
        number, rest = divmod(number, len(LETTERS))
        code += LETTERS[rest]
    return code


def respond(out: ResponseOutparam, status: int, headers: list[tuple[str, str]], text: str) -> None:
    fields = [("content-type", "text/plain; charset=utf-8"), *headers]
    response = OutgoingResponse(Fields.from_list([(name, value.encode()) for name, value in fields]))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(out, Ok(response))
    if text:
        with body.write() as stream:
            stream.blocking_write_and_flush(text.encode())
    OutgoingBody.finish(body, None)
