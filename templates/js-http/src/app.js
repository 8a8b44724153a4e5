// {{ name }}: answers HTTP requests.

import { respond } from "./respond.js";

export const handler = {
  async handle(request) {
    const path = request.getPathWithQuery() ?? "/";
    if (path === "/echo") {
      return respond(200, `${JSON.stringify({ path })}\n`, "application/json");
    }
    return respond(200, "Hello from JavaScript!\n");
  },
};
