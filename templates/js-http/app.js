// {{ name }}: answers HTTP requests.

import { respond } from "./respond.js";

export const handler = {
  async handle(_request) {
    return respond(200, "Hello from JavaScript!\n");
  },
};
