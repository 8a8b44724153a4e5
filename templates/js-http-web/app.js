// {{ name }}: answers HTTP requests. What it prints is in the log of `wharf up`.

addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  console.log("asked for", new URL(request.url).pathname);
  return new Response("Hello from JavaScript!\n", {
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
