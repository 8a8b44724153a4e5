// The back end: answers with the path that it was asked for.

#include <stdio.h>

#include "http.h"

static wasi_http_types_own_outgoing_body_t start(wasi_http_types_own_response_outparam_t out) {
  wasi_http_types_own_outgoing_response_t response =
      wasi_http_types_constructor_outgoing_response(wasi_http_types_constructor_fields());
  wasi_http_types_own_outgoing_body_t body;
  wasi_http_types_method_outgoing_response_body(wasi_http_types_borrow_outgoing_response(response), &body);
  wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false, .val.ok = response};
  wasi_http_types_static_response_outparam_set(out, &result);
  return body;
}

static void write_text(wasi_http_types_own_outgoing_body_t body, char *text, size_t length) {
  wasi_http_types_own_output_stream_t stream;
  wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream);
  http_list_u8_t bytes = {(uint8_t *)text, length};
  wasi_io_streams_stream_error_t error;
  if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(
          wasi_io_streams_borrow_output_stream(stream), &bytes, &error)) {
    wasi_io_streams_stream_error_free(&error);
  }
  wasi_io_streams_output_stream_drop_own(stream);
}

void exports_wasi_http_incoming_handler_handle(
    exports_wasi_http_incoming_handler_own_incoming_request_t request,
    exports_wasi_http_incoming_handler_own_response_outparam_t out) {
  char text[256];
  http_string_t path;
  int length = 0;
  if (wasi_http_types_method_incoming_request_path_with_query(wasi_http_types_borrow_incoming_request(request), &path)) {
    // A longer path is cut: the precision bounds what is read and what is written.
    int shown = path.len < 200 ? (int)path.len : 200;
    length = snprintf(text, sizeof text, "you asked for %.*s\n", shown, (const char *)path.ptr);
    http_string_free(&path);
  }
  wasi_http_types_own_outgoing_body_t body = start(out);
  write_text(body, text, (size_t)length);

  wasi_http_types_error_code_t error;
  if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &error)) {
    wasi_http_types_error_code_free(&error);
  }
  wasi_http_types_incoming_request_drop_own(request);
}
