// Makes responses of WASI 0.3: headers, and a body that is written while it is sent.

import { Fields, Response } from "wasi:http/types@0.3.0";

/** Returns a response with this text. */
export function respond(status, text, type = "text/plain; charset=utf-8") {
  const headers = Fields.fromList([["content-type", utf8(type)]]);
  const noTrailers = Promise.resolve({ tag: "ok", val: null });
  const [response] = Response.new(headers, chunks(text), noTrailers);
  response.setStatusCode(status);
  return response;
}

async function* chunks(text) {
  yield utf8(text);
}

/** Returns the bytes of a text. The engine has no TextEncoder. */
export function utf8(text) {
  const bytes = [];
  for (const char of text) {
    const code = char.codePointAt(0);
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    bytes.push(((0xf00 >> more) & 0xff) | (code >> (6 * more)));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6) {
      bytes.push(0x80 | ((code >> shift) & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}
