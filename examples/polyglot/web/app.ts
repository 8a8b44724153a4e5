// The HTTP handler: takes the order from the query, as in `/?2+apple&1+novel`, and answers with the bill as text.

import { Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam } from "wasi:http/types@0.2.12";
import { Order } from "docs:polyglot/orders@0.1.0";

type Entry = { article: string; count: number; net: bigint; tax: bigint };
type Bill = { entries: Entry[]; net: bigint; tax: bigint };
type OrderError =
  | { tag: "empty" }
  | { tag: "unreadable" | "unknown-article" | "too-expensive"; val: string }
  | { tag: "too-many"; val: [string, number] };
type Answer = { status: number; text: string };

const encoder = new TextEncoder();

export const incomingHandler = {
  handle(request: IncomingRequest, responseOut: ResponseOutparam): void {
    const query = (request.pathWithQuery() ?? "/").split("?")[1] ?? "";
    const lines = query.split("&").filter((line) => line !== "");
    reply(responseOut, answer(lines));
  },
};

function answer(lines: string[]): Answer {
  try {
    const order = new Order();
    for (const line of lines) {
      order.add(decode(line));
    }
    // The handle goes back to where the order lives.
    return { status: 200, text: print(Order.finish(order)) };
  } catch (error) {
    // The error of a WIT result is thrown; everything else is a mistake of ours.
    if (error === null || typeof error !== "object" || !("payload" in error)) throw error;
    return explain(error.payload as OrderError);
  }
}

function decode(line: string): string {
  try {
    return decodeURIComponent(line.replaceAll("+", " "));
  } catch {
    return line;
  }
}

function print(bill: Bill): string {
  const row = (name: string, net: bigint, tax: bigint) =>
    `${name.padEnd(10)}${cents(net).padStart(8)} + ${cents(tax).padStart(6)} tax\n`;
  const rows = bill.entries.map(({ count, article, net, tax }) => row(`${count} ${article}`, net, tax));
  return rows.join("") + row("total", bill.net, bill.tax);
}

function cents(sum: bigint): string {
  return `${sum / 100n}.${String(sum % 100n).padStart(2, "0")}`;
}

function explain(error: OrderError): Answer {
  switch (error.tag) {
    case "empty":
      return { status: 400, text: "nothing was ordered; try /?2+apple&1+novel\n" };
    case "unreadable":
      return { status: 400, text: `"${error.val}" is no number and an article\n` };
    case "unknown-article":
      return { status: 404, text: `there is no ${error.val}\n` };
    case "too-many":
      return { status: 409, text: `there are only ${error.val[1]} of ${error.val[0]}\n` };
    case "too-expensive":
      return { status: 422, text: `the tax of ${error.val} is beyond what can be counted\n` };
  }
}

function reply(responseOut: ResponseOutparam, { status, text }: Answer): void {
  const headers = Fields.fromList([["content-type", encoder.encode("text/plain; charset=utf-8")]]);
  const response = new OutgoingResponse(headers);
  response.setStatusCode(status);
  const body = response.body();
  ResponseOutparam.set(responseOut, { tag: "ok", val: response });
  const stream = body.write();
  stream.blockingWriteAndFlush(encoder.encode(text));
  stream[Symbol.dispose]();
  OutgoingBody.finish(body, undefined);
}
