// boot.js starts the program of the browser in a page that the server has drawn,
// and is its go-between with the service worker. Where the program can't run,
// the page stays as it is: it works without a script.
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

  // What the program adopts and calls, and what it may set to be called. All
  // that returns a promise fulfils it, whatever the browser lacks or forbids.
  const kama = window.kama = {
    log: doc.getElementById("log"),
    build: at.build, // of this page
    maxUpload: Number(at.upload) || 0, // bytes of a file
    waiting: false, // a newer build than the page's is at hand
    onUpdate: null, // () called when waiting becomes true
    onOpen: null, // (path) to show instead of go-app's navigation, as "/c/U…"
    onPush: null, // (push) for the conversation that is seen

    // check asks whether there is a newer build: at once, but at most once in half a minute.
    check() {
      clearTimeout(kama.soon);
      kama.soon = setTimeout(async () => {
        if (!reg) return;
        next = Date.now() + 30000;
        await reg.update().catch(() => {});
      }, Math.max(0, next - Date.now()));
    },
    // update swaps to the newer build by loading the page again, once.
    update() {
      const worker = reg && reg.waiting;
      if (!worker) return again();
      worker.onstatechange = () => worker.state === "activated" && again();
      worker.postMessage("skip-waiting");
      setTimeout(again, 3000);
    },
    // shared is what another program has shared, or null: a promise of
    // { title, text, url, files }, the last an array of File. It is so again after
    // a reload, until unshare forgets it.
    shared: () => taken().catch(() => null),
    unshare: () => window.caches && caches.delete("shared").catch(() => {}),
    // badge shows n unread messages at the program's icon.
    badge(n) {
      if (navigator.setAppBadge) navigator.setAppBadge(n).catch(() => {});
    },
    // plant makes elements of what ui/view says of them, in JSON: for each its tag,
    // its attributes, and what is in it, texts as texts. It returns them, and a
    // fragment that holds them all.
    plant(text) {
      const grow = ([tag, attrs, ...kids]) => {
        const n = tag === "svg" || tag === "path" ? doc.createElementNS("http://www.w3.org/2000/svg", tag) : doc.createElement(tag);
        for (const name in attrs) n.setAttribute(name, attrs[name]);
        for (const k of kids) n.append(typeof k === "string" ? k : grow(k));
        return n;
      };
      const nodes = JSON.parse(text).map(grow), all = doc.createDocumentFragment();
      all.append(...nodes);
      return { nodes, all };
    },
    // seen takes away the notification of a conversation that has been read.
    async seen(conv) {
      if (!reg || !reg.getNotifications) return;
      for (const n of await reg.getNotifications({ tag: conv }).catch(() => [])) n.close();
    },
    // forget removes what the service worker kept, and itself. The next page
    // that runs the program installs it afresh. One that is being installed is
    // removed only after that, however long it takes: nobody waits for it.
    async forget() {
      try {
        kama.badge(0);
        localStorage.removeItem("kama-mutes");
        for (const name of await caches.keys()) await caches.delete(name);
        for (const r of await navigator.serviceWorker.getRegistrations()) {
          const gone = r.unregister();
          if (r.installing) gone.catch(() => {}); // ended with the page
          else await gone;
        }
      } catch {
        // There is none in this browser or at this address.
      }
    },
  };

  // --- the service worker ---

  let reg = null, next = 0, left = false, working = false;
  const again = () => {
    if (!left) location.reload();
    left = true;
  };
  const ready = () => {
    if (kama.waiting) return;
    kama.waiting = true;
    if (kama.onUpdate) kama.onUpdate();
  };

  const serve = async (sw) => {
    let controlled = !!sw.controller;
    sw.addEventListener("controllerchange", () => {
      if (controlled) ready(); // another page has swapped to a newer build
      controlled = true;
    });
    sw.addEventListener("message", ({ data, ports: [port] }) => {
      if (data.kind === "push" && kama.onPush) kama.onPush(data.push);
      if (data.kind === "shows") port.postMessage(doc.hasFocus() && location.pathname === `/c/${data.conv}`);
      if (data.kind === "open") {
        port.postMessage(true);
        const app = data.path === "/" || data.path.startsWith("/c/");
        ((app && (kama.onOpen || window.goappNav)) || ((path) => location.assign(path)))(data.path);
      }
    });
    reg = await sw.register("/sw.js", { updateViaCache: "none" });
    const look = () => reg.waiting && reg.active && ready();
    const follow = (worker) => worker && worker.addEventListener("statechange", look);
    reg.addEventListener("updatefound", () => follow(reg.installing));
    follow(reg.installing);
    look();
    doc.addEventListener("visibilitychange", () => doc.hidden || kama.check());
  };

  // work begins once the program has what it needs, so as not to slow it down.
  const work = () => {
    if (working || !navigator.serviceWorker) return;
    working = true;
    serve(navigator.serviceWorker).catch((err) => console.info("kamachat: no service worker:", err));
  };

  const taken = async () => {
    const asked = new URLSearchParams(location.search).has("share"), told = new URLSearchParams(location.hash.slice(1));
    if (asked) history.replaceState(history.state, "", location.pathname);
    const of = (get) => ({ title: get("title") || "", text: get("text") || "", url: get("url") || "", files: [] });
    if (asked && told.size) return of((k) => told.get(k)); // from the server, where there was no worker
    if (!window.caches || !(await caches.has("shared"))) return null;
    const cache = await caches.open("shared"), found = await cache.match("/shared");
    const it = found && await found.json();
    const out = it && Date.now() - it.at < 3600000 ? of((k) => it[k]) : null;
    for (let i = 0; out && i < it.names.length; i++) {
      const blob = await (await cache.match(`/shared/${i}`)).blob();
      out.files.push(new File([blob], it.names[i], { type: blob.type }));
    }
    if (!out) kama.unshare();
    return out;
  };

  // --- the program ---

  // What go-app asks for: which addresses are not the program's own.
  const outside = ["login", "register", "logout", "new", "admin", "setup", "doctor", "static", "api", "files", "g/", "join/", "settings", "report", "contacts", "people/"];
  const env = { GOAPP_INTERNAL_URLS: JSON.stringify(outside.map((p) => `${location.origin}/${p}`)) };
  window.goappGetenv = (key) => env[key] || "";

  const gone = (why) => {
    console.error("kamachat:", why);
    doc.getElementById("gone").hidden = false;
    work(); // a newer build may be what helps
  };

  const program = async (go) => {
    const from = () => fetch(at.wasm, { credentials: "same-origin" });
    try {
      return await WebAssembly.instantiateStreaming(from(), go.importObject);
    } catch {
      return WebAssembly.instantiate(await (await from()).arrayBuffer(), go.importObject);
    }
  };

  const script = (src) => new Promise((done, failed) => {
    const s = doc.createElement("script");
    s.src = src;
    s.onload = done;
    s.onerror = () => failed(new Error(`${src} can't be loaded`));
    doc.head.append(s);
  });

  const start = async () => {
    const more = [at.idb, at.aside, at.attach].filter(Boolean).map((src) => script(src).catch((err) => console.error("kamachat:", err)));
    await script(at.exec);
    const go = new Go();
    const { instance } = await program(go);
    performance.mark("kama-wasm");
    await Promise.all(more);
    const run = go.run(instance);
    work();
    await run;
    throw new Error("the program has ended");
  };

  if (typeof WebAssembly === "object" && at.exec && at.wasm) start().catch(gone);
  else doc.getElementById("plain").hidden = false;
})();
