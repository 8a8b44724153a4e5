// Package export_wasi_http_incoming_handler answers HTTP requests. What it prints is in the log of `wharf up`.
package export_wasi_http_incoming_handler

import (
	"fmt"

	. "{{ name }}/gen/wasi_http_types"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Handle answers one request.
func Handle(request *IncomingRequest, out *ResponseOutparam) {
	fmt.Println("asked for", request.PathWithQuery().SomeOr("/"))
	respond(out, 200, "Hello from Go!\n")
}

// respond sends the whole answer.
func respond(out *ResponseOutparam, status uint16, text string) {
	headers := MakeFields()
	headers.Append("content-type", []byte("text/plain; charset=utf-8"))
	response := MakeOutgoingResponse(headers)
	response.SetStatusCode(status)
	body := response.Body().Ok()
	ResponseOutparamSet(out, wit.Ok[*OutgoingResponse, ErrorCode](response))

	// A failed write means that the client went away: nothing is left to be told.
	stream := body.Write().Ok()
	stream.BlockingWriteAndFlush([]byte(text))
	stream.Drop()
	OutgoingBodyFinish(body, wit.None[*Fields]())
}
