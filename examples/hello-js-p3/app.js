// The smallest WASI 0.3 HTTP service in JavaScript: one line of text to every request.

import { Fields, Response } from "wasi:http/types@0.3.0";

// The engine of this build has no TextEncoder; the text is ASCII.
const bytes = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));

async function* body() {
  yield bytes("hello from JavaScript, asynchronously\n");
}

export const handler = {
  async handle(_request) {
    const headers = Fields.fromList([["content-type", bytes("text/plain; charset=utf-8")]]);
    const [response] = Response.new(headers, body(), Promise.resolve({ tag: "ok", val: null }));
    return response;
  },
};
