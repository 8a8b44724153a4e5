"""{{ name }}: answers HTTP requests. What it prints is in the log of `wharf up`."""

from componentize_py_types import Ok
from wit_world.exports import IncomingHandler as Handler
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)


class IncomingHandler(Handler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        print("asked for", request.path_with_query())
        respond(response_out, 200, "Hello from Python!\n")


def respond(out: ResponseOutparam, status: int, text: str) -> None:
    """Sends the whole answer."""
    response = OutgoingResponse(Fields.from_list([("content-type", b"text/plain; charset=utf-8")]))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(text.encode())
    OutgoingBody.finish(body, None)
