// boot.js starts the program of the browser in a page that the server has drawn.
// Where that is not possible, the page stays as it is: it works without a script.
(() => {
  "use strict";
  const doc = document, at = doc.currentScript.dataset;
  performance.mark("kama-boot");

  // The server writes the next page's times in this zone.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    doc.cookie = `tz=${encodeURIComponent(zone)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

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
