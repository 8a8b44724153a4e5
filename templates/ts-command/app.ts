// {{ name }}: a command. `wharf run {{ name }}.wasm world`

import { getArguments } from "wasi:cli/environment@0.2.12";

export const run = {
  run(): void {
    const [, who = "TypeScript"] = getArguments();
    console.log(`Hello from ${who}!`);
  },
};
