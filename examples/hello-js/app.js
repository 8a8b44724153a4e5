// The smallest WASI 0.2 HTTP handler in JavaScript: one line of text to every request.

import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from "wasi:http/types@0.2.12";

const encoder = new TextEncoder();

export const incomingHandler = {
  handle(_request, responseOut) {
    const headers = Fields.fromList([["content-type", encoder.encode("text/plain; charset=utf-8")]]);
    const response = new OutgoingResponse(headers);
    const body = response.body();
    ResponseOutparam.set(responseOut, { tag: "ok", val: response });
    {
      using stream = body.write();
      stream.blockingWriteAndFlush(encoder.encode("hello from JavaScript\n"));
    }
    OutgoingBody.finish(body, undefined);
  },
};
