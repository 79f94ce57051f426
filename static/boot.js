// boot.js starts the program of the browser in a page that the server has drawn.
// Where that is not possible, the page stays as it is: it works without a script.
(() => {
  "use strict";
  const doc = document, at = doc.currentScript.dataset, root = doc.documentElement;
  performance.mark("kama-boot");

  const cookie = (name, value) => {
    const secure = location.protocol === "https:" ? ";Secure" : "";
    const age = value ? 31536000 : 0;
    doc.cookie = `${name}=${encodeURIComponent(value)};Path=/;Max-Age=${age};SameSite=Lax${secure}`;
  };

  // The server writes times in this zone, and draws the next page in this scheme.
  cookie("tz", Intl.DateTimeFormat().resolvedOptions().timeZone || "");
  let theme = "";
  try {
    theme = localStorage.getItem("theme") || "";
  } catch {} // storage may be forbidden
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  addEventListener("pagehide", () => cookie("theme", root.dataset.theme || ""));

  // Reading begins at the first unread row, otherwise at the end.
  const box = doc.getElementById("scroll");
  if (box) {
    const fresh = box.querySelector(".new");
    const row = fresh && fresh.closest("li");
    box.scrollTop = row
      ? box.scrollTop + row.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 4
      : box.scrollHeight;
  }

  // What the program adopts, and what go-app asks for: which addresses are not its own.
  window.kama = { log: doc.getElementById("log") };
  const outside = ["login", "register", "logout", "new", "admin", "setup", "static", "api"];
  const env = { GOAPP_INTERNAL_URLS: JSON.stringify(outside.map((p) => `${location.origin}/${p}`)) };
  window.goappGetenv = (key) => env[key] || "";

  const gone = (why) => {
    console.error("kamachat:", why);
    doc.getElementById("gone").hidden = false;
  };

  const program = async (go) => {
    const from = () => fetch(at.wasm, { credentials: "same-origin" });
    try {
      return await WebAssembly.instantiateStreaming(from(), go.importObject);
    } catch {
      return WebAssembly.instantiate(await (await from()).arrayBuffer(), go.importObject);
    }
  };

  const start = async () => {
    const go = new Go();
    const { instance } = await program(go);
    performance.mark("kama-wasm");
    await go.run(instance);
    throw new Error("the program has ended");
  };

  if (typeof WebAssembly !== "object" || !at.exec || !at.wasm) return;
  const exec = doc.createElement("script");
  exec.src = at.exec;
  exec.onload = () => start().catch(gone);
  exec.onerror = () => gone("wasm_exec.js can't be loaded");
  doc.head.append(exec);
})();
