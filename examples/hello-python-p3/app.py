"""The smallest WASI 0.3 HTTP service in Python: one line of text to every request."""

import componentize_py_async_support
from componentize_py_async_support.streams import ByteStreamWriter
from componentize_py_types import Ok
from wit_world import (
    byte_stream,
    result_option_wasi_http_types_fields_wasi_http_types_error_code_future as trailers_future,
)
from wit_world.exports import Handler as BaseHandler
from wit_world.imports.wasi_http_types import Fields, Request, Response


class Handler(BaseHandler):
    async def handle(self, request: Request) -> Response:
        headers = Fields.from_list([("content-type", b"text/plain; charset=utf-8")])
        writer, contents = byte_stream()
        # A future that nobody writes to has its default: no trailers.
        _, trailers = trailers_future(lambda: Ok(None))
        response, _sent = Response.new(headers, contents, trailers)
        componentize_py_async_support.spawn(write_body(writer))
        return response


async def write_body(writer: ByteStreamWriter) -> None:
    with writer:
        await writer.write_all(b"hello from Python, asynchronously\n")
