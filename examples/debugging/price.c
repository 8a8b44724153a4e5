// Answers a price with its tax: `/c/?20`. A price of zero is the mistake to look for.

#include "http.h"
#include <stdio.h>
#include <string.h>

struct price {
  int net;
  int tax_percent;
  int gross;
};

static int read_number(const http_string_t *path) {
  int number = 0;
  size_t at = 0;
  while (at < path->len && path->ptr[at] != '?') {
    at++;
  }
  for (at++; at < path->len; at++) {
    number = number * 10 + (path->ptr[at] - '0');
  }
  return number;
}

static int add_tax(struct price *price) {
  int tax = price->net * price->tax_percent / 100;
  price->gross = price->net + tax;
  if (price->net == 0) {
    __builtin_trap();
  }
  return price->gross;
}

static void respond(exports_wasi_http_incoming_handler_own_response_outparam_t out, const char *text) {
  wasi_http_types_own_outgoing_response_t response =
      wasi_http_types_constructor_outgoing_response(wasi_http_types_constructor_fields());
  wasi_http_types_own_outgoing_body_t body;
  wasi_http_types_method_outgoing_response_body(wasi_http_types_borrow_outgoing_response(response), &body);
  wasi_http_types_result_own_outgoing_response_error_code_t result = {.is_err = false, .val.ok = response};
  wasi_http_types_static_response_outparam_set(out, &result);

  wasi_http_types_own_output_stream_t stream;
  wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream);
  http_list_u8_t bytes = {(uint8_t *)text, strlen(text)};
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
}

void exports_wasi_http_incoming_handler_handle(
    exports_wasi_http_incoming_handler_own_incoming_request_t request,
    exports_wasi_http_incoming_handler_own_response_outparam_t out) {
  http_string_t path = {NULL, 0};
  wasi_http_types_method_incoming_request_path_with_query(wasi_http_types_borrow_incoming_request(request), &path);
  struct price price = {.net = read_number(&path), .tax_percent = 19, .gross = 0};
  char text[64];
  snprintf(text, sizeof text, "price %d\n", add_tax(&price));
  respond(out, text);
  http_string_free(&path);
  wasi_http_types_incoming_request_drop_own(request);
}
