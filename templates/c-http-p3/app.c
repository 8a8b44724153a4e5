// {{ name }}: answers HTTP requests.
//
// C has no `await`. The handler returns its response, then says what it waits for; the host calls it back
// when that has happened.

#include <stdlib.h>

#include "http.h"

#define NO_SET 0

typedef wasi_http_types_future_result_option_own_trailers_error_code_writer_t trailers_writer_t;

// What one request needs until its body is sent. Many are alive at once.
typedef struct {
  http_waitable_set_t set;
  wasi_http_types_stream_u8_writer_t body;
  trailers_writer_t trailers;
  size_t sent_bytes;
  bool body_done;
  wasi_http_types_result_option_own_trailers_error_code_t no_trailers;
} task_t;

static const char text[] = "Hello from C!\n";

static http_callback_code_t wait_for(task_t *task, uint32_t waitable) {
  http_waitable_join(waitable, task->set);
  http_context_set_0(task);
  return HTTP_CALLBACK_CODE_WAIT(task->set);
}

static http_callback_code_t finish(task_t *task) {
  http_waitable_join(task->trailers, NO_SET);
  wasi_http_types_future_result_option_own_trailers_error_code_drop_writable(task->trailers);
  http_waitable_set_drop(task->set);
  free(task);
  return HTTP_CALLBACK_CODE_EXIT;
}

static http_callback_code_t write_trailers(task_t *task) {
  http_waitable_status_t status =
      wasi_http_types_future_result_option_own_trailers_error_code_write(task->trailers, &task->no_trailers);
  return status == HTTP_WAITABLE_STATUS_BLOCKED ? wait_for(task, task->trailers) : finish(task);
}

// Takes note of a write that ended: how much of the text the reader took, or that there is no reader.
static void note(task_t *task, http_waitable_status_t status) {
  task->sent_bytes += HTTP_WAITABLE_COUNT(status);
  task->body_done =
      task->sent_bytes == sizeof text - 1 || HTTP_WAITABLE_STATE(status) != HTTP_WAITABLE_COMPLETED;
}

static http_callback_code_t write_body(task_t *task) {
  while (!task->body_done) {
    http_waitable_status_t status = wasi_http_types_stream_u8_write(
        task->body, (const uint8_t *)text + task->sent_bytes, sizeof text - 1 - task->sent_bytes);
    if (status == HTTP_WAITABLE_STATUS_BLOCKED) {
      return wait_for(task, task->body);
    }
    note(task, status);
  }
  http_waitable_join(task->body, NO_SET);
  wasi_http_types_stream_u8_drop_writable(task->body);
  return write_trailers(task);
}

http_callback_code_t exports_wasi_http_handler_handle_callback(http_event_t *event) {
  task_t *task = http_context_get_0();
  if (event->event != HTTP_EVENT_STREAM_WRITE) {
    return finish(task);
  }
  note(task, event->code);
  return write_body(task);
}

http_callback_code_t exports_wasi_http_handler_handle(exports_wasi_http_handler_own_request_t request) {
  wasi_http_types_request_drop_own(request);
  task_t *task = calloc(1, sizeof *task);
  if (task == NULL) {
    abort();
  }
  task->set = http_waitable_set_new();

  wasi_http_types_stream_u8_t contents = wasi_http_types_stream_u8_new(&task->body);
  wasi_http_types_future_result_option_own_trailers_error_code_t trailers =
      wasi_http_types_future_result_option_own_trailers_error_code_new(&task->trailers);
  wasi_http_types_tuple2_own_response_future_result_void_error_code_t response;
  wasi_http_types_static_response_new(wasi_http_types_constructor_fields(), &contents, trailers, &response);
  wasi_http_types_future_result_void_error_code_drop_readable(response.f1);

  exports_wasi_http_handler_result_own_response_error_code_t result = {.is_err = false, .val.ok = response.f0};
  exports_wasi_http_handler_handle_return(result);
  return write_body(task);
}
