// {{ name }}: answers HTTP requests.

#include <string.h>

#include "http.h"

static http_list_u8_t bytes(const char *text) {
  return (http_list_u8_t){(uint8_t *)text, strlen(text)};
}

static wasi_http_types_own_fields_t text_headers(void) {
  wasi_http_types_own_fields_t headers = wasi_http_types_constructor_fields();
  http_string_t name = {(uint8_t *)"content-type", strlen("content-type")};
  http_list_u8_t type = bytes("text/plain; charset=utf-8");
  wasi_http_types_field_value_t value = {type.ptr, type.len};
  wasi_http_types_header_error_t error;
  wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(headers), &name, &value, &error);
  return headers;
}

// Sends the whole answer.
static void respond(exports_wasi_http_incoming_handler_own_response_outparam_t out, uint16_t status, const char *text) {
  wasi_http_types_own_outgoing_response_t response = wasi_http_types_constructor_outgoing_response(text_headers());
  wasi_http_types_borrow_outgoing_response_t answer = wasi_http_types_borrow_outgoing_response(response);
  wasi_http_types_method_outgoing_response_set_status_code(answer, status);
  wasi_http_types_own_outgoing_body_t body;
  wasi_http_types_method_outgoing_response_body(answer, &body);

  wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false, .val.ok = response};
  wasi_http_types_static_response_outparam_set(out, &result);

  wasi_http_types_own_output_stream_t stream;
  wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream);
  http_list_u8_t contents = bytes(text);
  wasi_io_streams_stream_error_t stream_error;
  // A failed write means that the client went away: nothing is left to be told.
  if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(
          wasi_io_streams_borrow_output_stream(stream), &contents, &stream_error)) {
    wasi_io_streams_stream_error_free(&stream_error);
  }
  wasi_io_streams_output_stream_drop_own(stream);

  wasi_http_types_error_code_t error;
  if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &error)) {
    wasi_http_types_error_code_free(&error);
  }
}

void exports_wasi_http_incoming_handler_handle(
    exports_wasi_http_incoming_handler_own_incoming_request_t request,
    exports_wasi_http_incoming_handler_own_response_outparam_t out) {
  respond(out, 200, "Hello from C!\n");
  wasi_http_types_incoming_request_drop_own(request);
}
