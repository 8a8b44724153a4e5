// The smallest WASI 0.2 HTTP handler in C: one line of text to every request.

#include "http.h"

static wasi_http_types_own_fields_t make_headers(void) {
  wasi_http_types_own_fields_t headers = wasi_http_types_constructor_fields();
  static char text[] = "text/plain; charset=utf-8";
  http_string_t name;
  http_string_set(&name, "content-type");
  wasi_http_types_field_value_t value = {(uint8_t *)text, sizeof text - 1};
  wasi_http_types_header_error_t error;
  wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(headers), &name, &value, &error);
  return headers;
}

void exports_wasi_http_incoming_handler_handle(
    exports_wasi_http_incoming_handler_own_incoming_request_t request,
    exports_wasi_http_incoming_handler_own_response_outparam_t out) {
  wasi_http_types_own_outgoing_response_t response =
      wasi_http_types_constructor_outgoing_response(make_headers());
  wasi_http_types_own_outgoing_body_t body;
  wasi_http_types_method_outgoing_response_body(wasi_http_types_borrow_outgoing_response(response), &body);

  wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false, .val.ok = response};
  wasi_http_types_static_response_outparam_set(out, &result);

  wasi_http_types_own_output_stream_t stream;
  wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream);
  static char text[] = "hello from C\n";
  http_list_u8_t bytes = {(uint8_t *)text, sizeof text - 1};
  wasi_io_streams_stream_error_t stream_error;
  // A failed write means that the client went away: nothing is left to be told.
  if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(
          wasi_io_streams_borrow_output_stream(stream), &bytes, &stream_error)) {
    wasi_io_streams_stream_error_free(&stream_error);
  }
  wasi_io_streams_output_stream_drop_own(stream);

  wasi_http_types_error_code_t error;
  if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &error)) {
    wasi_http_types_error_code_free(&error);
  }
  wasi_http_types_incoming_request_drop_own(request);
}
