// Added to pages by `wharf dev`: reloads them when a new version is in place, and shows why there is none.
(() => {
  if (window.__wharfDev) return;
  window.__wharfDev = true;
  // The version that answered with this page.
  const known = Number(document.currentScript?.dataset.version ?? 0);
  let source = null;
  let box = null;

  const hide = () => {
    if (box) box.remove();
    box = null;
  };

  const show = (why, version) => {
    hide();
    box = document.createElement("div");
    // Otherwise letters, their spacing and their direction would be those of the app's page.
    box.style.cssText = "all:initial;direction:ltr";
    const inside = box.attachShadow({ mode: "open" });
    const frame = document.createElement("div");
    frame.setAttribute("role", "alert");
    frame.style.cssText =
      "position:fixed;inset:0;z-index:2147483647;background:rgba(16,18,22,.85);backdrop-filter:blur(6px);" +
      "color:#e8eaed;color-scheme:dark;padding:clamp(.5rem,3vw,2rem);overflow:auto;box-sizing:border-box";
    const card = document.createElement("div");
    card.style.cssText =
      "max-width:70rem;margin:0 auto;background:#1b1e24;border-top:4px solid #ff6b6b;border-radius:8px;" +
      "padding:1.25rem 1.5rem;box-shadow:0 12px 40px rgba(0,0,0,.5)";
    const title = document.createElement("h1");
    title.textContent = "The app could not be built";
    title.style.cssText = "font:600 18px system-ui,sans-serif;color:#ff8080;margin:0 0 1rem";
    const text = document.createElement("pre");
    text.textContent = why;
    // Lines keep their length: what a compiler writes below a line is below the right place.
    text.style.cssText = "white-space:pre;overflow:auto;margin:0;font:14px/1.5 ui-monospace,monospace";
    const note = document.createElement("p");
    const before = version === 0 ? "There is no version yet." : "The version before goes on.";
    note.textContent = `${before} This goes away when the build succeeds; Escape hides it.`;
    note.style.cssText = "font:13px system-ui,sans-serif;color:#9aa0a6;margin:1rem 0 0";
    card.append(title, text, note);
    frame.append(card);
    inside.append(frame);
    (document.body || document.documentElement).append(box);
  };

  const heard = (message) => {
    const state = JSON.parse(message.data);
    if (state.phase === "failed") show(state.why, state.version);
    if (state.phase !== "ready") return;
    hide();
    if (known !== state.version && isFirst(state.version)) location.reload();
  };

  // A page that the browser may keep can come back as it was: one reload for each version is enough.
  const isFirst = (version) => {
    const key = `wharf dev ${location.pathname}${location.search}`;
    try {
      if (sessionStorage.getItem(key) === String(version)) return false;
      sessionStorage.setItem(key, String(version));
    } catch {
      // No storage, as in a sandboxed frame: a page that was reloaded is not reloaded again before something is saved.
      return performance.getEntriesByType("navigation")[0]?.type !== "reload";
    }
    return true;
  };

  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource("/.wharf/dev/events");
    source.onmessage = heard;
  };

  // A hidden page does not hold one of the few connections that a browser opens to a server.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return listen();
    if (source) source.close();
    source = null;
  });
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  listen();
})();
