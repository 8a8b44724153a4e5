"""{{ name }}: answers HTTP requests. What it prints is in the log of `wharf up`."""

import componentize_py_async_support
from componentize_py_async_support.streams import ByteStreamWriter
from componentize_py_types import Ok
from wit_world import (
    byte_stream,
    result_option_wasi_http_types_fields_wasi_http_types_error_code_future as trailers_future,
)
from wit_world.exports import Handler as HttpHandler
from wit_world.imports.wasi_http_types import Fields, Request, Response


class Handler(HttpHandler):
    async def handle(self, request: Request) -> Response:
        print("asked for", request.get_path_with_query())
        return respond(200, "Hello from Python!\n")


def respond(status: int, text: str) -> Response:
    """Returns an answer whose body is written while it is sent."""
    headers = Fields.from_list([("content-type", b"text/plain; charset=utf-8")])
    writer, contents = byte_stream()
    # A future that nobody writes to has its default: no trailers.
    _, trailers = trailers_future(lambda: Ok(None))
    response, _sent = Response.new(headers, contents, trailers)
    response.set_status_code(status)
    componentize_py_async_support.spawn(write(writer, text.encode()))
    return response


async def write(writer: ByteStreamWriter, data: bytes) -> None:
    with writer:
        await writer.write_all(data)
